// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <cmath>
#include <string>

#include "io/config_files.hpp"
#include "io/names.hpp"

namespace mor {
namespace {

constexpr int kMostRecursions = 64;
constexpr double kLeastFactor = 1e-6, kMostFactor = 1e6;  // of temp and alpha

bool enabled(const std::optional<Field>& section) { return section && section->at("enable").boolean(); }

template <class Enum>
Enum read_word(const Field& field, std::span<const Word<Enum>> words) {
    for (const auto& w : words) {
        if (field.json().is_string() && field.text() == w.word) return w.value;
    }
    field.refuse(choice_of(words));
}

/// Layers outside the recursions: the first and the last one of middle_*.
int own_layers(Sharing sharing) { return sharing == Sharing::MiddleCycle || sharing == Sharing::MiddleSequence ? 2 : 0; }

void check_division(const Field& recursive, const MorConfig& mor, int layers) {
    const int own = own_layers(mor.sharing), shared = layers - own, r = mor.num_recursion;
    const std::string count = "num_hidden_layers " + std::to_string(layers) +
                              (own > 0 ? " - " + std::to_string(own) + " own layers = " + std::to_string(shared) : "");
    if (shared < r || shared % r != 0) {
        recursive.at("num_recursion")
            .refuse("a divisor of the shared layers",
                    std::to_string(r) + ": " + count + " is not divisible by num_recursion " + std::to_string(r));
    }
    const auto base_depth = recursive.find("base_depth");
    if (base_depth && base_depth->integer(1, layers) != shared / r) {
        base_depth->refuse("null or " + std::to_string(shared / r) + " (" + count + ", divided by num_recursion " +
                           std::to_string(r) + ")");
    }
}

void read_recursive(const Field& recursive, int layers, MorConfig& mor) {
    mor.sharing = read_word<Sharing>(recursive.at("sharing"), words_of(Sharing{}).subspan(1));
    mor.num_recursion = static_cast<int>(recursive.at("num_recursion").integer(1, kMostRecursions));
    check_division(recursive, mor, layers);
}

void read_kv_sharing(const Field& kv, MorConfig& mor) {
    if (mor.sharing == Sharing::None) kv.at("enable").refuse("false, because recursive.enable is false");
    if (mor.sharing == Sharing::MiddleSequence) kv.at("enable").refuse("false with sharing \"middle_sequence\"");
    if (const auto update = kv.find("update_cache"); update && update->boolean()) {
        update->refuse("false (updating the shared cache is not implemented)");
    }
    const auto sharing = kv.find("sharing");
    if (sharing && sharing->text() != word_of(mor.sharing)) {
        sharing->refuse("null or recursive.sharing \"" + std::string(word_of(mor.sharing)) + "\"");
    }
    const auto count = kv.find("num_recursion");
    if (count && count->integer(1, kMostRecursions) != mor.num_recursion) {
        count->refuse("null or recursive.num_recursion " + std::to_string(mor.num_recursion));
    }
    mor.kv_policy = KvPolicy::RecursiveSharing;
}

/// "1.0,0.667,0.333" as the official configuration writes it. Digits as from_chars reads them: no locale, no words.
std::vector<double> split_capacity(const Field& field) {
    std::vector<double> shares;
    std::string_view rest = field.text();
    for (bool more = true; more;) {
        const auto comma = rest.find(',');
        more = comma != rest.npos;
        std::string_view word = rest.substr(0, comma);
        rest.remove_prefix(more ? comma + 1 : rest.size());
        while (word.starts_with(' ')) word.remove_prefix(1);
        while (word.ends_with(' ')) word.remove_suffix(1);
        double share = 0;
        const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), share);
        if (error != std::errc{} || end != word.data() + word.size()) field.refuse("numbers separated by commas");
        shares.push_back(share);
    }
    return shares;
}

std::vector<double> read_capacity(const Field& mor_section, int recursions) {
    std::vector<double> shares;
    const auto field = mor_section.find("capacity");
    if (!field) {  // the official default: 1, (R-1)/R, ... 1/R
        for (int i = 0; i < recursions; ++i) shares.push_back(static_cast<double>(recursions - i) / recursions);
        return shares;
    }
    if (field->json().is_string()) {
        shares = split_capacity(*field);
    } else {
        for (std::size_t i = 0; i < field->size(); ++i) shares.push_back(field->item(i).number(0, 1));
    }
    if (static_cast<int>(shares.size()) != recursions) {
        field->refuse(std::to_string(recursions) + " shares, one for each recursion", std::to_string(shares.size()));
    }
    for (const double share : shares) {
        if (!(share > 0 && share <= 1)) field->refuse("shares above 0 and up to 1");
    }
    return shares;
}

/// Absent means weighted; any other value, null too, leaves the block's output unscaled.
bool read_gated(const Field& section) {
    if (!section.has("gating")) return true;
    const auto gating = section.find("gating");
    return gating && gating->text() == "weighted";
}

void read_expert(const Field& mor_section, MorConfig& mor) {
    static constexpr Word<RouterFunction> kFunctions[] = {{RouterFunction::Sigmoid, "sigmoid"},
                                                          {RouterFunction::Tanh, "tanh"}};
    const Field expert = mor_section.at("expert");
    mor.capacity = read_capacity(mor_section, mor.num_recursion);
    const Field function = expert.at("router_func");
    if (function.json().is_null()) {
        mor.router_func = RouterFunction::Identity;
    } else {
        if (!function.json().is_string()) function.refuse("null, \"sigmoid\" or \"tanh\"");
        mor.router_func = read_word<RouterFunction>(function, kFunctions);
        mor.alpha = expert.at("alpha").number(kLeastFactor, kMostFactor);
    }
    mor.sampling = read_word<ExpertSampling>(expert.at("sampling"), words_of(ExpertSampling{}));
    mor.gated = read_gated(expert);
}

void read_token(const Field& mor_section, MorConfig& mor) {
    static constexpr Word<RouterFunction> kFunctions[] = {{RouterFunction::Softmax, "softmax"},
                                                          {RouterFunction::Sigmoid, "sigmoid"}};
    if (mor.sharing == Sharing::Cycle) {
        mor_section.at("type").refuse(
            "\"expert\" with sharing \"cycle\" (the official token choice runs with middle_cycle only)");
    }
    const Field token = mor_section.at("token");
    const auto function = token.find("router_func");
    mor.router_func = function ? read_word<RouterFunction>(*function, kFunctions) : RouterFunction::Softmax;
    const auto alpha = token.find("alpha");
    const double usual = mor.router_func == RouterFunction::Softmax ? 1.0 : 0.1;  // as the official code has them
    mor.alpha = alpha ? alpha->number(kLeastFactor, kMostFactor) : usual;
    const auto balancing = token.find("balancing");
    mor.balancing = balancing ? read_word<Balancing>(*balancing, words_of(Balancing{})) : Balancing::Loss;
    mor.gated = read_gated(token);
}

void read_routing(const Field& section, MorConfig& mor) {
    if (mor.sharing == Sharing::None) section.at("enable").refuse("false, because recursive.enable is false");
    if (mor.sharing == Sharing::Sequence || mor.sharing == Sharing::MiddleSequence) {
        section.at("enable").refuse("false with sharing \"" + std::string(word_of(mor.sharing)) +
                                    "\" (routers need cycle or middle_cycle)");
    }
    mor.routing = read_word<Routing>(section.at("type"), words_of(Routing{}).subspan(1));
    const auto shape = section.find("router_type");
    mor.router_type = shape ? read_word<RouterShape>(*shape, words_of(RouterShape{})) : RouterShape::Linear;
    if (const auto random = section.find("rand_router"); random && random->boolean()) {
        random->refuse("false (a random router is for training only)");
    }
    if (const auto temp = section.find("temp")) mor.temp = temp->number(kLeastFactor, kMostFactor);
    if (mor.routing == Routing::ExpertChoice) read_expert(section, mor);
    if (mor.routing == Routing::TokenChoice) read_token(section, mor);
}

}  // namespace

MorConfig read_mor_config(const Field& root, const LlamaConfig& llama) {
    MorConfig mor;
    const Field recursive = root.at("recursive");
    if (enabled(recursive)) read_recursive(recursive, llama.num_hidden_layers, mor);
    if (const auto kv = root.find("kv_sharing"); enabled(kv)) read_kv_sharing(*kv, mor);
    if (const auto routing = root.find("mor"); enabled(routing)) read_routing(*routing, mor);
    if (const auto relaxation = root.find("relaxation"); enabled(relaxation)) {
        relaxation->at("enable").refuse("false (LoRA relaxation is not implemented)");
    }
    return mor;
}

}  // namespace mor
