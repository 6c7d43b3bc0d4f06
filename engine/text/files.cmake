# SPDX-License-Identifier: Apache-2.0
target_sources(mor_engine PRIVATE
    text/added_tokens.cpp
    text/bpe_tokenizer.cpp
    text/byte_alphabet.cpp
    text/byte_pairs.cpp
    text/chat.cpp
    text/pre_tokenizer.cpp
    text/protobuf_wire.cpp
    text/regex.cpp
    text/sentencepiece_file.cpp
    text/sentencepiece_tokenizer.cpp
    text/stream_decoder.cpp
    text/tokenizer.cpp
    text/tokenizer_config.cpp
    text/tokenizer_json.cpp
    text/tokenizer_json_model.cpp
    text/tokenizer_json_steps.cpp
    text/unicode_classes.cpp
    text/utf8.cpp
    text/visible_text.cpp
)
