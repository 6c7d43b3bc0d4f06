// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mor/model.hpp"
#include "mor/session.hpp"
#include "mor/settings.hpp"
#include "options.hpp"

/// The groups of options that several subcommands share.
namespace mor::cli {

/// --device --threads --kv-type --compute
void add_device_options(OptionTable&, DeviceSettings&, KvSettings&);

/// --routing --threshold --head --depth --force --kv-policy, or with another prefix than "--" under another title.
void add_routing_options(OptionTable&, RoutingSettings&, KvSettings&, const std::string& prefix = "--",
                         const std::string& title = "Routing");

/// --temperature --top-k --top-p --seed
void add_sampling_options(OptionTable&, Sampling&);

/// The MODEL argument: a directory or a bundled model's name.
void add_model_argument(OptionTable&, std::filesystem::path&);

/// Text or token ids, exactly one of the two.
struct Input {
    std::optional<std::string> text;
    std::optional<std::vector<int>> tokens;
};

/// Throws UsageError unless exactly one is given. `text_option` is how the text is given: "--prompt" or "--text".
void require_one(const Input&, const std::string& text_option);

/// The ids of the input. Throws Error when it is text and the model has no tokenizer.
std::vector<int> tokens_of(const Model&, const Input&);

}  // namespace mor::cli
