// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "io/config_files.hpp"

namespace mor {
namespace {

constexpr int kLargestDimension = 1 << 20;  // of any one size; keeps products of two far from overflow
constexpr int kMostLayers = 4096;

int dimension(const Field& root, const char* key, int most = kLargestDimension) {
    return static_cast<int>(root.at(key).integer(1, most));
}

/// The family must be Llama: by model_type, or by architectures in files that have no model_type.
void check_architecture(const Field& root) {
    const auto type = root.find("model_type");
    if (type && type->text() != "llama") type->refuse("\"llama\", the only architecture of this build");
    const auto architectures = root.find("architectures");
    if (!type && !architectures) root.at("model_type");
    if (!architectures) return;
    for (std::size_t i = 0; i < architectures->size(); ++i) {
        // The official recursive models are called MoRLlamaForCausalLM.
        if (architectures->item(i).text().ends_with("LlamaForCausalLM")) return;
    }
    architectures->refuse("a list with \"LlamaForCausalLM\"", architectures->json().dump(-1, ' ', true).substr(0, 120));
}

void require_false(const Field& root, const char* key) {
    const auto field = root.find(key);
    if (field && field->boolean()) field->refuse("false (biases are not implemented)");
}

/// What would change the arithmetic and is not implemented is refused rather than ignored.
void check_arithmetic(const Field& root) {
    if (const auto act = root.find("hidden_act"); act && act->text() != "silu") act->refuse("\"silu\"");
    if (const auto scaling = root.find("rope_scaling"))
        scaling->refuse("null (scaled rotary positions are not implemented)");
    require_false(root, "attention_bias");
    require_false(root, "mlp_bias");
    const auto use_window = root.find("use_sliding_window");
    const auto window = root.find("sliding_window");
    if (window && (!use_window || use_window->boolean())) window->refuse("null (sliding windows are not implemented)");
    if (const auto q = root.find("quantization_config")) q->refuse("null (weights must be F32, F16 or BF16)");
}

/// transformers up to 4 writes rope_theta, from 5 on rope_parameters {rope_type, rope_theta}.
double read_rope_theta(const Field& root) {
    constexpr double kLeast = 1e-3, kMost = 1e15;
    if (const auto parameters = root.find("rope_parameters")) {
        const auto type = parameters->find("rope_type");
        if (type && type->text() != "default") type->refuse("\"default\" (scaled rotary positions are not implemented)");
        if (const auto theta = parameters->find("rope_theta")) return theta->number(kLeast, kMost);
    }
    const auto theta = root.find("rope_theta");
    return theta ? theta->number(kLeast, kMost) : 10000.0;
}

std::vector<int> read_eos(const Field& root, int vocab_size) {
    constexpr std::size_t kMost = 64;
    const auto eos = root.find("eos_token_id");
    if (!eos) return {};
    if (!eos->json().is_array()) return {static_cast<int>(eos->integer(0, vocab_size - 1))};
    if (eos->size() > kMost) eos->refuse("at most " + std::to_string(kMost) + " ids");
    std::vector<int> ids;
    for (std::size_t i = 0; i < eos->size(); ++i) ids.push_back(static_cast<int>(eos->item(i).integer(0, vocab_size - 1)));
    return ids;
}

void read_heads(const Field& root, LlamaConfig& c) {
    c.num_attention_heads = dimension(root, "num_attention_heads");
    c.num_key_value_heads =
        root.find("num_key_value_heads") ? dimension(root, "num_key_value_heads") : c.num_attention_heads;
    if (c.num_attention_heads % c.num_key_value_heads != 0) {
        root.at("num_key_value_heads").refuse("a divisor of num_attention_heads " + std::to_string(c.num_attention_heads));
    }
    if (const auto head_dim = root.find("head_dim")) {
        c.head_dim = static_cast<int>(head_dim->integer(2, 4096));
        if (c.head_dim % 2 != 0) head_dim->refuse("an even number (rotary positions turn pairs)");
    } else {
        const std::string quotient = std::to_string(c.hidden_size) + " / " + std::to_string(c.num_attention_heads);
        c.head_dim = c.hidden_size / c.num_attention_heads;
        if (c.hidden_size % c.num_attention_heads != 0 || c.head_dim % 2 != 0) {
            root.at("hidden_size").refuse("hidden_size / num_attention_heads to be an even whole number", quotient);
        }
    }
    if (std::int64_t{c.num_attention_heads} * c.head_dim > kLargestDimension) {
        root.at("num_attention_heads").refuse("heads x head_dim of at most " + std::to_string(kLargestDimension));
    }
}

}  // namespace

LlamaConfig read_llama_config(const Field& root) {
    check_architecture(root);
    check_arithmetic(root);
    LlamaConfig c;
    c.hidden_size = dimension(root, "hidden_size");
    c.intermediate_size = dimension(root, "intermediate_size");
    c.num_hidden_layers = dimension(root, "num_hidden_layers", kMostLayers);
    c.vocab_size = dimension(root, "vocab_size");
    c.max_position_embeddings = dimension(root, "max_position_embeddings");
    read_heads(root, c);
    c.rms_norm_eps = static_cast<float>(root.at("rms_norm_eps").number(1e-20, 1.0));
    c.rope_theta = read_rope_theta(root);
    c.eos_token_id = read_eos(root, c.vocab_size);
    return c;
}

}  // namespace mor
