// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/library_product.hpp"

#include <dnnl.h>
#include <omp.h>

#include <string>

#include "mor/error.hpp"

namespace mor::cpu {
namespace {

/// oneDNN takes as many threads as OpenMP would give the calling thread. The setting belongs to the thread; the
/// caller's own is put back.
class OneThread {
public:
    OneThread() : before_(omp_get_max_threads()) {
        if (before_ != 1) omp_set_num_threads(1);
    }
    ~OneThread() {
        if (before_ != 1) omp_set_num_threads(before_);
    }
    OneThread(const OneThread&) = delete;
    OneThread& operator=(const OneThread&) = delete;

private:
    int before_;
};

}  // namespace

void library_product(const float* x, int n, const float* w, int in, int outs, float* y, std::ptrdiff_t ldy, bool add) {
    const OneThread one;
    const dnnl_status_t status = dnnl_sgemm('N', 'T', n, outs, in, 1.0f, x, in, w, in, add ? 1.0f : 0.0f, y, ldy);
    if (status != dnnl_success) throw Error("oneDNN: dnnl_sgemm: expected success, got status " + std::to_string(status));
}

}  // namespace mor::cpu
