// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/kit/heat_cell.hpp"

#include <algorithm>
#include <cmath>

#include "models/trace_model.hpp"
#include "views/kit/geometry.hpp"

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
            return decision.margin;
        case ColourBy::Depth:
            break;
    }
    return std::nan("");
}

void paintByDepth(HeatCell& cell, const HeatColours& colours, int recursion) {
    const auto at = static_cast<std::size_t>(recursion);
    cell.colour = colours.depth[at];
    cell.ground = colours.tint[at];
    cell.glyphColour = (cell.fill >= 0.5 ? colours.onDepth : colours.onTint)[at];
}

void paintByNumber(HeatCell& cell, const HeatColours& colours, double share) {
    const auto step = static_cast<std::size_t>(std::lround(share * HeatColours::kRampSteps));
    cell.colour = colours.ramp[step];
    cell.ground = colours.rampTint[step];
    cell.glyphColour = (cell.fill >= 0.5 ? colours.onRamp : colours.onRampTint)[step];
}

/// The glyph sits in the middle: on the fill when that reaches half way up.
void paintOffered(HeatCell& cell, const HeatColours& colours, const Colouring& colouring, const mor::Decision& decision,
                  int recursion) {
    const bool taken = decision.outcome == mor::Outcome::Take;
    if (taken && colouring.by == ColourBy::Depth) return paintByDepth(cell, colours, recursion);
    const double value = shownValue(decision, colouring.by);
    // A token that leaves has no gate, and its score is the fill; only its margin says more, with a minus sign.
    if ((taken || colouring.by == ColourBy::Margin) && std::isfinite(value))
        return paintByNumber(cell, colours, colouring.share(value));
    cell.ground = colours.frame->track;
    cell.colour = colours.refused;
    cell.glyphColour = colours.frame->caption;
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

double Colouring::share(double value) const {
    return most > least ? std::clamp((value - least) / (most - least), 0.0, 1.0) : 0.5;
}

void ColourScale::restart(ColourBy by) {
    seen_ = 0;
    lowest_ = highest_ = 0;
    colouring_ = by == ColourBy::Margin ? Colouring(by, 0, 0) : Colouring(by);
}

bool ColourScale::extend(const TraceModel& model) {
    if (colouring_.by == ColourBy::Depth) return false;
    for (; seen_ < model.tokenCount(); ++seen_)
        for (const auto& decision : model.token(seen_).recursions)
            if (const double value = shownValue(decision, colouring_.by); std::isfinite(value)) {
                lowest_ = std::min(lowest_, value);
                highest_ = std::max(highest_, value);
            }
    if (lowest_ >= colouring_.least && highest_ <= colouring_.most) return false;
    if (colouring_.by == ColourBy::Margin) highest_ = std::max(highest_, -lowest_), lowest_ = -highest_;
    const double step = niceStep(highest_ - std::min(lowest_, 0.0), 6);
    colouring_.least = lowest_ < 0 ? -niceCeiling(-lowest_, step) : 0;
    colouring_.most = std::max(colouring_.most, niceCeiling(highest_, step));
    return true;
}

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

HeatCell heatCell(const TraceModel& model, const HeatColours& colours, const Colouring& colouring, int token,
                  int recursion) {
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
    paintOffered(cell, colours, colouring, *decision, recursion);
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
