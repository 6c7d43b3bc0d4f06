// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <set>
#include <string>

#include "io/checkpoint.hpp"
#include "model/parts.hpp"
#include "mor/error.hpp"
#include "tensor/half.hpp"

namespace mor {
namespace {

using Names = std::vector<std::string>;

std::vector<float> to_f32(const TensorView& t) {
    std::vector<float> values(static_cast<std::size_t>(t.elements()));
    if (t.dtype == DType::F32) {
        std::memcpy(values.data(), t.data, values.size() * sizeof(float));
        return values;
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
        std::uint16_t bits;
        std::memcpy(&bits, t.data + 2 * i, 2);
        values[i] = t.dtype == DType::BF16 ? bf16_to_f32(bits) : f16_to_f32(bits);
    }
    return values;
}

/// Reads one checkpoint into prepared weights. Shapes are enforced here, so that nothing after needs to check them.
class Loader {
public:
    Loader(const std::filesystem::path& directory, std::shared_ptr<Backend> backend, const LoadWatch& watch)
        : parts_(std::make_unique<ModelParts>()), checkpoint_(directory), watch_(watch) {
        parts_->info.directory = directory;
        parts_->info.config = read_config(directory);
        parts_->backend = std::move(backend);
    }

    std::unique_ptr<ModelParts> load() {
        for (const auto& name : checkpoint_.names()) bytes_ += checkpoint_.find(name)->bytes();
        load_ends();
        load_layers();
        load_routers();
        load_rope();
        parts_->tokenizer = Tokenizer::load(parts_->info.directory, llama().vocab_size);
        describe();
        return std::move(parts_);
    }

private:
    const LlamaConfig& llama() const { return parts_->info.config.llama; }
    const MorConfig& mor() const { return parts_->info.config.mor; }

    using Shape = std::initializer_list<std::int64_t>;

    /// Every tensor comes through here, so here is where a load can be watched and ended.
    const TensorView& tensor(const Names& names, Shape shape) {
        if (watch_.stop.stop_requested()) throw Error(checkpoint_.path() + ": loading was ended before it was complete");
        const TensorView& view = checkpoint_.expect(names, shape);
        if (seen_.insert(view.data).second) seen_bytes_ += view.bytes();
        if (watch_.progress && bytes_ > 0) watch_.progress(static_cast<double>(seen_bytes_) / static_cast<double>(bytes_));
        return view;
    }

    static Names with_suffix(const LayerNames& layer, const std::string& suffix) {
        Names names;
        for (const auto& prefix : layer.prefixes) names.push_back(prefix + suffix);
        return names;
    }

    std::shared_ptr<const Matrix> matrix(const TensorView& view) { return parts_->backend->matrix({&view, 1}); }

    void load_ends() {
        const std::int64_t vocab = llama().vocab_size, hidden = llama().hidden_size;
        const TensorView embedding = tensor({"model.embed_tokens.weight"}, {vocab, hidden});
        parts_->embedding = matrix(embedding);
        parts_->info.weight_type = embedding.dtype;
        parameters_ = embedding.elements() + hidden;
        // The file decides, not tie_word_embeddings: official recursive models keep an lm_head and still say "tied".
        parts_->lm_head = parts_->embedding;
        if (checkpoint_.find("lm_head.weight")) {
            const TensorView head = tensor({"lm_head.weight"}, {vocab, hidden});
            if (!same_content(head, embedding)) {
                parts_->lm_head = matrix(head);
                parameters_ += head.elements();
            }
        }
        parts_->norm = parts_->backend->vector(to_f32(tensor({"model.norm.weight"}, {hidden})));
    }

    /// The tensors of one layer, still in the file.
    struct LayerViews {
        TensorView attention_norm, q, k, v, out, ffn_norm, gate, up, down;

        std::vector<const TensorView*> all() const {
            return {&attention_norm, &q, &k, &v, &out, &ffn_norm, &gate, &up, &down};
        }
        bool operator==(const LayerViews& other) const {
            const auto a = all(), b = other.all();
            for (std::size_t i = 0; i < a.size(); ++i)
                if (!same_content(*a[i], *b[i])) return false;
            return true;
        }
        std::int64_t elements() const {
            std::int64_t n = 0;
            for (const TensorView* t : all()) n += t->elements();
            return n;
        }
    };

    LayerViews layer_views(const LayerNames& names) {
        const LlamaConfig& c = llama();
        const std::int64_t hidden = c.hidden_size, ffn = c.intermediate_size;
        const std::int64_t q = std::int64_t{c.num_attention_heads} * c.head_dim;
        const std::int64_t kv = std::int64_t{c.num_key_value_heads} * c.head_dim;
        const auto get = [&](const char* name, Shape shape) { return tensor(with_suffix(names, name), shape); };
        return {get("input_layernorm.weight", {hidden}),      get("self_attn.q_proj.weight", {q, hidden}),
                get("self_attn.k_proj.weight", {kv, hidden}), get("self_attn.v_proj.weight", {kv, hidden}),
                get("self_attn.o_proj.weight", {hidden, q}),  get("post_attention_layernorm.weight", {hidden}),
                get("mlp.gate_proj.weight", {ffn, hidden}),   get("mlp.up_proj.weight", {ffn, hidden}),
                get("mlp.down_proj.weight", {hidden, ffn})};
    }

    std::shared_ptr<const LayerWeights> prepare(const LayerViews& v) {
        Backend& b = *parts_->backend;
        const TensorView qkv[] = {v.q, v.k, v.v}, gate_up[] = {v.gate, v.up};
        require_one_type(qkv, "q_proj, k_proj and v_proj");
        require_one_type(gate_up, "gate_proj and up_proj");
        return std::make_shared<LayerWeights>(LayerWeights{b.vector(to_f32(v.attention_norm)), b.matrix(qkv), matrix(v.out),
                                                           b.vector(to_f32(v.ffn_norm)), b.matrix(gate_up),
                                                           matrix(v.down)});
    }

    void require_one_type(std::span<const TensorView> views, const char* what) const {
        for (const TensorView& v : views)
            if (v.dtype != views.front().dtype)
                throw bad_input(parts_->info.directory.string(), what, "one storage type for all of them",
                                std::string(name_of(views.front().dtype)) + " and " + name_of(v.dtype));
    }

    /// Layers are compared by content, because files often repeat shared tensors, and recursions that were not tied
    /// must not share a pass.
    void load_layers() {
        std::vector<LayerViews> known;
        std::vector<std::shared_ptr<const LayerWeights>> prepared;
        for (const LayerNames& names : layer_names(parts_->info.config)) {
            LayerViews views = layer_views(names);
            effective_ += views.elements();
            std::size_t i = 0;
            while (i < known.size() && !(known[i] == views)) ++i;
            if (i == known.size()) {
                parameters_ += views.elements();
                prepared.push_back(prepare(views));
                known.push_back(std::move(views));
            }
            parts_->layers.push_back(prepared[i]);
            parts_->weights_identity.push_back(static_cast<int>(i));
        }
    }

    RouterWeights router(const std::string& prefix, int outputs) {
        const std::int64_t hidden = llama().hidden_size;
        if (mor().router_type == RouterShape::Linear) {
            const TensorView w = tensor({prefix + "router.weight"}, {outputs, hidden});
            router_parameters_ += w.elements();
            return {nullptr, matrix(w)};
        }
        const TensorView* first = checkpoint_.find(prefix + "router.0.weight");
        const std::int64_t width = first && first->shape.size() == 2 ? first->shape[0] : hidden;
        const TensorView inner = tensor({prefix + "router.0.weight"}, {width, hidden});
        const TensorView outer = tensor({prefix + "router.2.weight"}, {outputs, width});
        router_parameters_ += inner.elements() + outer.elements();
        parts_->router_inner = static_cast<int>(width);
        return {matrix(inner), matrix(outer)};
    }

    void load_routers() {
        if (mor().routing == Routing::None) return;
        if (mor().routing == Routing::TokenChoice) {
            const std::string prefix = router_prefix(parts_->info.config, 0);
            parts_->routers.push_back(router(prefix + "mor_router.", mor().num_recursion));
            if (mor().balancing == Balancing::LossFree)
                parts_->router_bias = to_f32(tensor({prefix + "router_bias"}, {mor().num_recursion}));
            return;
        }
        for (int r = 0; r < mor().num_recursion; ++r) {
            const std::string prefix = router_prefix(parts_->info.config, r);
            parts_->routers.push_back(router(prefix + "mor_router.", 1));
            if (mor().sampling != ExpertSampling::AuxRouter) continue;
            RouterWeights aux;  // always linear in the official code, whatever router_type says
            const TensorView w = tensor({prefix + "mlp_router.router.weight"}, {1, llama().hidden_size});
            router_parameters_ += w.elements();
            aux.outer = matrix(w);
            parts_->aux_routers.push_back(std::move(aux));
        }
    }

    /// Angles are rounded to float32 as PyTorch rounds them: inverse frequency, product with the position, cosine.
    void load_rope() {
        const int half = llama().head_dim / 2, context = llama().max_position_embeddings;
        std::vector<float> cosine(static_cast<std::size_t>(context) * half), sine(cosine.size());
        for (int i = 0; i < half; ++i) {
            const auto frequency = static_cast<float>(1.0 / std::pow(llama().rope_theta, 2.0 * i / llama().head_dim));
            for (int p = 0; p < context; ++p) {
                const float angle = static_cast<float>(p) * frequency;
                cosine[static_cast<std::size_t>(p) * half + i] = static_cast<float>(std::cos(double{angle}));
                sine[static_cast<std::size_t>(p) * half + i] = static_cast<float>(std::sin(double{angle}));
            }
        }
        parts_->rope_cos = parts_->backend->vector(cosine);
        parts_->rope_sin = parts_->backend->vector(sine);
    }

    /// Configuration as written, and every tensor.
    std::uint64_t content() const {
        ContentHash hash;
        for (const char* name : {"config.json", "mor.json"}) {
            std::ifstream file(parts_->info.directory / name, std::ios::binary);
            hash.add(std::string(std::istreambuf_iterator<char>(file), {}));
        }
        checkpoint_.add_to(hash);
        return hash.value();
    }

    void describe() {
        ModelInfo& info = parts_->info;
        const ModelCard card = describe_model(info.directory);
        info.name = card.name;
        info.summary = card.summary;
        info.prompt = card.prompt;
        info.hash = hex16(content());
        info.parameters_unique = parameters_ + router_parameters_;
        const std::int64_t head =
            parts_->lm_head == parts_->embedding ? 0 : std::int64_t{parts_->lm_head->out} * parts_->lm_head->in;
        info.parameters_effective = std::int64_t{llama().vocab_size} * llama().hidden_size + head + llama().hidden_size +
                                    effective_ + router_parameters_;
        const Plan plan = compile_plan(info.config, mor().kv_policy);
        const auto weights = segment_weights(plan, parts_->weights_identity);
        for (std::size_t i = 0; i < plan.segments.size(); ++i) {
            const Segment& s = plan.segments[i];
            SegmentInfo segment{.recursion = s.recursion, .routed = s.route != Route::None, .weights = weights[i]};
            for (const PlanLayer& l : s.layers) {
                segment.layers.push_back(l.executed);
                segment.kv_slots.push_back(l.slot);
                segment.writes_kv.push_back(l.writes);
            }
            info.segments.push_back(std::move(segment));
        }
        const std::int64_t entry = 2LL * llama().num_key_value_heads * llama().head_dim * bytes_of(DType::F32);
        info.kv_bytes_per_token = static_cast<std::int64_t>(plan.kv_slots.size()) * entry;
        info.kv_bytes_per_token_vanilla = llama().num_hidden_layers * entry;
        info.device = parts_->backend->description();
    }

    std::unique_ptr<ModelParts> parts_;
    Checkpoint checkpoint_;
    const LoadWatch& watch_;
    std::set<const void*> seen_;               ///< tensors asked for; shared ones are asked for once per recursion
    std::int64_t bytes_ = 0, seen_bytes_ = 0;  ///< of all tensors, and of those
    std::int64_t parameters_ = 0, router_parameters_ = 0, effective_ = 0;
};

/// The only kind of Model there is.
class LoadedModel final : public Model {
public:
    explicit LoadedModel(std::unique_ptr<ModelParts> parts) : parts_(std::move(parts)) {}
    const ModelInfo& info() const override { return parts_->info; }
    std::shared_ptr<const Tokenizer> tokenizer() const override { return parts_->tokenizer; }
    const ModelParts& parts() const { return *parts_; }

private:
    std::unique_ptr<ModelParts> parts_;
};

}  // namespace

const ModelParts& parts_of(const Model& model) { return dynamic_cast<const LoadedModel&>(model).parts(); }

std::shared_ptr<const Model> load_model(const std::filesystem::path& directory, std::shared_ptr<Backend> backend,
                                        std::string device_note, const LoadWatch& watch) {
    auto parts = Loader(directory, std::move(backend), watch).load();
    parts->info.device_note = std::move(device_note);
    return std::make_shared<const LoadedModel>(std::move(parts));
}

std::shared_ptr<const Model> Model::load(const std::filesystem::path& directory, const DeviceSettings& device,
                                         const LoadWatch& watch) {
    if (device.device != "auto" && device.device != "cpu" && device.device != "cuda")
        throw Error("device: expected auto, cpu or cuda, got " + device.device);
    std::string note;
    if (device.device != "cpu") {
        try {
            return load_model(directory, make_cuda_backend(device), {}, watch);
        } catch (const DeviceError& error) {
            if (device.device == "cuda") throw DeviceError(std::string(error.what()) + "; the CPU can be chosen instead");
            note = std::string(error.what()) + "; the CPU computes";
        }
    }
    return load_model(directory, make_cpu_backend(device), note, watch);
}

}  // namespace mor
