// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/routing/router_pair.hpp"

#include <cmath>
#include <utility>

#include "models/trace_model.hpp"
#include "views/kit/geometry.hpp"

namespace mor::ui {
namespace {

double sigmoid(double logit) { return 1 / (1 + std::exp(-logit)); }

}  // namespace

void RouterPair::update(const TraceModel& model) {
    two_ = model.isRouted() && model.header().config.mor.sampling == mor::ExpertSampling::AuxRouter && !choosesDepth(model);
    auxiliaryDecides_ = two_ && model.header().routing.head != mor::RoutingHead::Main;
    threshold_ = thresholdOf(model);
    agreements_.clear();
    offered_ = differing_ = 0;
    for (int r = 0; auxiliaryDecides_ && r < model.recursions(); ++r) {
        agreements_.push_back(routerAgreement(model, r));
        offered_ += agreements_.back().offered;
        differing_ += agreements_.back().differing;
    }
}

QString RouterPair::nameOfOther() const { return auxiliaryDecides_ ? TraceModel::tr("main") : TraceModel::tr("auxiliary"); }

QString RouterPair::scoreOfOther(const mor::Decision& decision, int recursion) const {
    const double logit = auxiliaryDecides_ ? decision.logit : decision.aux_logit;
    if (!two_ || !std::isfinite(logit)) return {};
    const double score = sigmoid(logit);
    // Only the auxiliary router was trained to stand on one side of a threshold.
    const bool differs = auxiliaryDecides_
                             ? agreements_[static_cast<std::size_t>(recursion)].differs(decision)
                             : threshold_ >= 0 && std::isfinite(decision.score) &&
                                   (score >= threshold_) != (static_cast<double>(decision.score) >= threshold_);
    return scoreText(score) + (differs ? QStringLiteral(" ≠") : QString());
}

std::vector<RoutingNote> routingNotes(const TraceModel& model, const HeatColours& colours, const RouterPair& routers,
                                      int token) {
    std::vector<RoutingNote> notes;
    for (int r = 0; token >= 0 && model.isRouted() && r < model.recursions(); ++r) {
        const auto decision = model.decision(token, r).value_or(mor::Decision{});
        const auto cell = heatCell(model, colours, ColourBy::Depth, token, r);
        RoutingNote note;
        note.recursion = r;
        note.taken = decision.outcome == mor::Outcome::Take;
        note.score = (glyphText(cell.glyph) + QLatin1Char(' ') + scoreText(decision.score)).trimmed();
        if (cell.tick >= 0 && cell.offered)
            note.rule = (note.taken ? QStringLiteral("≥ ") : QStringLiteral("< ")) + scoreText(cell.tick);
        note.gate = scoreText(decision.gate);
        note.margin = scoreText(decision.margin);
        note.other = routers.scoreOfOther(decision, r);
        notes.push_back(std::move(note));
    }
    return notes;
}

}  // namespace mor::ui
