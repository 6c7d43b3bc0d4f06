# SPDX-License-Identifier: Apache-2.0
target_sources(mor_engine PRIVATE
    text/protobuf_wire.cpp
    text/sentencepiece_file.cpp
    text/sentencepiece_tokenizer.cpp
    text/stream_decoder.cpp
    text/tokenizer.cpp
    text/utf8.cpp
)
