// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/bf16_library.hpp"

#include <dnnl.hpp>
#include <map>
#include <string>
#include <tuple>

#include "backend/cpu/memory.hpp"
#include "backend/cpu/one_thread.hpp"
#include "mor/error.hpp"

namespace mor::cpu {
namespace {

constexpr std::size_t kMostPrimitives = 64;  ///< row counts of prompts vary without end

using Type = dnnl::memory::data_type;

}  // namespace

struct Bf16Library::Primitives {
    using Key = std::tuple<int, int, int, std::ptrdiff_t, bool>;  ///< n, in, outs, ldy, add
    struct Prepared {
        dnnl::matmul::primitive_desc description;
        dnnl::matmul matmul;
    };

    dnnl::engine engine{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream{engine};
    std::map<Key, Prepared> prepared;
    Scratch<std::byte> scratchpad;

    const Prepared& get(const Key& key) {
        const auto found = prepared.find(key);
        if (found != prepared.end()) return found->second;
        if (prepared.size() >= kMostPrimitives) prepared.clear();
        const auto& [n, in, outs, ldy, add] = key;
        dnnl::primitive_attr attributes;
        attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
        if (add) {
            dnnl::post_ops sum;
            sum.append_sum(1.0f);
            attributes.set_post_ops(sum);
        }
        const dnnl::memory::desc x({n, in}, Type::bf16, dnnl::memory::dims{in, 1});
        const dnnl::memory::desc w({in, outs}, Type::bf16, dnnl::memory::dims{1, in});
        const dnnl::memory::desc y({n, outs}, Type::f32, dnnl::memory::dims{ldy, 1});
        const dnnl::matmul::primitive_desc description({x, w, y}, attributes, engine);
        return prepared.emplace(key, Prepared{description, dnnl::matmul(description)}).first->second;
    }
};

Bf16Library::Bf16Library() = default;
Bf16Library::~Bf16Library() = default;
Bf16Library::Bf16Library(Bf16Library&&) noexcept = default;

void Bf16Library::product(const std::uint16_t* x, int n, const void* w, int in, int outs, float* y, std::ptrdiff_t ldy,
                          bool add) {
    const OneThread one;
    try {
        if (!primitives_) primitives_ = std::make_unique<Primitives>();
        Primitives& p = *primitives_;
        const Primitives::Prepared& prepared = p.get({n, in, outs, ldy, add});
        const auto& d = prepared.description;
        const auto memory = [&](const dnnl::memory::desc& desc, const void* data) {
            return dnnl::memory(desc, p.engine, const_cast<void*>(data));  // oneDNN takes inputs as void* too
        };
        prepared.matmul.execute(
            p.stream,
            {{DNNL_ARG_SRC, memory(d.src_desc(), x)},
             {DNNL_ARG_WEIGHTS, memory(d.weights_desc(), w)},
             {DNNL_ARG_DST, memory(d.dst_desc(), y)},
             {DNNL_ARG_SCRATCHPAD, memory(d.scratchpad_desc(), p.scratchpad.get(d.scratchpad_desc().get_size()))}});
        p.stream.wait();
    } catch (const dnnl::error& e) {
        throw Error(std::string("oneDNN: matmul in bf16: expected success, got: ") + e.what());
    }
}

}  // namespace mor::cpu
