// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/workspace.hpp"

namespace mor::cuda {

Workspace::Workspace(std::shared_ptr<DeviceStream> stream) : stream_(std::move(stream)), slots_(slot::count) {}

void Workspace::release() { slots_.assign(slot::count, {}); }

void* Workspace::bytes(int which, std::size_t count) {
    Slot& slot = slots_[static_cast<std::size_t>(which)];
    if (count > slot.size || !slot.memory) {
        slot = {};  // first, so that the new memory may be where the old was
        slot.memory = stream_->allocate(count);
        slot.size = count;
    }
    return slot.memory.get();
}

}  // namespace mor::cuda
