// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/kv_slots.hpp"

#include "models/trace_model.hpp"

namespace mor::ui {
namespace {

bool shares(const TraceModel& model) { return model.header().kv_policy == mor::KvPolicy::RecursiveSharing; }

}  // namespace

KvSlot kvSlot(const TraceModel& model, int token, int recursion) {
    const auto decision = model.decision(token, recursion);
    if (!decision) return KvSlot::Absent;
    const bool taken = decision->outcome == mor::Outcome::Take;
    if (shares(model) && recursion > 0) return taken ? KvSlot::Shared : KvSlot::Absent;
    return taken || decision->outcome == mor::Outcome::KvOnly ? KvSlot::Stored : KvSlot::Absent;
}

std::vector<KvHeld> kvHeld(const TraceModel& model, int token) {
    std::vector<KvHeld> held(static_cast<std::size_t>(model.recursions()) + 1);
    if (token < 0 || token >= model.tokenCount()) return held;
    const auto& kv = model.token(token).kv;
    for (std::size_t i = 0; i < held.size(); ++i) {
        if (i < kv.used.size()) held[i].bytes = kv.used[i];
        if (i < kv.reserved.size()) held[i].reserved = kv.reserved[i];
        if (i == 0) {
            held[i].entries = held[i].bytes > 0 ? token + 1 : 0;
            continue;
        }
        if (token == model.tokenCount() - 1) {  // counted already
            held[i].entries = model.tallies()[i - 1].stored;
            continue;
        }
        for (int other = 0; other <= token; ++other)
            held[i].entries += kvSlot(model, other, static_cast<int>(i) - 1) == KvSlot::Stored;
    }
    return held;
}

int kvVisible(const TraceModel& model, int token, int recursion) {
    if (token < 0 || token >= model.tokenCount() || kvSlot(model, token, recursion) == KvSlot::Absent) return 0;
    const auto decision = model.decision(token, recursion);
    if (decision->outcome != mor::Outcome::Take) return 0;
    const int read = shares(model) ? 0 : recursion;
    int visible = 0;
    for (int other = 0; other <= token; ++other) visible += kvSlot(model, other, read) == KvSlot::Stored;
    return visible;
}

}  // namespace mor::ui
