// SPDX-License-Identifier: Apache-2.0
#include "run/head_reader.hpp"

#include <algorithm>

namespace mor {
namespace {

/// Whether all rows are kept, in rows of the pool that follow each other: then the head may write there.
bool kept_side_by_side(std::span<const HeadRow> rows) {
    if (rows.front().keep < 0) return false;
    for (std::size_t i = 1; i < rows.size(); ++i)
        if (rows[i].keep != rows[i - 1].keep + 1) return false;
    return true;
}

}  // namespace

std::vector<HeadAnswer> HeadReader::read(std::span<const HeadRow> rows) {
    std::vector<HeadAnswer> answers;
    answers.reserve(rows.size());
    for (std::size_t begin = 0; begin < rows.size(); begin += kMostRows)
        read_some(rows.subspan(begin, std::min<std::size_t>(kMostRows, rows.size() - begin)), answers);
    return answers;
}

void HeadReader::read_some(std::span<const HeadRow> rows, std::vector<HeadAnswer>& answers) {
    const int n = static_cast<int>(rows.size()), vocab = kept_.width();
    const auto width = static_cast<std::size_t>(vocab);
    std::vector<int> states, wanted, from, to;
    int best = 0;
    bool known = false, whole = false;
    for (const HeadRow& r : rows) {
        if (r.keep >= 0) {
            from.push_back(static_cast<int>(states.size()));
            to.push_back(r.keep);
        }
        states.push_back(r.state);
        wanted.push_back(r.wanted);
        best = std::max(best, r.best);
        known = known || r.wanted >= 0;
        whole = whole || r.whole;
    }
    const bool in_place = kept_side_by_side(rows);
    const bool some_kept = !to.empty() && to.size() < rows.size();
    float* logits =
        in_place ? kept_.data() + to.front() * width : logits_.room((rows.size() + (some_kept ? to.size() : 0)) * width);
    forward_.head(states, logits);
    if (!in_place && !to.empty()) {
        float* const those = some_kept ? logits + rows.size() * width : logits;
        if (some_kept) model_.backend->gather(logits, from, vocab, those);
        model_.backend->combine(those, to, {}, vocab, kept_.data());
    }
    auto picks = model_.backend->pick(logits, n, vocab, best, known ? wanted : std::vector<int>{});
    std::vector<float> host(whole ? rows.size() * width : 0);
    if (whole) model_.backend->download(logits, host.size(), host.data());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        answers.push_back({std::move(picks[i]), {}});
        if (rows[i].whole) answers.back().logits.assign(host.begin() + i * width, host.begin() + (i + 1) * width);
    }
}

}  // namespace mor
