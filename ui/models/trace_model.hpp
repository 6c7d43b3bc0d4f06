// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QAbstractTableModel>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "models/figures.hpp"
#include "mor/record.hpp"
#include "mor/trace.hpp"

namespace mor::ui {

/// A token that is still on its way through the model: what passes have told about it so far.
struct PartialToken {
    std::vector<std::optional<mor::Decision>> recursions;  ///< [R]; empty where no router has spoken yet
};

/// How one recursion has treated the finished tokens.
struct RecursionTally {
    static constexpr int kBins = 20;
    int offered = 0;
    int taken = 0;
    int left = 0;                        ///< offered - taken, those that only stored K/V included
    int stored = 0;                      ///< tokens with keys and values of their own here
    std::array<int, kBins> histogram{};  ///< of the scores, bin b: [b / kBins, (b + 1) / kBins)
};

/// A run as a table: one row a token. It is the single source of everything on screen, and the table twin of every
/// picture for screen readers and copying.
///
/// Tokens arrive in batches (one insert each); passes of unfinished tokens become partial columns. GUI thread only.
class TraceModel : public QAbstractTableModel {
    Q_OBJECT

public:
    /// Columns before the ones of the recursions, and those after them.
    enum LeadingColumn { Position, Token, Depth, LeadingColumns };
    enum RecursionColumn { OutcomeColumn, ScoreColumn, GateColumn, RecursionColumns };
    enum TrailingColumn { KvUsed, Flops, LogProbability, TrailingColumns };
    static constexpr int RawRole = Qt::UserRole + 1;  ///< the number behind the text, for sorting and copying

    explicit TraceModel(QObject* parent = nullptr);

    void begin(const mor::TraceHeader&);
    void append(std::vector<mor::TokenRecord>, std::vector<mor::PassRecord>);
    void load(mor::Trace);
    /// Back to the first `tokens` tokens and the first `passes` passes.
    void rewind(int tokens, int passes);
    void clear();

    bool isEmpty() const { return trace_.tokens.empty() && partial_.empty(); }
    int tokenCount() const { return static_cast<int>(trace_.tokens.size()); }
    int extent() const;  ///< finished tokens and the partial ones after them
    const mor::TokenRecord& token(int index) const { return trace_.tokens[static_cast<std::size_t>(index)]; }
    const mor::TraceHeader& header() const { return trace_.header; }
    const mor::Trace& trace() const { return trace_; }
    int recursions() const { return recursions_; }
    bool hasRun() const { return begun_; }  ///< a header is there, so an empty table means "nothing computed yet"
    bool isRouted() const;                  ///< a router decides; otherwise every token takes every recursion

    /// What is known about a token, finished or partial, at a recursion. Unrouted models: taken, without numbers.
    std::optional<mor::Decision> decision(int index, int recursion) const;
    const PartialToken* partial(int index) const;
    QString label(int index) const;  ///< readable name; "…" for a token that is not known yet

    const std::vector<int>& depthCounts() const { return depthCounts_; }     ///< [R + 1]
    const std::vector<RecursionTally>& tallies() const { return tallies_; }  ///< [R]
    std::int64_t flops() const { return flops_; }
    std::int64_t flopsVanilla() const { return flopsVanilla_; }
    std::int64_t flopsMost() const { return flopsMost_; }    ///< of one token, its vanilla reference included
    double flopsBefore(int index) const;                     ///< spent on the tokens before `index`
    Figures figures() const { return figures_.of(trace_); }  ///< of what is shown

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex&, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation, int role = Qt::DisplayRole) const override;

signals:
    /// Tokens or partial columns were added; views that keep a layout extend it now.
    void extended();
    /// Tokens were taken away at the end; views that keep a layout make it anew. extended() follows.
    void rewound();

private:
    void reset(const mor::TraceHeader&);
    void insert(std::vector<mor::TokenRecord>);
    void count(const mor::TokenRecord&);
    void countDecisions(const mor::TokenRecord&);
    bool stores(const mor::Decision&, int recursion) const;
    void clearCounts();
    void countAnew();
    void note(const mor::PassRecord&);
    QVariant leading(const mor::TokenRecord&, int column, bool raw) const;
    QVariant ofRecursion(int row, int recursion, int column, bool raw) const;
    QVariant trailing(const mor::TokenRecord&, int column, bool raw) const;
    QVariant value(int row, int column, bool raw) const;

    mor::Trace trace_;
    bool begun_ = false;
    int recursions_ = 0;
    std::map<int, PartialToken> partial_;  ///< by position, all >= tokenCount()
    std::vector<int> depthCounts_;
    std::vector<RecursionTally> tallies_;
    std::int64_t flops_ = 0;
    std::int64_t flopsVanilla_ = 0;
    std::int64_t flopsMost_ = 0;
    std::vector<double> flopsUpTo_;  ///< [tokens] sums; exact below 2^53
    FigureSums figures_;
};

/// "continues", "leaves", "leaves (K/V stored)" or "not offered".
QString outcomeText(mor::Outcome);

}  // namespace mor::ui
