// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace mor {

/// What tokenizer_config.json adds to the tokenizer itself.
struct TokenizerConfig {
    bool add_bos_token = false;
    std::optional<std::string> bos_token;
    std::optional<std::string> chat_template;  ///< Jinja text
};

/// Reads DIRECTORY/tokenizer_config.json; without the file, the defaults. Throws Error.
TokenizerConfig read_tokenizer_config(const std::filesystem::path& directory);

}  // namespace mor
