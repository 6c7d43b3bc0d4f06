// SPDX-License-Identifier: Apache-2.0
#include "commands.hpp"
#include "mor/analysis.hpp"
#include "setting_options.hpp"

namespace mor::cli {

int dump_tensors(Arguments arguments) {
    std::filesystem::path directory;
    std::vector<int> tokens;
    std::string out;
    RoutingSettings routing;
    DeviceSettings device;
    KvSettings kv;
    OptionTable table("morscope-cli dump",
                      "Runs token ids as one prompt and writes logits, router outputs, states and KV counts.");
    add_model_argument(table, directory);
    table.option("--tokens", "1,2,3", "the prompt as token ids (required)",
                 [&](const std::string& text) { tokens = read_ids("--tokens", text); });
    table.option("--out", "FILE.safetensors", "the file to write (required)", [&](const std::string& text) { out = text; });
    add_routing_options(table, routing, kv);
    add_device_options(table, device, kv);
    if (!table.parse(arguments)) return 0;
    if (tokens.empty()) throw UsageError("--tokens is missing");
    if (out.empty()) throw UsageError("--out is missing");
    dump(Model::load(directory, device), tokens, routing, kv, out);
    return 0;
}

}  // namespace mor::cli
