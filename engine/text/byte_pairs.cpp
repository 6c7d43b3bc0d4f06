// SPDX-License-Identifier: Apache-2.0
#include "text/byte_pairs.hpp"

#include <queue>

#include "text/byte_alphabet.hpp"

namespace mor {
namespace {

std::uint64_t pair_of(int left, int right) {
    return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
}

/// A token of the piece while it is being merged; neighbours are indices, -1 at the ends.
struct Symbol {
    int id, previous, next;
    bool gone = false;
};

/// A merge that was possible when it was queued.
struct Candidate {
    int rank, at, result;
    bool operator<(const Candidate& other) const {  // std::priority_queue yields the greatest
        return rank != other.rank ? rank > other.rank : at > other.at;
    }
};

std::vector<Symbol> chain_of(const std::vector<int>& ids) {
    std::vector<Symbol> symbols;
    const int n = static_cast<int>(ids.size());
    symbols.reserve(ids.size());
    for (int i = 0; i < n; ++i) symbols.push_back({ids[static_cast<std::size_t>(i)], i - 1, i + 1 < n ? i + 1 : -1});
    return symbols;
}

}  // namespace

BytePairs::BytePairs(const BpeModel& model) : unknown_(model.unknown), fuse_unknown_(model.fuse_unknown) {
    std::unordered_map<std::string_view, int> ids;
    for (std::size_t id = 0; id < model.tokens.size(); ++id) {
        const std::string& token = model.tokens[id];
        if (token.empty()) continue;
        ids.emplace(token, static_cast<int>(id));
        if (!model.ignore_merges) continue;
        if (auto bytes = bytes_of_token(token)) whole_.emplace(std::move(*bytes), static_cast<int>(id));
    }
    for (std::size_t byte = 0; byte < byte_ids_.size(); ++byte) {
        const auto it = ids.find(byte_alphabet()[byte]);
        byte_ids_[byte] = it == ids.end() ? -1 : it->second;
    }
    merges_.reserve(model.merges.size());
    for (std::size_t rank = 0; rank < model.merges.size(); ++rank) {
        const BpeMerge& m = model.merges[rank];
        merges_.insert_or_assign(pair_of(m.left, m.right), Merge{static_cast<int>(rank), m.result});
    }
}

const BytePairs::Merge* BytePairs::merge_of(int left, int right) const {
    const auto it = merges_.find(pair_of(left, right));
    return it == merges_.end() ? nullptr : &it->second;
}

std::vector<int> BytePairs::bytes_to_ids(std::string_view piece) const {
    std::vector<int> ids;
    ids.reserve(piece.size());
    bool after_unknown = false;
    for (const char byte : piece) {
        const int id = byte_ids_[static_cast<unsigned char>(byte)];
        if (id >= 0) ids.push_back(id);
        if (id < 0 && unknown_ && !(fuse_unknown_ && after_unknown)) ids.push_back(*unknown_);
        after_unknown = id < 0;
    }
    return ids;
}

void BytePairs::encode(std::string_view piece, std::vector<int>& ids) const {
    if (!whole_.empty()) {
        if (const auto it = whole_.find(std::string(piece)); it != whole_.end()) return ids.push_back(it->second);
    }
    auto symbols = chain_of(bytes_to_ids(piece));
    std::priority_queue<Candidate> queue;
    const auto consider = [&](int left) {
        if (left < 0 || symbols[left].next < 0) return;
        if (const Merge* m = merge_of(symbols[left].id, symbols[symbols[left].next].id))
            queue.push({m->rank, left, m->result});
    };
    for (int i = 0; i < static_cast<int>(symbols.size()); ++i) consider(i);
    while (!queue.empty()) {
        const Candidate top = queue.top();
        queue.pop();
        Symbol& left = symbols[top.at];
        if (left.gone || left.next < 0) continue;
        Symbol& right = symbols[left.next];
        const Merge* still = merge_of(left.id, right.id);
        if (!still || still->result != top.result) continue;  // a neighbour has changed since
        left.id = top.result;
        left.next = right.next;
        right.gone = true;
        if (right.next >= 0) symbols[right.next].previous = top.at;
        consider(left.previous);
        consider(top.at);
    }
    for (const Symbol& s : symbols)
        if (!s.gone) ids.push_back(s.id);
}

}  // namespace mor
