// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/kv/kv_slot_view.hpp"

#include <QPainter>
#include <algorithm>
#include <cmath>

#include "views/kit/geometry.hpp"
#include "views/kit/painting.hpp"

namespace mor::ui {
namespace {

constexpr double kRowNames = 84, kRowTexts = 132, kKey = 24;
constexpr double kWidestColumn = 16, kTallestRow = 96;
constexpr double kCellColumn = 4;  // narrower columns become one image
constexpr double kUnseen = 0.25;   // what the chosen token could not see
constexpr double kSharedTint = 0.3;

ViewTraits traits() {
    return {KvSlotView::tr("KV cache slots"),
            KvSlotView::tr("Type a prompt and press Generate: every token's keys and values appear here."),
            {480, 220},
            {280, 120}};
}

}  // namespace

KvSlotView::KvSlotView(TraceModel* model, Selection* selection, QWidget* parent)
    : WholeView(model, selection, traits(), parent) {
    setTheme({});
}

void KvSlotView::rewind() {
    forgetImage();
    WholeView::rewind();
}

bool KvSlotView::hasOutside() const {
    if (model_->recursions() == 0) return true;
    if (model_->tokenCount() == 0) return false;
    const auto& used = model_->token(0).kv.used;
    return !used.empty() && used.front() > 0;
}

int KvSlotView::chosen() const {
    return selection_->hovered() >= 0 || selection_->pinned() >= 0 ? selection_->current() : -1;
}

KvSlotView::Layout KvSlotView::layOut(const QRectF& area) const {
    Layout layout;
    layout.rows = std::max(1, model_->recursions() + hasOutside());
    layout.cells = area.adjusted(theme_.px(kRowNames), theme_.px(4), -theme_.px(kRowTexts), -theme_.px(kKey));
    layout.row = std::min(layout.cells.height() / layout.rows, theme_.px(kTallestRow));
    layout.column = std::min(layout.cells.width() / std::max(1, model_->tokenCount()), theme_.px(kWidestColumn));
    layout.cells.setHeight(layout.row * layout.rows);
    return layout;
}

QRectF KvSlotView::cellIn(const Layout& layout, int token, int recursion) const {
    const int fromBottom = recursion + hasOutside();
    return {layout.cells.left() + token * layout.column, layout.cells.bottom() - (fromBottom + 1) * layout.row,
            layout.column, layout.row};
}

QRectF KvSlotView::cellRect(int token, int recursion) const { return cellIn(layOut(rect()), token, recursion); }

int KvSlotView::tokenAt(const QPointF& point) const {
    const auto layout = layOut(rect());
    if (!layout.cells.contains(point)) return -1;
    const int token = static_cast<int>((point.x() - layout.cells.left()) / layout.column);
    return token < model_->tokenCount() ? token : -1;
}

bool KvSlotView::isSeen(int token, int recursion) const {
    const int eye = chosen();
    if (eye < 0) return true;
    if (token > eye) return false;
    if (recursion < 0) return true;
    const auto decision = model_->decision(eye, recursion);
    return decision && decision->outcome == mor::Outcome::Take;
}

QColor KvSlotView::rowColour(int recursion) const {
    return recursion < 0 ? theme_.frame().neutral : theme_.depth(recursion + 1, model_->recursions());
}

QString KvSlotView::rowText(int recursion) const {
    const int eye = chosen(), token = eye >= 0 ? eye : model_->tokenCount() - 1;
    if (token < 0) return {};
    if (eye >= 0 && recursion >= 0) {
        const int visible = kvVisible(*model_, eye, recursion);
        return visible > 0 ? tr("token %1 saw %2").arg(eye).arg(countText(visible)) : tr("token %1 is not here").arg(eye);
    }
    const auto held = kvHeld(*model_, token)[static_cast<std::size_t>(recursion + 1)];
    return tr("%1 · %2").arg(countText(held.entries), bytesText(held.bytes));
}

void KvSlotView::draw(QPainter& painter, const QRectF& area) const {
    const auto layout = layOut(area);
    drawRows(painter, area, layout);
    if (layout.column < kCellColumn)
        painter.drawImage(
            QRectF(layout.cells.topLeft(), QSizeF(layout.column * model_->tokenCount(), layout.cells.height())),
            image()
                .copy(0, 0, model_->tokenCount(), layout.rows)
                .scaled(std::max(1, qRound(layout.column * model_->tokenCount())), layout.rows, Qt::IgnoreAspectRatio,
                        Qt::SmoothTransformation));
    else
        drawCells(painter, layout);
    drawMarks(painter, layout);
    drawKey(painter, {area.left(), layout.cells.bottom() + theme_.px(8), area.width(), theme_.px(16)});
}

void KvSlotView::drawRows(QPainter& painter, const QRectF& area, const Layout& layout) const {
    painter.setFont(theme_.caption());
    const double line = theme_.px(16);
    // Where rows are lower than the type, only some are named.
    const int stride = std::max(1, static_cast<int>(std::ceil(line / layout.row)));
    for (int r = -static_cast<int>(hasOutside()); r < model_->recursions(); ++r) {
        if ((r + hasOutside()) % stride != 0) continue;
        const double y = cellIn(layout, 0, r).center().y() - line / 2;
        painter.setPen(theme_.frame().caption);
        const auto name = r >= 0                     ? tr("recursion %1").arg(r + 1)
                          : model_->recursions() > 0 ? tr("outside")
                                                     : tr("all layers");
        drawLine(painter, {area.left(), y, theme_.px(kRowNames - 8), line}, Qt::AlignRight | Qt::AlignVCenter, name);
        painter.setPen(chosen() >= 0 ? theme_.frame().selection : theme_.frame().text);
        drawLine(painter, {layout.cells.right() + theme_.px(8), y, theme_.px(kRowTexts - 8), line},
                 Qt::AlignLeft | Qt::AlignVCenter, rowText(r));
    }
}

void KvSlotView::drawCells(QPainter& painter, const Layout& layout) const {
    const auto& frame = theme_.frame();
    for (int token = 0; token < model_->tokenCount(); ++token)
        for (int r = -static_cast<int>(hasOutside()); r < model_->recursions(); ++r) {
            const auto area = cellIn(layout, token, r).adjusted(0, 0, -1, -1);
            const auto slot = r < 0 ? KvSlot::Stored : kvSlot(*model_, token, r);
            const auto strength = isSeen(token, r) ? 1.0 : kUnseen;
            const auto colour = blend(frame.panel, rowColour(r), strength);
            painter.fillRect(area, slot == KvSlot::Stored   ? colour
                                   : slot == KvSlot::Shared ? blend(frame.panel, colour, kSharedTint)
                                                            : frame.blank);
            if (slot != KvSlot::Shared) continue;
            // Nothing of its own: an outline and a stroke down to where its keys and values are.
            painter.setPen(QPen(colour, 1));
            painter.drawRect(area.adjusted(0.5, 0.5, -0.5, -0.5));
            painter.drawLine(area.topRight(), area.bottomLeft());
        }
}

/// Tokens that are finished do not change, so only new ones are painted unless somebody looks with another token's eyes.
const QImage& KvSlotView::image() const {
    const int count = model_->tokenCount(), rows = std::max(1, model_->recursions() + hasOutside());
    if (image_.height() != rows || seenBy_ != chosen()) kept_ = 0;
    seenBy_ = chosen();
    if (image_.width() < count || image_.height() != rows) {  // doubling, so that a growing run is copied rarely
        const QImage larger = image_.height() == rows ? image_.copy(0, 0, 2 * count, rows) : QImage();
        image_ = larger.isNull() ? QImage(std::max(1, 2 * count), rows, QImage::Format_RGB32) : larger;
    }
    paintColumns(kept_, count);
    kept_ = count;
    return image_;
}

void KvSlotView::paintColumns(int from, int to) const {
    const auto& frame = theme_.frame();
    const int outside = hasOutside();
    for (int r = -outside; r < model_->recursions(); ++r) {
        const auto bright = rowColour(r), dim = blend(frame.panel, bright, kUnseen);
        const QRgb stored[]{dim.rgb(), bright.rgb()};
        const QRgb shared[]{blend(frame.panel, dim, kSharedTint).rgb(), blend(frame.panel, bright, kSharedTint).rgb()};
        auto* line = reinterpret_cast<QRgb*>(image_.scanLine(image_.height() - 1 - (r + outside)));
        for (int token = from; token < to; ++token) {
            const auto slot = r < 0 ? KvSlot::Stored : kvSlot(*model_, token, r);
            const bool seen = isSeen(token, r);
            line[token] = slot == KvSlot::Stored ? stored[seen] : slot == KvSlot::Shared ? shared[seen] : frame.blank.rgb();
        }
    }
}

void KvSlotView::drawMarks(QPainter& painter, const Layout& layout) const {
    painter.setBrush(Qt::NoBrush);
    for (const auto& [token, dashed] : marksOf(*selection_, 0, model_->tokenCount())) {
        QPen pen(theme_.frame().selection, theme_.px(2));
        pen.setJoinStyle(Qt::MiterJoin);
        if (dashed) pen.setStyle(Qt::DashLine);
        painter.setPen(pen);
        const double width = std::max(layout.column, theme_.px(3));
        const double centre = layout.cells.left() + (token + 0.5) * layout.column;
        painter.drawRect(QRectF(centre - width / 2, layout.cells.top(), width, layout.cells.height()));
    }
}

void KvSlotView::drawKey(QPainter& painter, const QRectF& area) const {
    const auto& frame = theme_.frame();
    painter.setFont(theme_.caption());
    double x = area.left() + theme_.px(model_->header().kv_policy == mor::KvPolicy::RecursiveSharing ? 4 : kRowNames);
    const auto entry = [&](const QColor& fill, const QColor& line, bool stroke, const QString& text) {
        const QRectF box(x, area.center().y() - theme_.px(6), theme_.px(12), theme_.px(12));
        painter.fillRect(box, fill);
        painter.setPen(QPen(line, 1));
        painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5));
        if (stroke) painter.drawLine(box.topRight(), box.bottomLeft());
        painter.setPen(frame.caption);
        const double width = textWidth(theme_.caption(), text) + theme_.px(4);
        drawLine(painter,
                 {box.right() + theme_.px(6), area.top(), std::min(width, area.right() - box.right() - theme_.px(6)),
                  area.height()},
                 Qt::AlignLeft | Qt::AlignVCenter, text);
        x = box.right() + theme_.px(18) + width;
    };
    entry(frame.neutral, frame.neutral, false, tr("stored"));
    if (model_->header().kv_policy == mor::KvPolicy::RecursiveSharing)
        entry(blend(frame.panel, frame.neutral, kSharedTint), frame.neutral, true, tr("shared: reads recursion 1"));
    entry(frame.blank, frame.paleLine, false, tr("absent: no entry here"));
}

QString KvSlotView::describe() const {
    QStringList lines;
    for (int r = -static_cast<int>(hasOutside()); r < model_->recursions(); ++r)
        lines += (r < 0 ? tr("outside the recursions") : tr("recursion %1").arg(r + 1)) + QStringLiteral(": ") + rowText(r);
    return lines.join(QLatin1String("; "));
}

}  // namespace mor::ui
