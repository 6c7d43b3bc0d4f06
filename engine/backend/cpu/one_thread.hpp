// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <omp.h>

namespace mor::cpu {

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

}  // namespace mor::cpu
