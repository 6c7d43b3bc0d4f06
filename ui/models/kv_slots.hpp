// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <vector>

/// Which tokens have keys and values in which recursion, read off the recorded outcomes and the caching policy.
namespace mor::ui {

class TraceModel;

enum class KvSlot {
    Absent,  ///< no entry: attention in this recursion does not see the token
    Stored,  ///< an entry of its own
    Shared,  ///< taken, but it reads and adds nothing: recursion 1's entries serve all recursions
};

/// Recursion-wise caching stores in every recursion what is computed there; recursive sharing stores in the first only.
/// A token that is not finished is absent where nothing is known yet.
KvSlot kvSlot(const TraceModel&, int token, int recursion);

/// How much is there after `token`, in the order of KvUse: index 0 are the layers outside the recursions.
struct KvHeld {
    int entries = 0;            ///< tokens with an entry of their own, up to and including this one
    std::int64_t bytes = 0;     ///< used, as the engine's allocator counted them
    std::int64_t reserved = 0;  ///< in whole blocks, as the engine's allocator counted them
};
std::vector<KvHeld> kvHeld(const TraceModel&, int token);

/// Entries that attention of this token saw in a recursion it took; 0 where it was not taken.
int kvVisible(const TraceModel&, int token, int recursion);

}  // namespace mor::ui
