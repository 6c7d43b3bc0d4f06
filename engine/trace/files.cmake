# SPDX-License-Identifier: Apache-2.0
target_sources(mor_engine PRIVATE
    trace/compare_runs.cpp
    trace/read_header.cpp
    trace/read_records.cpp
    trace/reader.cpp
    trace/recorder.cpp
    trace/to_json.cpp
    trace/writer.cpp
)
