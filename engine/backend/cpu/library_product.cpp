// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/library_product.hpp"

#include <dnnl.h>

#include <string>

#include "backend/cpu/one_thread.hpp"
#include "mor/error.hpp"

namespace mor::cpu {
void library_product(const float* x, int n, const float* w, int in, int outs, float* y, std::ptrdiff_t ldy, bool add) {
    const OneThread one;
    const dnnl_status_t status = dnnl_sgemm('N', 'T', n, outs, in, 1.0f, x, in, w, in, add ? 1.0f : 0.0f, y, ldy);
    if (status != dnnl_success) throw Error("oneDNN: dnnl_sgemm: expected success, got status " + std::to_string(status));
}

}  // namespace mor::cpu
