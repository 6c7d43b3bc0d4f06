// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "engine/hostile_input.hpp"
#include "io/json.hpp"
#include "mor/tokenizer.hpp"

namespace mor::testing {

inline std::filesystem::path bpe_data() { return std::filesystem::path(MOR_TEST_DATA) / "bpe"; }

/// A JSON file of tests/data/bpe.
inline Json bpe_json(const std::string& name) { return Json::parse(read_all(bpe_data() / name)); }

constexpr int kBpeVocabulary = 4096;  ///< more than any tokenizer of the tests has

/// The tokenizer of a folder with this tokenizer.json and, where given, tokenizer_config.json.
inline std::shared_ptr<const Tokenizer> load_bpe(const std::string& json, const std::string& config = {},
                                                 int vocab_size = kBpeVocabulary) {
    const Folder folder;
    folder.write("tokenizer.json", json);
    if (!config.empty()) folder.write("tokenizer_config.json", config);
    return Tokenizer::load(folder.path(), vocab_size);
}

}  // namespace mor::testing
