// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace mor {

/// What a model that was trained on conversations expects around the words of a user.
struct ChatTemplate {
    std::string system;  ///< everything before the first turn, marks included; may be empty
    std::string user_prefix, user_suffix;
    std::string assistant_prefix;  ///< after which the model writes its answer

    /// The text of a conversation that begins with `prompt` and waits for the answer.
    std::string first_turn(std::string_view prompt) const;

    /// Reads DIRECTORY/chat_template.json, which holds these four fields. Without that file the Jinja template of
    /// chat_template.jinja or tokenizer_config.json serves if it is a plain ChatML one; Jinja in general is not
    /// interpreted. Returns nothing when the directory has no template. Throws Error on a broken or unknown one.
    static std::optional<ChatTemplate> load(const std::filesystem::path& directory);
};

}  // namespace mor
