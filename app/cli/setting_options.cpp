// SPDX-License-Identifier: Apache-2.0
#include "setting_options.hpp"

#include <array>
#include <charconv>
#include <limits>

#include "bundled_models.hpp"
#include "mor/error.hpp"

namespace mor::cli {

namespace {

constexpr std::array kTypes{DType::F32, DType::F16, DType::BF16};
constexpr int kMostThreads = 1024;
constexpr int kMostRecursions = 1024;  ///< only a bound on nonsense; the engine knows the model's own number

/// "POS=D,...": a position and the depth to force there.
std::map<int, int> read_forced(const std::string& option, const std::string& text) {
    std::map<int, int> forced;
    std::size_t begin = 0;
    while (begin <= text.size()) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        const std::string pair = text.substr(begin, end - begin);
        const std::size_t equals = pair.find('=');
        if (equals == std::string::npos)
            throw UsageError(option + ": expected POS=D such as 3=1,4=2, got \"" + pair + "\"");
        const auto position =
            read_integer(option + " position", pair.substr(0, equals), 0, std::numeric_limits<int>::max());
        forced[static_cast<int>(position)] =
            static_cast<int>(read_integer(option + " depth", pair.substr(equals + 1), 0, kMostRecursions));
        begin = end + 1;
    }
    return forced;
}

std::uint64_t read_seed(const std::string& text) {
    std::uint64_t seed = 0;
    const char* end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, seed);
    if (error != std::errc() || stopped != end)
        throw UsageError("--seed: expected a whole number from 0 to 18446744073709551615, got \"" + text + "\"");
    return seed;
}

}  // namespace

void add_device_options(OptionTable& table, DeviceSettings& device, KvSettings& kv) {
    table.heading("Device");
    table.option("--device", "cpu|cuda|auto", "where to compute (auto)", [&](const std::string& text) {
        const std::vector<std::string> names{"cpu", "cuda", "auto"};
        device.device = names[read_choice("--device", text, names)];
    });
    table.option("--threads", "N", "threads to compute with (as many as cores)", [&](const std::string& text) {
        device.threads = static_cast<int>(read_integer("--threads", text, 1, kMostThreads));
    });
    table.option("--kv-type", "f32|f16|bf16", "how K/V entries are stored (f32)", [&](const std::string& text) {
        kv.type = kTypes[read_choice("--kv-type", text, {"f32", "f16", "bf16"})];
    });
    table.option("--compute", "f32|bf16", "arithmetic of products of several rows (f32)", [&](const std::string& text) {
        device.compute = read_choice("--compute", text, {"f32", "bf16"}) == 0 ? DType::F32 : DType::BF16;
    });
}

void add_routing_options(OptionTable& table, RoutingSettings& routing, KvSettings& kv, const std::string& prefix,
                         const std::string& title) {
    table.heading(title);
    const auto option = [&](const std::string& name, const char* values, const char* help, auto&& read) {
        const std::string whole = prefix + name, text = help;
        // Defaults are those of the usual options; others begin elsewhere.
        table.option(whole, values, prefix == "--" ? text : text.substr(0, text.rfind(" (")),
                     [whole, read](const std::string& text) { read(whole, text); });
    };
    option("routing", "threshold|topk", "how a recursion selects tokens (threshold)",
           [&routing](const std::string& name, const std::string& text) {
               routing.rule =
                   read_choice(name, text, {"threshold", "topk"}) == 0 ? SelectionRule::Threshold : SelectionRule::TopK;
           });
    option("threshold", "P", "probability a token must reach (0.5)",
           [&routing](const std::string& name, const std::string& text) {
               routing.threshold =
                   read_real(name, text, "a number above 0 and below 1", [](double p) { return p > 0 && p < 1; });
           });
    option("head", "main|aux", "which router the threshold reads (the model's own)",
           [&routing](const std::string& name, const std::string& text) {
               routing.head = read_choice(name, text, {"main", "aux"}) == 0 ? RoutingHead::Main : RoutingHead::Auxiliary;
           });
    option("depth", "D", "the same depth for every token", [&routing](const std::string& name, const std::string& text) {
        routing.fixed_depth = static_cast<int>(read_integer(name, text, 0, kMostRecursions));
    });
    option(
        "force", "POS=D,...", "the depth of single tokens, by position from 0",
        [&routing](const std::string& name, const std::string& text) { routing.forced_depth = read_forced(name, text); });
    option("kv-policy", "model|recursion-wise|sharing", "which K/V a recursion stores and reads (model)",
           [&kv](const std::string& name, const std::string& text) {
               constexpr std::array<std::optional<KvPolicy>, 3> kPolicies{std::nullopt, KvPolicy::RecursionWise,
                                                                          KvPolicy::RecursiveSharing};
               kv.policy = kPolicies[read_choice(name, text, {"model", "recursion-wise", "sharing"})];
           });
}

void add_sampling_options(OptionTable& table, Sampling& sampling) {
    table.heading("Sampling");
    table.option("--temperature", "T", "0 takes the most likely token (0)", [&](const std::string& text) {
        sampling.temperature = static_cast<float>(
            read_real("--temperature", text, "a number from 0 to 100", [](double t) { return t >= 0 && t <= 100; }));
    });
    table.option("--top-k", "K", "keep the K most likely tokens; 0 keeps all (0)", [&](const std::string& text) {
        sampling.top_k = static_cast<int>(read_integer("--top-k", text, 0, std::numeric_limits<int>::max()));
    });
    table.option("--top-p", "P", "then the likeliest whose probability reaches P (1)", [&](const std::string& text) {
        sampling.top_p = static_cast<float>(read_real("--top-p", text, "a number above 0 and at most 1",
                                                      [](double p) { return static_cast<float>(p) > 0 && p <= 1; }));
    });
    table.option("--seed", "S", "start of the random sequence (1)",
                 [&](const std::string& text) { sampling.seed = read_seed(text); });
}

void add_model_argument(OptionTable& table, std::filesystem::path& model) {
    table.argument("MODEL", "a model directory, or the name of a bundled model",
                   [&model](const std::string& text) { model = resolve_model(text); });
}

void require_one(const Input& input, const std::string& text_option) {
    if (input.text && input.tokens) throw UsageError("give either " + text_option + " or --tokens, not both");
    if (!input.text && !input.tokens) throw UsageError("give " + text_option + " or --tokens");
}

std::vector<int> tokens_of(const Model& model, const Input& input) {
    if (input.tokens) return *input.tokens;
    const auto tokenizer = model.tokenizer();
    if (!tokenizer)
        throw bad_input(model.info().directory.string(), "tokenizer.model", "a tokenizer to read text with",
                        "no such file: give token ids with --tokens");
    return tokenizer->encode(*input.text);
}

}  // namespace mor::cli
