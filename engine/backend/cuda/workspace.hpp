// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "backend/cuda/device_stream.hpp"

namespace mor::cuda {

/// Slots of the workspace, one for each use, so that two operations never fight over one.
namespace slot {
enum : int { normed, widened, converted, projected, split_attention, router_inner, router_outputs, picks, picked, count };
}

/// Device memory for intermediate results of one operation. A slot keeps its memory and grows; its content is
/// undefined at the next call. Growing frees in stream order, so nothing waits.
class Workspace {
public:
    explicit Workspace(std::shared_ptr<DeviceStream>);

    void* bytes(int slot, std::size_t count);  ///< 256-byte aligned
    template <class T>
    T* of(int slot, std::size_t count) {
        return static_cast<T*>(bytes(slot, count * sizeof(T)));
    }
    void release();  ///< everything, in stream order

private:
    struct Slot {
        std::shared_ptr<std::byte> memory;
        std::size_t size = 0;
    };
    std::shared_ptr<DeviceStream> stream_;
    std::vector<Slot> slots_;  ///< [slot::count]
};

}  // namespace mor::cuda
