// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/text/token_facts.hpp"

#include <QCoreApplication>
#include <QLocale>
#include <cmath>

#include "models/trace_model.hpp"
#include "views/kit/geometry.hpp"
#include "views/kit/token_name.hpp"

namespace mor::ui {
namespace {

constexpr int kMostAlternatives = 5;
constexpr int kMostExitWords = 3;

QString tr(const char* text) { return QCoreApplication::translate("mor::ui::TokenDetailView", text); }

bool exists(const TraceModel& model, int token) { return token >= 0 && token < model.tokenCount(); }

QString outcomeOf(const TraceModel& model, int token, const HeatCell& cell, const mor::Decision& decision, int recursion) {
    if (cell.glyph == CellGlyph::Chosen) return tr("◆ chosen");
    if (decision.outcome == mor::Outcome::NotOffered)
        return choosesDepth(model) || token >= model.tokenCount() ? QString() : tr("not offered");
    if (decision.outcome == mor::Outcome::Take && recursion + 1 == model.recursions()) return tr("● taken");
    return glyphText(cell.glyph) + QLatin1Char(' ') + outcomeText(decision.outcome);
}

QStringList wordsOf(const std::vector<mor::Alternative>& words, int most) {
    QStringList texts;
    for (const auto& word : words) {
        if (texts.size() == most) break;
        texts += quoted(QString::fromStdString(word.label)) + QLatin1Char(' ') +
                 QLocale().toString(std::exp(word.logprob), 'f', 2);
    }
    return texts;
}

}  // namespace

std::vector<RoutedRow> routedRows(const TraceModel& model, const HeatColours& colours, int token) {
    std::vector<RoutedRow> rows;
    for (int r = 0; model.isRouted() && r < model.recursions(); ++r) {
        const auto decision = model.decision(token, r).value_or(mor::Decision{});
        const auto cell = heatCell(model, colours, ColourBy::Depth, token, r);
        RoutedRow row;
        row.recursion = r;
        row.offered = cell.offered;
        row.share = cell.fill;
        row.tick = cell.tick;
        row.colour = cell.colour;
        row.value = decision.score;
        row.score = scoreText(decision.score);
        row.gate = scoreText(decision.gate);
        row.margin = scoreText(decision.margin);
        row.outcome = outcomeOf(model, token, cell, decision, r);
        rows.push_back(std::move(row));
    }
    return rows;
}

QStringList alternativesOf(const TraceModel& model, int token) {
    return exists(model, token) ? wordsOf(model.token(token).top, kMostAlternatives) : QStringList();
}

std::vector<ExitWords> exitsOf(const TraceModel& model, int token) {
    std::vector<ExitWords> exits;
    if (!exists(model, token)) return exits;
    for (const auto& exit : model.token(token).exits) exits.push_back({exit.recursion, wordsOf(exit.top, kMostExitWords)});
    return exits;
}

QStringList numbersOf(const TraceModel& model, int token) {
    const auto& record = model.token(token);
    QStringList parts;
    if (record.prompt) parts += tr("prompt");
    if (!std::isnan(record.logprob)) parts += tr("probability %1").arg(scoreText(std::exp(record.logprob)));
    if (record.flops > 0)
        parts += tr("%1FLOP, vanilla %2 computed")
                     .arg(siText(static_cast<double>(record.flops)), siText(static_cast<double>(record.flops_vanilla)));
    return parts;
}

QStringList differenceOf(const TraceModel& model, int token, int other) {
    const auto &here = model.token(token), &there = model.token(other);
    QStringList parts;
    if (model.recursions() > 0) parts += tr("depth %1 against %2").arg(here.depth).arg(there.depth);
    if (!std::isnan(here.logprob) && !std::isnan(there.logprob))
        parts += tr("probability %1 against %2").arg(scoreText(std::exp(here.logprob)), scoreText(std::exp(there.logprob)));
    if (here.flops > 0 && there.flops > 0)
        parts +=
            tr("%1FLOP against %2").arg(siText(static_cast<double>(here.flops)), siText(static_cast<double>(there.flops)));
    return parts;
}

}  // namespace mor::ui
