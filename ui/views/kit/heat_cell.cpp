// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/kit/heat_cell.hpp"

#include <algorithm>
#include <cmath>

#include "models/trace_model.hpp"

namespace mor::ui {
namespace {

/// How much of the row's depth colour shows in the part of a taken cell above the score, so that a taken cell is
/// recognised even when its score is low.
constexpr double kTint = 0.22;

/// The fill of a cell that was offered but not taken: grey, since it is no depth.
constexpr double kRefused = 0.55;

/// Under token choice the deepest recursion taken is the one that was chosen. Partial tokens: once it is finished.
bool isChosen(const TraceModel& model, int token, int recursion) {
    return choosesDepth(model) && token < model.tokenCount() && model.token(token).depth == recursion + 1;
}

double shownValue(const mor::Decision& decision, ColourBy by) {
    switch (by) {
        case ColourBy::Score:
            return decision.score;
        case ColourBy::Gate:
            return decision.gate;
        case ColourBy::Margin:
            return std::abs(decision.margin);
        case ColourBy::Depth:
            break;
    }
    return 0;
}

void paintTaken(HeatCell& cell, const HeatColours& colours, ColourBy by, const mor::Decision& decision, int recursion) {
    const bool onFill = cell.fill >= 0.5;  // the glyph sits in the middle: on the fill when that reaches half way up
    if (by == ColourBy::Depth) {
        cell.colour = colours.depth[static_cast<std::size_t>(recursion)];
        cell.ground = colours.tint[static_cast<std::size_t>(recursion)];
        cell.glyphColour = (onFill ? colours.onDepth : colours.onTint)[static_cast<std::size_t>(recursion)];
        return;
    }
    const double value = shownValue(decision, by);
    const double known = std::isnan(value) ? 0.0 : std::clamp(value, 0.0, 1.0);
    const auto step = static_cast<std::size_t>(std::lround(known * HeatColours::kRampSteps));
    cell.colour = colours.ramp[step];
    cell.ground = colours.rampTint[step];
    cell.glyphColour = (onFill ? colours.onRamp : colours.onRampTint)[step];
}

CellGlyph glyphOf(const TraceModel& model, const mor::Decision& decision, int token, int recursion) {
    if (isChosen(model, token, recursion)) return CellGlyph::Chosen;
    switch (decision.outcome) {
        case mor::Outcome::Take:
            return CellGlyph::Continue;
        case mor::Outcome::Leave:
            return CellGlyph::Leave;
        case mor::Outcome::KvOnly:
            return CellGlyph::KvOnly;
        case mor::Outcome::NotOffered:
            break;
    }
    return CellGlyph::None;
}

}  // namespace

HeatColours::HeatColours(const Theme& theme, int recursions) : frame(&theme.frame()) {
    for (int r = 0; r < recursions; ++r) {
        depth.push_back(theme.depth(r + 1, recursions));
        tint.push_back(blend(frame->panel, depth.back(), kTint));
        onDepth.push_back(textOn(depth.back()));
        onTint.push_back(textOn(tint.back()));
    }
    for (std::size_t i = 0; i < ramp.size(); ++i) {
        ramp[i] = blend(frame->track, frame->text, 0.08 + 0.8 * static_cast<double>(i) / kRampSteps);
        rampTint[i] = blend(frame->panel, ramp[i], kTint);
        onRamp[i] = textOn(ramp[i]);
        onRampTint[i] = textOn(rampTint[i]);
    }
    refused = blend(frame->track, frame->neutral, kRefused);
}

bool choosesDepth(const TraceModel& model) {
    return model.isRouted() && model.header().config.mor.routing == mor::Routing::TokenChoice;
}

double thresholdOf(const TraceModel& model) {
    const bool decides =
        model.isRouted() && !choosesDepth(model) && model.header().routing.rule == mor::SelectionRule::Threshold;
    return decides ? std::clamp(model.header().routing.threshold, 0.0, 1.0) : -1.0;
}

HeatCell heatCell(const TraceModel& model, const HeatColours& colours, ColourBy by, int token, int recursion) {
    HeatCell cell;
    cell.ground = cell.colour = colours.frame->blank;
    if (model.recursions() == 0 && token < model.tokenCount()) {  // one way for all, which is no depth
        cell.known = cell.offered = true;
        cell.fill = 1;
        cell.ground = cell.colour = colours.frame->neutral;
        return cell;
    }
    const auto decision = model.decision(token, recursion);
    if (!decision) return cell;
    cell.known = true;
    const bool scored = std::isfinite(decision->score);
    const bool taken = decision->outcome == mor::Outcome::Take;
    cell.offered = decision->outcome != mor::Outcome::NotOffered;
    if (!cell.offered && !(scored && choosesDepth(model))) return cell;
    cell.fill = scored ? std::clamp(static_cast<double>(decision->score), 0.0, 1.0) : (taken ? 1.0 : 0.0);
    cell.tick = thresholdOf(model);
    if (taken) {
        paintTaken(cell, colours, by, *decision, recursion);
    } else {
        cell.ground = colours.frame->track;
        cell.colour = colours.refused;
        cell.glyphColour = colours.frame->caption;
    }
    cell.glyph = glyphOf(model, *decision, token, recursion);
    return cell;
}

QString rampName(ColourBy by) {
    switch (by) {
        case ColourBy::Score:
            return TraceModel::tr("score");
        case ColourBy::Gate:
            return TraceModel::tr("gate");
        case ColourBy::Margin:
            return TraceModel::tr("margin");
        case ColourBy::Depth:
            break;
    }
    return TraceModel::tr("depth");
}

QString glyphText(CellGlyph glyph) {
    switch (glyph) {
        case CellGlyph::Continue:
            return QStringLiteral("●");
        case CellGlyph::Leave:
            return QStringLiteral("○");
        case CellGlyph::KvOnly:
            return QStringLiteral("◐");
        case CellGlyph::Chosen:
            return QStringLiteral("◆");
        case CellGlyph::None:
            break;
    }
    return {};
}

}  // namespace mor::ui
