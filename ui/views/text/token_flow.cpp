// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/text/token_flow.hpp"

#include <QPainter>
#include <algorithm>

#include "models/trace_model.hpp"
#include "views/kit/text_lines.hpp"
#include "views/kit/token_name.hpp"

namespace mor::ui {
namespace {

constexpr double kPadding = 6;  // left and right of a token's text
constexpr double kHair = 1;     // between the parts of a word
constexpr double kLine = 46;    // a line of tokens with their digits
constexpr double kPlain = 36;   // without digits

}  // namespace

TokenFlow::TokenFlow(const TraceModel& model) : model_(model) {}

void TokenFlow::setTheme(const Theme& theme) {
    theme_ = theme;
    const auto& frame = theme_.frame();
    looks_.clear();
    for (int depth = 0; depth <= model_.recursions(); ++depth) {
        Look look{theme_.depth(depth, model_.recursions()), {}, {}};
        if (depth == 0 || contrast(look.ground, frame.panel) < 1.6) look.outline = frame.paleLine;
        look.ink = depth == 0 ? frame.text : textOn(look.ground);
        looks_.push_back(look);
    }
}

void TokenFlow::reset(double width) {
    layout_.reset({.width = width,
                   .wordGap = theme_.px(6),
                   .lineHeight = theme_.px(model_.recursions() > 0 ? kLine : kPlain),
                   .boxHeight = theme_.px(28)});
    extend();
}

void TokenFlow::extend() {
    for (int token = layout_.count(); token < model_.tokenCount(); ++token) layout_.add(itemFor(token));
}

FlowItem TokenFlow::itemFor(int token) const {
    const auto text = QString::fromStdString(model_.token(token).text);
    const double width = textWidth(theme_.token(), flowText(model_, token)) + theme_.px(2 * kPadding + kHair);
    // Control tokens (without text of their own) stand apart like words.
    const bool word = token == 0 || text.isEmpty() || text.front().isSpace();
    return {std::min(width, pageWidth()), word, text.contains(QLatin1Char('\n'))};
}

TokenFlow::Box TokenFlow::box(int token) const {
    const auto& record = model_.token(token);
    Box box;
    box.area = area(token).adjusted(0, 0, -theme_.px(kHair), 0);
    box.text = flowText(model_, token);
    box.prompt = record.prompt;
    if (model_.recursions() > 0) box.depth = QString::number(record.depth);
    const auto& look = looks_.at(static_cast<std::size_t>(std::clamp(record.depth, 0, model_.recursions())));
    box.ground = look.ground;
    box.outline = look.outline;
    box.ink = look.ink;
    return box;
}

std::pair<int, int> TokenFlow::draw(QPainter& painter, double top, double bottom) const {
    painter.setRenderHint(QPainter::Antialiasing);
    const int first = layout_.firstBelow(top);
    int end = first;
    for (; end < count() && area(end).top() < bottom; ++end) drawBox(painter, box(end));
    return {first, end};
}

void TokenFlow::drawBox(QPainter& painter, const Box& box) const {
    painter.setPen(box.outline.isValid() ? QPen(box.outline, 1) : QPen(Qt::NoPen));
    painter.setBrush(box.ground);
    const double inset = box.outline.isValid() ? 0.5 : 0;
    painter.drawRoundedRect(box.area.adjusted(inset, inset, -inset, -inset), theme_.px(4), theme_.px(4));
    painter.setFont(theme_.token());
    painter.setPen(box.ink);
    drawLine(painter, box.area.adjusted(theme_.px(kPadding), 0, -theme_.px(kPadding) + 1, 0), Qt::AlignCenter, box.text);
    if (box.prompt) {
        const double y = box.area.bottom() + theme_.px(2);
        painter.fillRect(QRectF(box.area.left() + theme_.px(1), y, box.area.width() - theme_.px(2), theme_.px(1.5)),
                         theme_.frame().caption);
    }
    painter.setFont(theme_.caption());
    painter.setPen(theme_.frame().caption);
    const QRectF digit(box.area.center().x() - theme_.px(12), box.area.bottom() + theme_.px(3), theme_.px(24),
                       theme_.px(14));
    drawLine(painter, digit, Qt::AlignCenter, box.depth);
}

void TokenFlow::drawMark(QPainter& painter, int token, bool dashed) const {
    QPen pen(theme_.frame().selection, theme_.px(2.5));
    if (dashed) pen.setStyle(Qt::DashLine);
    painter.setPen(pen);
    painter.setBrush(Qt::NoBrush);
    painter.drawRoundedRect(area(token).adjusted(0, 0, -theme_.px(kHair), 0), theme_.px(4), theme_.px(4));
}

}  // namespace mor::ui
