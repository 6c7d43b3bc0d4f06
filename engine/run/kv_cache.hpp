// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "backend/backend.hpp"
#include "model/plan.hpp"
#include "mor/session.hpp"

/// The KV cache: blocks of N entries from a pool, held per sequence and membership group.
///
/// Slots whose members are always the same tokens form a membership group, so one block table serves all of them. A
/// block of a group with L layers holds, for each layer, K [kv_heads, N, D] and then V [kv_heads, N, D].
namespace mor {

struct KvGeometry {
    int kv_heads = 0;
    int head_dim = 0;
    int block_entries = 16;  ///< N
    DType type = DType::F32;

    /// Bytes of one token's K and V in one layer.
    std::int64_t entry_bytes() const { return std::int64_t{2} * kv_heads * head_dim * bytes_of(type); }
    std::int64_t layer_block_bytes() const { return entry_bytes() * block_entries; }
};

/// Blocks of every group for all sequences of a scheduler. A sequence may take as many blocks as it was promised in each
/// group, so that nobody who has begun ever waits for a block. Memory is taken from the backend in slabs when first needed
/// and reused afterwards.
class KvPool {
public:
    KvPool(std::shared_ptr<Backend>, const Plan&, KvGeometry, int capacity_tokens, int max_requests);

    /// Blocks of each group; false, and none, when so many are not left.
    bool promise(int blocks);
    void take_back(int blocks) { promised_ -= blocks; }

    /// A block of the group, of those promised.
    std::byte* take(int group);
    void give(int group, std::byte* block);

    int capacity() const { return capacity_; }  ///< blocks of each group
    int blocks_for(int entries) const { return (entries + geometry_.block_entries - 1) / geometry_.block_entries; }

    /// Gives back to the backend what no sequence holds a block of.
    void release_unused();

    int groups() const { return static_cast<int>(pools_.size()); }
    const KvGeometry& geometry() const { return geometry_; }
    std::int64_t block_bytes(int group) const { return pools_[group].layers * geometry_.layer_block_bytes(); }
    std::int64_t blocks_in_use() const;
    std::int64_t blocks_total() const;

private:
    struct Slab {
        std::shared_ptr<std::byte> memory;
        int blocks = 0;
    };
    struct GroupPool {
        int layers = 0;
        int in_use = 0;
        std::vector<std::byte*> free;
        std::vector<Slab> slabs;
    };
    std::shared_ptr<Backend> backend_;
    KvGeometry geometry_;
    int capacity_;
    int promised_ = 0;
    std::vector<GroupPool> pools_;
};

/// One sequence's entries: a block table and the members' positions for each group.
class KvSequence {
public:
    KvSequence(KvPool&, const Plan&);
    ~KvSequence();
    KvSequence(const KvSequence&) = delete;
    KvSequence& operator=(const KvSequence&) = delete;

    /// Room for `tokens` tokens at full depth; false when the pool has not so much left. More than there is already is
    /// kept.
    bool promise(int tokens);

    /// Gives back what was promised and is not held.
    void settle();

    /// Takes blocks for `rows` more entries in every group, of those promised. Takes none when the backend has no memory.
    void reserve(int rows);

    /// Gives blocks beyond the entries back.
    void trim();

    /// Adds an entry and returns its ordinal; positions of a group are ascending.
    int add(int group, int position);

    /// Forgets all entries at `position` and later, and gives their blocks back.
    void truncate(int position);

    /// The entry of the token at `position`, which must be a member.
    int ordinal(int group, int position) const;

    std::int64_t block_bytes(int group) const { return pool_.block_bytes(group); }
    int entries(int group) const { return static_cast<int>(members_[group].positions.size()); }
    int blocks(int group) const { return static_cast<int>(members_[group].table.size()); }
    std::byte* const* table(int group) const { return members_[group].table.data(); }

    /// Bytes from a block's start to a slot's K.
    std::int64_t offset(int slot) const {
        return plan_.kv_slots[slot].layer_in_group * pool_.geometry().layer_block_bytes();
    }

    /// Bytes by recursion after the token at `position`; vanilla_layers: executed layers of the reference.
    KvUse use(int position, int recursions, int vanilla_layers) const;

    KvReport report(int recursions, int vanilla_layers, int tokens) const;

private:
    struct Members {
        std::vector<std::byte*> table;
        std::vector<int> positions;
    };
    KvPool& pool_;
    const Plan& plan_;
    int promised_ = 0;              ///< blocks of each group
    std::vector<Members> members_;  ///< [groups]
};

}  // namespace mor
