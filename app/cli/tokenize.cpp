// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "mor/config.hpp"
#include "mor/error.hpp"
#include "mor/tokenizer.hpp"
#include "setting_options.hpp"

namespace mor::cli {

int tokenize(Arguments arguments) {
    std::filesystem::path directory;
    std::optional<std::string> text;
    OptionTable table("morscope-cli tokenize", "Prints the token ids of a text as one JSON array.");
    add_model_argument(table, directory);
    table.option("--text", "T", "the text (required)", [&](const std::string& value) { text = value; });
    if (!table.parse(arguments)) return 0;
    if (!text) throw UsageError("--text is missing");
    // The weights are not needed, so they need not be there either.
    const auto tokenizer = Tokenizer::load(directory, read_config(directory).llama.vocab_size);
    if (!tokenizer) throw bad_input(directory.string(), "tokenizer.model", "a tokenizer", "no such file");
    std::cout << nlohmann::json(tokenizer->encode(*text)).dump() << "\n";
    return 0;
}

}  // namespace mor::cli
