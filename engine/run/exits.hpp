// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "model/parts.hpp"
#include "run/backend_buffer.hpp"
#include "run/kv_cache.hpp"
#include "run/layer.hpp"
#include "run/row_pool.hpp"
#include "run/sequence.hpp"

namespace mor {

/// What a token would say if it stopped after a recursion: the state after that recursion goes through the layers
/// behind the recursions, where it sees the real K/V of earlier tokens and its own instead of the token's real one,
/// then through norm and head. At the token's own depth this is what the model really said.
///
/// Nothing is stored: each exit writes its K/V into a private copy of the one block that holds its entry.
class ExitPass {
public:
    ExitPass(const ModelParts&, const Plan&, LayerRunner&);

    /// At the end of a recursion: copies the states with which the chunk's rows that took it would stop now (Row::exits).
    void keep(Chunk&, RowPool&);

    /// Of chunks that are done: replaces those states by what they are after the last layer; norm and head are the
    /// caller's.
    void finish(std::span<Chunk* const> done, RowPool&);

    void release_memory() {
        y_.release();
        blocks_.release();
    }

private:
    /// A row whose real K/V has been stored, and the row of the state pool that holds the state it stops with.
    struct Exit {
        const Sequence* sequence = nullptr;
        int position = 0;
        int state = 0;
    };

    std::vector<KvRow> private_rows(std::span<const Exit> exits, int slot);

    const ModelParts& model_;
    const Plan& plan_;
    LayerRunner& layers_;
    int tail_ = 0;  ///< first segment behind the recursions
    BackendBuffer y_, blocks_;
    std::vector<std::vector<std::byte*>> tables_;  ///< [exits] block tables with the private block put in
};

}  // namespace mor
