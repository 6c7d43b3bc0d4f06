# SPDX-License-Identifier: Apache-2.0
target_sources(mor_engine PRIVATE
    trace/compare_runs.cpp
    trace/trace_header.cpp
    trace/trace_json.cpp
    trace/trace_reader.cpp
    trace/trace_recorder.cpp
    trace/trace_records.cpp
    trace/trace_writer.cpp
)
