// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "io/config_files.hpp"
#include "io/names.hpp"
#include "mor/version.hpp"
#include "trace/format.hpp"

namespace mor {
namespace {

constexpr std::int64_t kMostTokens = 1 << 20;  // as the largest context a configuration may have

template <class Enum>
Enum read_word(const Field& field) {
    const auto value = from_word<Enum>(field.text());
    if (!value) field.refuse(choice_of(words_of(Enum{})));
    return *value;
}

Sampling read_sampling(const Field& f) {
    Sampling s;
    s.temperature = static_cast<float>(f.at("temperature").number(0, 1e6));
    s.top_k = static_cast<int>(f.at("top_k").integer(0, std::numeric_limits<int>::max()));
    s.top_p = static_cast<float>(f.at("top_p").number(0, 1));
    const Field seed = f.at("seed");
    if (!seed.json().is_number_unsigned()) seed.refuse("a whole number from 0 to 2^64 - 1");
    s.seed = seed.json().get<std::uint64_t>();
    return s;
}

RoutingSettings read_settings(const Field& f, const ModelConfig& config) {
    RoutingSettings r;
    r.rule = read_word<SelectionRule>(f.at("rule"));
    r.threshold = f.at("threshold").number(0, 1);
    r.head = read_word<RoutingHead>(f.at("head"));
    const int recursions = config.mor.num_recursion;
    if (const auto depth = f.find("fixed_depth")) r.fixed_depth = static_cast<int>(depth->integer(0, recursions));
    const auto forced = f.find("forced_depth");
    for (std::size_t i = 0; forced && i < forced->size(); ++i) {
        const Field pair = forced->item(i);
        if (pair.size() != 2) pair.refuse("a position and a depth");
        const auto position = pair.item(0).integer(0, config.llama.max_position_embeddings - 1);
        r.forced_depth[static_cast<int>(position)] = static_cast<int>(pair.item(1).integer(0, recursions));
    }
    return r;
}

}  // namespace

TraceHeader read_header(const Field& f) {
    TraceHeader h;
    const Field version = f.at("version");
    h.version = static_cast<int>(version.integer(1, std::numeric_limits<int>::max()));
    if (h.version != kTraceVersion) version.refuse(std::to_string(kTraceVersion) + ", the version this build reads");
    h.engine_version = f.at("engine_version").text();
    h.model_name = f.at("model_name").text();
    h.model_hash = f.at("model_hash").text();
    h.config.llama = read_llama_config(f.at("config"));
    if (const auto mor = f.find("mor")) h.config.mor = read_mor_config(*mor, h.config.llama);
    h.prompt = f.at("prompt").text();
    h.prompt_tokens = static_cast<int>(f.at("prompt_tokens").integer(0, kMostTokens));
    h.max_tokens = static_cast<int>(f.at("max_tokens").integer(0, std::numeric_limits<int>::max()));
    h.sampling = read_sampling(f.at("sampling"));
    h.routing = read_settings(f.at("routing"), h.config);
    h.kv_policy = read_word<KvPolicy>(f.at("kv_policy"));
    h.kv_type = read_word<DType>(f.at("kv_type"));
    h.device = f.at("device").text();
    return h;
}

TraceHeader make_header(const ModelInfo& model, const Request& request, const KvSettings& kv, std::string prompt_text) {
    TraceHeader h;
    h.engine_version = version();
    h.model_name = model.name;
    h.model_hash = model.hash;
    h.config = model.config;
    h.prompt = std::move(prompt_text);
    h.prompt_tokens = static_cast<int>(request.prompt.size());
    h.max_tokens = request.max_tokens;
    h.sampling = request.sampling;
    h.routing = request.routing;
    h.kv_policy = kv.policy.value_or(model.config.mor.kv_policy);
    h.kv_type = kv.type;
    h.device = model.device;
    return h;
}

}  // namespace mor
