// SPDX-License-Identifier: Apache-2.0
#include "mor/config.hpp"

#include "io/config_files.hpp"
#include "io/mapped_file.hpp"
#include "mor/error.hpp"

namespace mor {
namespace {

constexpr std::uintmax_t kLargestConfig = 1u << 20;  // bytes

Json read_json_file(const std::string& file) { return parse_json(read_text_file(file, kLargestConfig), file, "content"); }

}  // namespace

ModelConfig read_config(const std::filesystem::path& directory) {
    std::error_code ignored;
    const std::string config_file = (directory / "config.json").string();
    if (!std::filesystem::exists(config_file, ignored)) {
        throw bad_input(directory.string(), "config.json",
                        "a Hugging Face Llama configuration (choose a model's directory)",
                        std::filesystem::is_directory(directory, ignored) ? "no such file" : "no such directory");
    }
    ModelConfig config;
    const Json llama = read_json_file(config_file);
    config.llama = read_llama_config(Field(llama, config_file));
    const std::string mor_file = (directory / "mor.json").string();
    if (std::filesystem::exists(mor_file, ignored)) {
        const Json mor = read_json_file(mor_file);
        config.mor = read_mor_config(Field(mor, mor_file), config.llama);
    }
    return config;
}

}  // namespace mor
