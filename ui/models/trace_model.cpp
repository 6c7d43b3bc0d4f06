// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/trace_model.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace mor::ui {
namespace {

/// Bounds what a damaged trace file may make the views draw.
constexpr int kMostRecursions = 64;

int clampedRecursions(const mor::TraceHeader& header) {
    return std::clamp(header.config.mor.num_recursion, 0, kMostRecursions);
}

}  // namespace

TraceModel::TraceModel(QObject* parent) : QAbstractTableModel(parent) {}

void TraceModel::reset(const mor::TraceHeader& header) {
    trace_ = {};
    trace_.header = header;
    recursions_ = clampedRecursions(header);
    partial_.clear();
    clearCounts();
}

void TraceModel::clearCounts() {
    depthCounts_.assign(static_cast<std::size_t>(recursions_) + 1, 0);
    tallies_.assign(static_cast<std::size_t>(recursions_), {});
    flops_ = flopsVanilla_ = flopsMost_ = 0;
    flopsUpTo_.clear();
    figures_ = {};
}

void TraceModel::begin(const mor::TraceHeader& header) {
    beginResetModel();
    reset(header);
    begun_ = true;
    endResetModel();
}

void TraceModel::clear() {
    beginResetModel();
    reset({});
    begun_ = false;
    endResetModel();
}

void TraceModel::load(mor::Trace trace) {
    beginResetModel();
    reset(trace.header);
    begun_ = true;
    trace_ = std::move(trace);
    for (const auto& record : trace_.tokens) count(record);
    for (const auto& pass : trace_.passes) note(pass);
    endResetModel();
}

void TraceModel::append(std::vector<mor::TokenRecord> tokens, std::vector<mor::PassRecord> passes) {
    if (tokens.empty() && passes.empty()) return;
    if (!tokens.empty()) insert(std::move(tokens));
    for (const auto& pass : passes) note(pass);
    trace_.passes.insert(trace_.passes.end(), std::make_move_iterator(passes.begin()),
                         std::make_move_iterator(passes.end()));
    emit extended();
}

void TraceModel::rewind(int tokens, int passes) {
    const int last = tokenCount() - 1;
    if (tokens <= last) {
        beginRemoveRows({}, tokens, last);
        trace_.tokens.resize(static_cast<std::size_t>(tokens));
        countAnew();
        endRemoveRows();
    }
    trace_.passes.resize(std::min(static_cast<std::size_t>(passes), trace_.passes.size()));
    partial_.clear();
    for (const auto& pass : trace_.passes) note(pass);
    emit rewound();
    emit extended();
}

void TraceModel::countAnew() {
    clearCounts();
    for (const auto& record : trace_.tokens) count(record);
}

void TraceModel::insert(std::vector<mor::TokenRecord> tokens) {
    const int first = tokenCount();
    beginInsertRows({}, first, first + static_cast<int>(tokens.size()) - 1);
    for (auto& record : tokens) {
        count(record);
        trace_.tokens.push_back(std::move(record));
    }
    partial_.erase(partial_.begin(), partial_.lower_bound(tokenCount()));
    endInsertRows();
}

void TraceModel::count(const mor::TokenRecord& record) {
    ++depthCounts_[static_cast<std::size_t>(std::clamp(record.depth, 0, recursions_))];
    flops_ += record.flops;
    flopsVanilla_ += record.flops_vanilla;
    flopsMost_ = std::max({flopsMost_, record.flops, record.flops_vanilla});
    flopsUpTo_.push_back((flopsUpTo_.empty() ? 0 : flopsUpTo_.back()) + static_cast<double>(record.flops));
    figures_.add(record);
    countDecisions(record);
}

/// Under sharing only the first recursion has keys and values of its own.
bool TraceModel::stores(const mor::Decision& decision, int recursion) const {
    const bool shared = header().kv_policy == mor::KvPolicy::RecursiveSharing;
    if (shared && recursion > 0) return false;
    return decision.outcome == mor::Outcome::Take || decision.outcome == mor::Outcome::KvOnly;
}

void TraceModel::countDecisions(const mor::TokenRecord& record) {
    for (int r = 0; r < recursions_; ++r) {
        auto& tally = tallies_[static_cast<std::size_t>(r)];
        if (record.recursions.empty()) {  // unrouted: everything that enters goes on
            if (r < record.depth) ++tally.offered, ++tally.taken, tally.stored += stores({mor::Outcome::Take}, r);
            continue;
        }
        if (r >= static_cast<int>(record.recursions.size())) continue;
        const auto& decision = record.recursions[static_cast<std::size_t>(r)];
        if (decision.outcome != mor::Outcome::NotOffered) ++tally.offered;
        if (decision.outcome == mor::Outcome::Take) ++tally.taken;
        tally.stored += stores(decision, r);
        tally.left = tally.offered - tally.taken;
        if (std::isfinite(decision.score)) {
            const int bin = static_cast<int>(std::clamp(decision.score, 0.0f, 1.0f) * RecursionTally::kBins);
            ++tally.histogram[static_cast<std::size_t>(std::min(bin, RecursionTally::kBins - 1))];
        }
    }
}

void TraceModel::note(const mor::PassRecord& pass) {
    for (const auto& row : pass.rows) {
        if (row.position < tokenCount()) continue;
        // A live token is at most one context ahead; anything else is damage in a file.
        if (row.position - tokenCount() > std::max(1, header().config.llama.max_position_embeddings)) continue;
        auto& partial = partial_[row.position];
        partial.recursions.resize(static_cast<std::size_t>(recursions_));
        if (row.recursion < 0 || row.recursion >= recursions_) continue;
        auto decision = row.decision;
        if (!isRouted()) decision.outcome = mor::Outcome::Take;
        partial.recursions[static_cast<std::size_t>(row.recursion)] = decision;
    }
}

double TraceModel::flopsBefore(int index) const { return index > 0 ? flopsUpTo_[static_cast<std::size_t>(index) - 1] : 0; }

int TraceModel::extent() const {
    return partial_.empty() ? tokenCount() : std::max(tokenCount(), partial_.rbegin()->first + 1);
}

bool TraceModel::isRouted() const { return recursions_ > 0 && header().config.mor.routing != mor::Routing::None; }

const PartialToken* TraceModel::partial(int index) const {
    const auto found = partial_.find(index);
    return found == partial_.end() ? nullptr : &found->second;
}

std::optional<mor::Decision> TraceModel::decision(int index, int recursion) const {
    if (index < 0 || recursion < 0 || recursion >= recursions_) return {};
    if (index >= tokenCount()) {
        const auto* waiting = partial(index);
        return waiting ? waiting->recursions[static_cast<std::size_t>(recursion)] : std::nullopt;
    }
    const auto& record = token(index);
    if (recursion < static_cast<int>(record.recursions.size()))
        return record.recursions[static_cast<std::size_t>(recursion)];
    mor::Decision assumed;
    if (record.recursions.empty() && recursion < record.depth) assumed.outcome = mor::Outcome::Take;
    return assumed;
}

QString TraceModel::label(int index) const {
    if (index < 0 || index >= tokenCount()) return QStringLiteral("…");
    return QString::fromStdString(token(index).label);
}

}  // namespace mor::ui
