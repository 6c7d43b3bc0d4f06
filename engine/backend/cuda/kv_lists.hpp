// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "backend/backend.hpp"
#include "backend/cuda/operations.hpp"
#include "backend/cuda/transfer.hpp"

namespace mor::cuda {

/// The rows of attn_in and attention and their block tables, on the device. What is there already is not sent again:
/// the rows of a segment are the same in all its layers, and a table changes only where a block was added.
class KvLists {
public:
    KvLists(std::shared_ptr<DeviceStream>, StagingRing&);

    /// The rows on the device, valid for work enqueued before the next call.
    DeviceKv send(std::span<const KvRow>, int block_entries);

private:
    /// A block table as the device has it.
    struct Table {
        std::vector<std::byte*> content;
        std::shared_ptr<std::byte> memory;
        std::size_t capacity = 0;  ///< entries
        int wanted = 0;            ///< entries the current call reads
        std::uint64_t last_used = 0;
    };

    void count_entries(std::span<const KvRow>, int block_entries);
    std::byte* const* send_table(std::byte* const* host, Table&);
    void send_rows(DeviceKv&);
    void forget_old_tables();

    std::shared_ptr<DeviceStream> stream_;
    StagingRing& staging_;
    std::unordered_map<std::byte* const*, Table> tables_;  ///< by host address; content decides, so it may be reused
    std::uint64_t calls_ = 0;
    std::vector<DeviceKvRow> rows_, sent_;  ///< of this call; as the device has them
    std::vector<std::int64_t> offsets_;
    std::shared_ptr<std::byte> row_memory_;
    std::size_t row_capacity_ = 0;
};

}  // namespace mor::cuda
