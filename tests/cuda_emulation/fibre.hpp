// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "cuda_emulation/sanitizers.hpp"

namespace cuda_emulation {

/// A stack and where its execution stands. Switching costs some nanoseconds and tells the sanitizers.
class Fibre {
public:
    using Main = void (*)();  ///< never returns: it switches away for good

    /// The thread that starts the others; has no stack of its own.
    Fibre() = default;
    /// Allocates a stack with a guard page below it; `number` counts the fibres.
    Fibre(Main, unsigned number);
    ~Fibre();
    Fibre(const Fibre&) = delete;
    Fibre& operator=(const Fibre&) = delete;

    /// Leaves `from`, which is running, and goes on with this one; returns when something switches back to `from`.
    void resume(Fibre& from);

    /// For the host's fibre: the calling thread takes this role from now on.
    void adopt_thread();

private:
    void* context_ = nullptr;
    std::byte* stack_ = nullptr;
    Main main_ = nullptr;
    SanitizerFibre sanitizer_;
    friend struct FibreEntry;
};

}  // namespace cuda_emulation
