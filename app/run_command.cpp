// SPDX-License-Identifier: Apache-2.0
#include "run_command.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "bundled_models.hpp"

namespace mor {

namespace {

/// The shortest decimal that is read back as the same number.
template <class Number>
std::string shortest(Number value) {
    std::array<char, 64> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    return {text.data(), end};
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

class Words {
public:
    explicit Words(std::string first) : line_(std::move(first)) {}
    void add(const std::string& word) { line_ += " " + shell_word(word); }
    void option(const char* name, const std::string& value) {
        add(name);
        add(value);
    }
    const std::string& line() const { return line_; }

private:
    std::string line_;
};

std::string ids_of_prompt(const Trace& trace) {
    std::string ids;
    for (const TokenRecord& token : trace.tokens)
        if (token.prompt) ids += (ids.empty() ? "" : ",") + std::to_string(token.token);
    return ids;
}

void add_sampling(Words& words, const Sampling& sampling) {
    if (sampling.temperature <= 0) return;
    words.option("--temperature", shortest(sampling.temperature));
    if (sampling.top_k > 0) words.option("--top-k", std::to_string(sampling.top_k));
    if (sampling.top_p < 1) words.option("--top-p", shortest(sampling.top_p));
    words.option("--seed", std::to_string(sampling.seed));
}

void add_routing(Words& words, const TraceHeader& header) {
    const RoutingSettings& routing = header.routing;
    if (header.config.mor.routing == Routing::ExpertChoice) {
        if (routing.rule == SelectionRule::TopK) words.option("--routing", "topk");
        if (routing.threshold != RoutingSettings{}.threshold) words.option("--threshold", shortest(routing.threshold));
        if (routing.head != RoutingHead::Model) words.option("--head", routing.head == RoutingHead::Main ? "main" : "aux");
    }
    if (routing.fixed_depth) words.option("--depth", std::to_string(*routing.fixed_depth));
    std::string forced;
    for (const auto& [position, depth] : routing.forced_depth)
        forced += (forced.empty() ? "" : ",") + std::to_string(position) + "=" + std::to_string(depth);
    if (!forced.empty()) words.option("--force", forced);
}

void add_storage(Words& words, const TraceHeader& header) {
    if (header.kv_policy != header.config.mor.kv_policy)
        words.option("--kv-policy", header.kv_policy == KvPolicy::RecursiveSharing ? "sharing" : "recursion-wise");
    if (header.kv_type != DType::F32) words.option("--kv-type", name_of(header.kv_type));
}

}  // namespace

std::string shell_word(const std::string& text) {
    constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./,:+@%";
    if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
    const bool controls = std::any_of(text.begin(), text.end(), is_control);
    std::string word = controls ? "$'" : "'";
    for (const char c : text) {
        if (controls && c == '\n')
            word += "\\n";
        else if (controls && c == '\t')
            word += "\\t";
        else if (is_control(c))
            word += {'\\', 'x', "0123456789abcdef"[(c >> 4) & 15], "0123456789abcdef"[c & 15]};
        else if (controls && (c == '\'' || c == '\\'))
            word += {'\\', c};
        else if (c == '\'')
            word += "'\\''";
        else
            word += c;
    }
    return word + "'";
}

std::string run_command(const Trace& trace, const std::string& model) {
    const TraceHeader& header = trace.header;
    Words words("morscope-cli generate");
    words.add(model.empty() ? "MODEL_DIR" : model);
    if (header.prompt.empty())
        words.option("--tokens", ids_of_prompt(trace));
    else
        words.option("--prompt", header.prompt);
    words.option("--max-tokens", std::to_string(header.max_tokens));
    add_sampling(words, header.sampling);
    add_routing(words, header);
    add_storage(words, header);
    return words.line();
}

std::string bundled_name(const TraceHeader& header) {
    for (const ModelCard& card : list_models(bundled_models_root()))
        if (card.name == header.model_name) return card.directory.filename().string();
    return {};
}

}  // namespace mor
