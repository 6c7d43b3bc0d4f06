// SPDX-License-Identifier: Apache-2.0
#include "run/kv_cache.hpp"

#include <algorithm>

namespace mor {
namespace {
constexpr int kSlabBlocks = 8;
}

KvPool::KvPool(std::shared_ptr<Backend> backend, const Plan& plan, KvGeometry geometry, int capacity_tokens,
               int max_requests)
    : backend_(std::move(backend)), geometry_(geometry) {
    capacity_ = blocks_for(capacity_tokens) + max_requests - 1;  // every sequence may leave one block partly filled
    for (const int layers : plan.group_layers) pools_.push_back({.layers = layers});
}

bool KvPool::promise(int blocks) {
    if (promised_ + blocks > capacity_) return false;
    promised_ += blocks;
    return true;
}

std::byte* KvPool::take(int group) {
    GroupPool& p = pools_[group];
    if (p.free.empty()) {
        const std::int64_t bytes = block_bytes(group);
        const int count = std::min(kSlabBlocks, capacity_ - p.in_use);
        p.slabs.push_back({backend_->allocate(static_cast<std::size_t>(bytes * count)), count});
        for (int i = count; i-- > 0;) p.free.push_back(p.slabs.back().memory.get() + i * bytes);
    }
    std::byte* block = p.free.back();
    p.free.pop_back();
    ++p.in_use;
    return block;
}

void KvPool::give(int group, std::byte* block) {
    pools_[group].free.push_back(block);
    --pools_[group].in_use;
}

void KvPool::release_unused() {
    for (int g = 0; g < groups(); ++g) {
        GroupPool& p = pools_[g];
        const std::int64_t bytes = block_bytes(g);
        std::erase_if(p.slabs, [&](const Slab& slab) {
            const auto inside = [&](const std::byte* block) {
                return block >= slab.memory.get() && block < slab.memory.get() + slab.blocks * bytes;
            };
            if (std::count_if(p.free.begin(), p.free.end(), inside) < slab.blocks) return false;
            std::erase_if(p.free, inside);
            return true;
        });
    }
}

std::int64_t KvPool::blocks_in_use() const {
    std::int64_t n = 0;
    for (const auto& p : pools_)
        if (p.layers) n += p.in_use;
    return n;
}

std::int64_t KvPool::blocks_total() const {
    std::int64_t n = 0;
    for (const auto& p : pools_)
        if (p.layers) n += capacity_;
    return n;
}

KvSequence::KvSequence(KvPool& pool, const Plan& plan) : pool_(pool), plan_(plan), members_(pool.groups()) {}

KvSequence::~KvSequence() {
    truncate(0);
    settle();
}

bool KvSequence::promise(int tokens) {
    const int more = pool_.blocks_for(tokens) - promised_;
    if (more > 0 && !pool_.promise(more)) return false;
    promised_ += std::max(more, 0);
    return true;
}

void KvSequence::settle() {
    int held = 0;
    for (int g = 0; g < pool_.groups(); ++g) held = std::max(held, blocks(g));
    pool_.take_back(promised_ - held);
    promised_ = held;
}

void KvSequence::reserve(int rows) {
    try {
        for (int g = 0; g < pool_.groups(); ++g) {
            if (!plan_.group_layers[g]) continue;
            const int wanted = pool_.blocks_for(entries(g) + rows);
            while (blocks(g) < wanted) members_[g].table.push_back(pool_.take(g));
        }
    } catch (...) {  // the backend has no memory for more slabs
        trim();
        throw;
    }
}

void KvSequence::trim() {
    for (int g = 0; g < pool_.groups(); ++g) {
        auto& table = members_[g].table;
        for (const int wanted = pool_.blocks_for(entries(g)); blocks(g) > wanted; table.pop_back())
            pool_.give(g, table.back());
    }
}

int KvSequence::add(int group, int position) {
    auto& positions = members_[group].positions;
    positions.push_back(position);
    return static_cast<int>(positions.size()) - 1;
}

int KvSequence::ordinal(int group, int position) const {
    const auto& positions = members_[group].positions;
    return static_cast<int>(std::lower_bound(positions.begin(), positions.end(), position) - positions.begin());
}

void KvSequence::truncate(int position) {
    for (auto& m : members_)
        m.positions.erase(std::lower_bound(m.positions.begin(), m.positions.end(), position), m.positions.end());
    trim();
}

KvUse KvSequence::use(int position, int recursions, int vanilla_layers) const {
    const KvGeometry& geometry = pool_.geometry();
    KvUse use;
    use.used.resize(recursions + 1);
    use.reserved.resize(recursions + 1);
    for (const Slot& slot : plan_.kv_slots) {
        const auto& m = members_[slot.group];
        const auto stored = std::upper_bound(m.positions.begin(), m.positions.end(), position) - m.positions.begin();
        use.used[slot.recursion + 1] += stored * geometry.entry_bytes();
        use.reserved[slot.recursion + 1] += static_cast<std::int64_t>(m.table.size()) * geometry.layer_block_bytes();
    }
    use.vanilla = std::int64_t{position + 1} * vanilla_layers * geometry.entry_bytes();
    return use;
}

KvReport KvSequence::report(int recursions, int vanilla_layers, int tokens) const {
    KvReport report;
    report.recursion_tokens.resize(recursions);
    for (const Slot& slot : plan_.kv_slots) {
        report.slot_recursion.push_back(slot.recursion);
        report.slot_tokens.push_back(entries(slot.group));
        report.slot_blocks.push_back(blocks(slot.group));
        if (slot.recursion >= 0) report.recursion_tokens[slot.recursion] = entries(slot.group);
    }
    report.use = use(tokens - 1, recursions, vanilla_layers);
    return report;
}

}  // namespace mor
