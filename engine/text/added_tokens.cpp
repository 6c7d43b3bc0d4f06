// SPDX-License-Identifier: Apache-2.0
#include "text/added_tokens.hpp"

#include <algorithm>
#include <utility>

#include "text/unicode_classes.hpp"

namespace mor {
namespace {

std::uint64_t edge(std::uint32_t node, char byte) { return std::uint64_t{node} << 8 | static_cast<unsigned char>(byte); }

}  // namespace

AddedTokenFinder::AddedTokenFinder(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)), ends_{-1} {
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
        std::uint32_t node = 0;
        for (const char byte : tokens_[i].content) {
            const auto [it, created] = edges_.emplace(edge(node, byte), static_cast<std::uint32_t>(ends_.size()));
            if (created) ends_.push_back(-1);
            node = it->second;
        }
        ends_[node] = static_cast<int>(i);
    }
}

const AddedToken* AddedTokenFinder::longest_at(std::string_view text) const {
    std::uint32_t node = 0;
    int best = -1;
    for (const char byte : text) {
        const auto it = edges_.find(edge(node, byte));
        if (it == edges_.end()) break;
        node = it->second;
        if (ends_[node] >= 0) best = ends_[node];
    }
    return best >= 0 ? &tokens_[static_cast<std::size_t>(best)] : nullptr;
}

void AddedTokenFinder::split(std::string_view text, const std::function<void(const AddedToken&)>& found,
                             const std::function<void(std::string_view)>& between) const {
    std::size_t done = 0;
    for (std::size_t at = 0; at < text.size();) {
        const AddedToken* token = longest_at(text.substr(at));
        if (!token) {
            ++at;
            continue;
        }
        const std::size_t match_end = at + token->content.size();
        std::size_t begin = at, end = match_end;
        if (token->lstrip) begin -= trailing_white_space(text.substr(done, at - done));
        if (token->rstrip) end += leading_white_space(text.substr(end));
        if (begin > done) between(text.substr(done, begin - done));
        found(*token);
        done = end;
        at = end;
    }
    if (done < text.size()) between(text.substr(done));
}

}  // namespace mor
