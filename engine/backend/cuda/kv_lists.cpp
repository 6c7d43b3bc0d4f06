// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/kv_lists.hpp"

#include <algorithm>
#include <cstring>

namespace mor::cuda {
namespace {

constexpr std::size_t kTables = 1024;      ///< more than these are looked through for old ones
constexpr std::uint64_t kOldCalls = 4096;  ///< a table that so many calls did not use belongs to nobody
constexpr std::size_t kLeastEntries = 32;

bool equal(const DeviceKvRow& a, const DeviceKvRow& b) {
    return a.blocks == b.blocks && a.position == b.position && a.visible == b.visible && a.write == b.write;
}

}  // namespace

KvLists::KvLists(std::shared_ptr<DeviceStream> stream, StagingRing& staging)
    : stream_(std::move(stream)), staging_(staging) {}

DeviceKv KvLists::send(std::span<const KvRow> rows, int block_entries) {
    ++calls_;
    DeviceKv kv;
    kv.n = static_cast<int>(rows.size());
    if (rows.empty()) return kv;
    count_entries(rows, block_entries);
    rows_.clear();
    offsets_.clear();
    std::byte* const* host = nullptr;
    std::byte* const* device = nullptr;
    for (const KvRow& row : rows) {
        if (row.blocks != host) device = send_table(host = row.blocks, tables_[row.blocks]);
        rows_.push_back({device, row.position, row.visible, row.write, 0});
        if (kv.tables == 0 || device != rows_[rows_.size() - 2].blocks || row.offset != offsets_.back()) ++kv.tables;
        offsets_.push_back(row.offset);
        kv.longest = std::max(kv.longest, row.visible);
    }
    send_rows(kv);
    kv.offset = offsets_.front();
    const bool one_offset = std::all_of(offsets_.begin(), offsets_.end(), [&](auto o) { return o == kv.offset; });
    if (!one_offset) kv.offsets = staging_.put(std::span<const std::int64_t>(offsets_));  // last: read where it is staged
    forget_old_tables();
    return kv;
}

/// How much of each table the rows read or write; only that much is looked at on the host.
void KvLists::count_entries(std::span<const KvRow> rows, int block_entries) {
    for (const KvRow& row : rows) {
        Table& table = tables_[row.blocks];
        if (table.last_used != calls_) table.wanted = 0;
        table.last_used = calls_;
        const int entries = std::max(row.visible, row.write + 1);
        table.wanted = std::max(table.wanted, (entries + block_entries - 1) / block_entries);
    }
}

std::byte* const* KvLists::send_table(std::byte* const* host, Table& table) {
    const auto wanted = static_cast<std::size_t>(table.wanted);
    const auto known = std::min(wanted, table.content.size());
    auto same = static_cast<std::size_t>(std::mismatch(host, host + known, table.content.begin()).first - host);
    if (wanted > table.capacity || !table.memory) {
        const std::size_t capacity = std::max({wanted, 2 * table.capacity, kLeastEntries});
        table.content.clear();
        table.memory = stream_->allocate(capacity * sizeof(std::byte*));
        table.capacity = capacity;
        same = 0;
    }
    if (same < wanted) {  // in stream order, so work enqueued before still reads the old entries
        auto* const target = reinterpret_cast<std::byte**>(table.memory.get());
        staging_.upload(host + same, (wanted - same) * sizeof(std::byte*), target + same);
        if (table.content.size() < wanted) table.content.resize(wanted);
        std::copy(host + same, host + wanted, table.content.begin() + static_cast<std::ptrdiff_t>(same));
    }
    return reinterpret_cast<std::byte* const*>(table.memory.get());
}

void KvLists::send_rows(DeviceKv& kv) {
    const bool there = rows_.size() <= sent_.size() && std::equal(rows_.begin(), rows_.end(), sent_.begin(), equal);
    if (!there) {
        sent_.clear();
        if (rows_.size() > row_capacity_) {
            const std::size_t capacity = std::max(rows_.size(), 2 * row_capacity_);
            row_memory_ = stream_->allocate(capacity * sizeof(DeviceKvRow));
            row_capacity_ = capacity;
        }
        staging_.upload(rows_.data(), rows_.size() * sizeof(DeviceKvRow), row_memory_.get());
        sent_ = rows_;
    }
    kv.rows = reinterpret_cast<const DeviceKvRow*>(row_memory_.get());
}

void KvLists::forget_old_tables() {
    if (tables_.size() <= kTables) return;
    std::erase_if(tables_, [&](const auto& t) { return t.second.last_used + kOldCalls < calls_; });
}

}  // namespace mor::cuda
