// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace mor::cpu {

/// Products of bfloat16 with bfloat16, summed in float32, through oneDNN. One object per thread: it keeps the
/// primitives prepared for the shapes seen last, and oneDNN's working memory.
class Bf16Library {
public:
    Bf16Library();
    ~Bf16Library();
    Bf16Library(Bf16Library&&) noexcept;

    /// y[r ldy + o] (+)= sum over k of x[r in + k] w[o in + k], on the calling thread alone
    void product(const std::uint16_t* x, int n, const void* w, int in, int outs, float* y, std::ptrdiff_t ldy, bool add);

private:
    struct Primitives;
    std::unique_ptr<Primitives> primitives_;  ///< made when first needed
};

}  // namespace mor::cpu
