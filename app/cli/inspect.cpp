// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "format.hpp"
#include "setting_options.hpp"

namespace mor::cli {

namespace {

using Json = nlohmann::ordered_json;

Json llama_json(const LlamaConfig& c) {
    return {{"hidden_size", c.hidden_size},
            {"intermediate_size", c.intermediate_size},
            {"num_hidden_layers", c.num_hidden_layers},
            {"num_attention_heads", c.num_attention_heads},
            {"num_key_value_heads", c.num_key_value_heads},
            {"head_dim", c.head_dim},
            {"vocab_size", c.vocab_size},
            {"max_position_embeddings", c.max_position_embeddings},
            {"rope_theta", c.rope_theta}};
}

Json mor_json(const MorConfig& c) {
    return {{"sharing", name_of(c.sharing)},
            {"num_recursion", c.num_recursion},
            {"routing", name_of(c.routing)},
            {"kv_policy", name_of(c.kv_policy)},
            {"capacity", c.capacity},
            {"sampling", name_of(c.sampling)},
            {"alpha", c.alpha},
            {"temp", c.temp}};
}

Json segment_json(const SegmentInfo& segment) {
    return {{"recursion", segment.recursion}, {"layers", segment.layers}, {"kv_slots", segment.kv_slots},
            {"writes_kv", segment.writes_kv}, {"routed", segment.routed}, {"weights", segment.weights}};
}

std::string info_json(const ModelInfo& info) {
    Json segments = Json::array();
    for (const SegmentInfo& segment : info.segments) segments.push_back(segment_json(segment));
    const Json json{{"name", info.name},
                    {"summary", info.summary},
                    {"directory", info.directory.string()},
                    {"hash", info.hash},
                    {"llama", llama_json(info.config.llama)},
                    {"mor", mor_json(info.config.mor)},
                    {"weight_type", name_of(info.weight_type)},
                    {"parameters_unique", info.parameters_unique},
                    {"parameters_effective", info.parameters_effective},
                    {"segments", segments},
                    {"kv_bytes_per_token", info.kv_bytes_per_token},
                    {"kv_bytes_per_token_vanilla", info.kv_bytes_per_token_vanilla},
                    {"device", info.device},
                    {"device_note", info.device_note}};
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// 3,4,5 -> "3-5"; anything else as a list.
std::string range_text(const std::vector<int>& numbers) {
    if (numbers.empty()) return "none";
    bool consecutive = true;
    for (std::size_t i = 1; i < numbers.size(); ++i) consecutive = consecutive && numbers[i] == numbers[i - 1] + 1;
    if (consecutive && numbers.size() > 2) return std::to_string(numbers.front()) + "-" + std::to_string(numbers.back());
    std::string text;
    for (int number : numbers) text += (text.empty() ? "" : " ") + std::to_string(number);
    return text;
}

std::string stores_text(const SegmentInfo& segment) {
    std::size_t stored = 0;
    for (bool writes : segment.writes_kv) stored += writes ? 1 : 0;
    return stored == segment.writes_kv.size() ? "all layers"
           : stored == 0                      ? "no layer"
                                              : std::to_string(stored) + " layers";
}

std::string segments_text(const ModelInfo& info) {
    std::vector<std::vector<std::string>> rows{
        {"segment", "recursion", "layers", "weights", "KV slots read", "K/V stored", "routed"}};
    for (std::size_t i = 0; i < info.segments.size(); ++i) {
        const SegmentInfo& s = info.segments[i];
        rows.push_back({std::to_string(i), s.recursion < 0 ? "outside" : std::to_string(s.recursion + 1),
                        range_text(s.layers), std::to_string(s.weights), range_text(s.kv_slots), stores_text(s),
                        s.routed ? "yes" : "no"});
    }
    return table_text(rows);
}

std::string architecture_text(const ModelInfo& info) {
    const LlamaConfig& c = info.config.llama;
    return std::to_string(c.num_hidden_layers) + " layers executed at full depth, hidden " + std::to_string(c.hidden_size) +
           ", " + std::to_string(c.num_attention_heads) + " heads, " + std::to_string(c.num_key_value_heads) +
           " KV heads of " + std::to_string(c.head_dim) + ", MLP " + std::to_string(c.intermediate_size);
}

std::string recursion_text(const ModelInfo& info) {
    const MorConfig& m = info.config.mor;
    if (m.num_recursion == 0) return "none (vanilla)";
    std::string text =
        std::to_string(m.num_recursion) + ", sharing " + name_of(m.sharing) + ", routing " + name_of(m.routing);
    if (m.routing == Routing::ExpertChoice) {
        text += std::string(" (") + name_of(m.sampling) + ", capacity";
        for (double share : m.capacity) text += " " + fixed(share, 3);
        text += ")";
    }
    return text + ", KV " + name_of(m.kv_policy);
}

std::string info_text(const ModelInfo& info) {
    const LlamaConfig& c = info.config.llama;
    std::vector<std::vector<std::string>> rows{
        {"name", info.name},
        {"directory", info.directory.string()},
        {"hash", info.hash},
        {"architecture", architecture_text(info)},
        {"recursions", recursion_text(info)},
        {"vocabulary", grouped(c.vocab_size) + " tokens"},
        {"context", grouped(c.max_position_embeddings) + " tokens"},
        {"parameters", grouped(info.parameters_unique) + " unique, " + grouped(info.parameters_effective) + " effective, " +
                           name_of(info.weight_type)},
        {"KV per token", grouped(info.kv_bytes_per_token) + " bytes at full depth in f32, vanilla " +
                             grouped(info.kv_bytes_per_token_vanilla)},
        {"device", info.device}};
    if (!info.device_note.empty()) rows.push_back({"", info.device_note});
    if (!info.summary.empty()) rows.insert(rows.begin() + 1, {"summary", info.summary});
    return table_text(rows) + "\n" + segments_text(info);
}

}  // namespace

int inspect(Arguments arguments) {
    std::filesystem::path directory;
    DeviceSettings device;
    KvSettings kv;
    bool json = false;
    OptionTable table("morscope-cli inspect",
                      "Prints a model's architecture, parameters, segments and KV bytes per token.");
    add_model_argument(table, directory);
    table.flag("--json", "print one JSON object", json);
    add_device_options(table, device, kv);
    if (!table.parse(arguments)) return 0;
    const auto model = Model::load(directory, device);
    std::cout << (json ? info_json(model->info()) + "\n" : info_text(model->info()));
    return 0;
}

}  // namespace mor::cli
