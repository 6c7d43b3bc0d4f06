// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>

#include "cuda_emulation/random.hpp"
#include "cuda_emulation/runtime.hpp"
#include "cuda_emulation/sanitizers.hpp"
#include "cuda_emulation/settings.hpp"

namespace cuda_emulation {

/// What every call of the runtime starts with: one host thread at a time, and its use of the emulation's lists is no
/// access that ThreadSanitizer should look at.
class Call {
public:
    Call();
    cudaError_t error() const { return error_; }  ///< of the device: every call returns it once a kernel failed

private:
    std::unique_lock<std::recursive_mutex> lock_;
    Unseen unseen_;
    cudaError_t error_;
};

/// What Call::error() says, for work that runs in a stream.
cudaError_t device_error();

/// Remembers the error for cudaGetLastError() and returns it.
cudaError_t failed(cudaError_t);
/// From now on every call fails, as after a kernel that crashed.
void break_device(cudaError_t);

Random& device_random();

Statistics& changing_statistics();
template <class Change>
void count(Change change) {
    change(changing_statistics());
}

}  // namespace cuda_emulation
