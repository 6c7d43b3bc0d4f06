// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QColor>
#include <array>
#include <vector>

#include "views/kit/theme.hpp"

namespace mor::ui {

class TraceModel;

/// What a taken cell's colour says. Anything but the depth uses one neutral ramp, so that colour keeps its meaning.
enum class ColourBy { Depth, Score, Gate, Margin };

/// And the scale it is read on: the ends of the ramp, from the numbers of the run.
struct Colouring {
    ColourBy by = ColourBy::Depth;
    double least = 0;
    double most = 1;

    Colouring() = default;
    Colouring(ColourBy what) : by(what) {}  // NOLINT(google-explicit-constructor): a colouring on the scale from 0 to 1
    Colouring(ColourBy what, double from, double to) : by(what), least(from), most(to) {}
    double share(double value) const;  ///< 0..1 along the ramp
    bool operator==(const Colouring&) const = default;
};

/// Finds that scale while tokens come in: 0 to 1 as long as that holds all scores or gates; for margins, which have a sign,
/// as far to both sides of 0. Ends are round numbers and only move outwards, so that colours seldom change.
class ColourScale {
public:
    void restart(ColourBy);
    bool extend(const TraceModel&);  ///< to all finished tokens; true: the colouring changed
    const Colouring& colouring() const { return colouring_; }

private:
    Colouring colouring_;
    int seen_ = 0;  ///< tokens
    double lowest_ = 0;
    double highest_ = 0;
};

enum class CellGlyph {
    None,
    Continue,  ///< ●
    Leave,     ///< ○
    KvOnly,    ///< ◐ leaves, but its K/V are stored
    Chosen     ///< ◆ the depth a token chose (token choice)
};

/// One cell of the heatmap as it is drawn.
struct HeatCell {
    bool known = false;  ///< a router has spoken, or the token is finished
    bool offered = false;
    double fill = 0;   ///< height of the coloured part, 0..1: the score; 1 where there is none but the cell is taken
    double tick = -1;  ///< height of the threshold tick, 0..1; negative: none
    QColor colour;     ///< of the filled part
    QColor ground;     ///< of the rest
    CellGlyph glyph = CellGlyph::None;
    QColor glyphColour;
};

/// All colours cells can have, mixed once per theme and model.
struct HeatColours {
    static constexpr int kRampSteps = 32;
    HeatColours() = default;
    HeatColours(const Theme&, int recursions);

    const Frame* frame = nullptr;
    std::vector<QColor> depth;                ///< [R] of recursion r, depth r + 1
    std::vector<QColor> tint;                 ///< [R] the part of a taken cell above its score
    std::array<QColor, kRampSteps + 1> ramp;  ///< the neutral ramp behind ColourBy
    std::array<QColor, kRampSteps + 1> rampTint;
    QColor refused;  ///< score of a cell that was offered but not taken

    /// Black or white on a taken cell's colours, in the order of `depth` and `tint`, or of `ramp` and `rampTint`.
    std::vector<QColor> onDepth, onTint;
    std::array<QColor, kRampSteps + 1> onRamp, onRampTint;
};

/// The cell of a token at a recursion. The painter and the tests read the same function.
HeatCell heatCell(const TraceModel&, const HeatColours&, const Colouring&, int token, int recursion);

/// "●", "○", "◐", "◆" or nothing.
QString glyphText(CellGlyph);

/// "score", "gate" or "margin": what the neutral ramp stands for.
QString rampName(ColourBy);

/// Token choice scores every depth at once and compares them with each other, not with a threshold.
bool choosesDepth(const TraceModel&);

/// The probability the score is compared with; negative where no threshold decides.
double thresholdOf(const TraceModel&);

}  // namespace mor::ui
