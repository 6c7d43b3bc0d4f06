// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/text/token_flow_view.hpp"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QPaintEvent>
#include <QPainter>
#include <QScopedValueRollback>
#include <QScrollBar>
#include <algorithm>
#include <cmath>

#include "models/trace_model.hpp"
#include "views/kit/following_bar.hpp"
#include "views/kit/interaction.hpp"
#include "views/kit/later.hpp"
#include "views/kit/painting.hpp"

namespace mor::ui {
namespace {

constexpr double kPadding = 6;   // left and right of a token's text
constexpr double kHair = 1;      // between the pieces of a word
constexpr double kLine = 46;     // a line of tokens with their digits
constexpr double kPlain = 36;    // without digits
constexpr double kMargin = 4;    // around the page, so that outlines are not cut
constexpr double kOverhang = 4;  // pixels that marks may reach beyond their line

QString textOf(const mor::TokenRecord& record) { return QString::fromStdString(record.text); }

}  // namespace

QString flowText(const QString& piece, const QString& label) {
    auto text = piece.isEmpty() ? label : piece;
    text.replace(QLatin1String("\r\n"), QLatin1String("\n"));
    text.replace(QLatin1Char('\n'), QChar(0x21b5)).replace(QLatin1Char('\t'), QChar(0x21e5));
    if (text.trimmed().isEmpty()) return QString(std::max<qsizetype>(1, text.size()), QChar(0x2423));
    return text.startsWith(QLatin1Char(' ')) ? text.mid(1) : text;
}

TokenFlowView::TokenFlowView(TraceModel* model, Selection* selection, QWidget* parent)
    : QAbstractScrollArea(parent),
      model_(model),
      selection_(selection),
      bar_(new FollowingBar(verticalScrollBar())),
      describer_(new Later(this, kDescribeLater, [this] { setAccessibleDescription(description()); })) {
    setFrameShape(NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFocusPolicy(Qt::StrongFocus);
    viewport()->setMouseTracking(true);
    viewport()->setAttribute(Qt::WA_OpaquePaintEvent);
    setAccessibleName(tr("Text coloured by depth"));
    connect(model, &QAbstractItemModel::modelReset, this, &TokenFlowView::restart);
    connect(model, &TraceModel::rewound, this, &TokenFlowView::rebuildLayout);
    connect(model, &TraceModel::extended, this, &TokenFlowView::extendLayout);
    connect(selection, &Selection::changed, this, &TokenFlowView::selectionChanged);
    setTheme({});
}

FlowMetrics TokenFlowView::metricsFor(double width) const {
    return {.width = width - 2 * theme_.px(kMargin),
            .wordGap = theme_.px(6),
            .lineHeight = theme_.px(model_->recursions() > 0 ? kLine : kPlain),
            .boxHeight = theme_.px(28)};
}

FlowItem TokenFlowView::itemFor(int token, const QFont& font, double pageWidth) const {
    const auto piece = textOf(model_->token(token));
    const double width = textWidth(font, flowText(piece, model_->label(token))) + theme_.px(2 * kPadding + kHair);
    // Control tokens (without text of their own) stand apart like words.
    const bool word = token == 0 || piece.isEmpty() || piece.front().isSpace();
    return {std::min(width, pageWidth), word, piece.contains(QLatin1Char('\n'))};
}

TokenFlowView::Box TokenFlowView::makeBox(int token, const QRectF& area) const {
    const auto& record = model_->token(token);
    Box box;
    box.area = area.adjusted(0, 0, -theme_.px(kHair), 0);
    box.text = flowText(textOf(record), model_->label(token));
    box.prompt = record.prompt;
    if (model_->recursions() > 0) box.depth = QString::number(record.depth);
    const auto& look = looks_.at(static_cast<std::size_t>(std::clamp(record.depth, 0, model_->recursions())));
    box.ground = look.ground;
    box.outline = look.outline;
    box.ink = look.ink;
    return box;
}

void TokenFlowView::mixLooks() {
    const auto& frame = theme_.frame();
    looks_.clear();
    for (int depth = 0; depth <= model_->recursions(); ++depth) {
        Look look{theme_.depth(depth, model_->recursions()), {}, {}};
        if (depth == 0 || contrast(look.ground, frame.panel) < 1.6) look.outline = frame.paleLine;
        look.ink = depth == 0 ? frame.text : textOn(look.ground);
        looks_.push_back(look);
    }
}

QRectF TokenFlowView::viewportRect(int token) const {
    return layout_.box(token).translated(theme_.px(kMargin), theme_.px(kMargin) - verticalScrollBar()->value());
}

int TokenFlowView::tokenAt(const QPoint& point) const {
    return layout_.at(QPointF(point) - QPointF(theme_.px(kMargin), theme_.px(kMargin) - verticalScrollBar()->value()));
}

void TokenFlowView::extendLayout() {
    const auto font = theme_.token();
    const int before = layout_.count();
    // Only the last line changes, or its last word moves to the next one.
    const double changed = before > 0 ? layout_.box(before - 1).top() + theme_.px(kMargin) - kOverhang : 0;
    for (int i = before; i < model_->tokenCount(); ++i) layout_.add(itemFor(i, font, layout_.metrics().width));
    bar_->setContent(contentHeight(), viewport()->height(), selection_->marks().any());
    verticalScrollBar()->setSingleStep(qRound(layout_.metrics().lineHeight));
    if (layout_.count() == before && before > 0) return;
    const int top = std::max(0, static_cast<int>(std::floor(changed)) - verticalScrollBar()->value());
    viewport()->update(0, top, viewport()->width(), viewport()->height() - top);
    describer_->soon();
}

/// The picture moves as it is, so only what comes into sight is painted. Screens with fractions of pixels would blur it.
void TokenFlowView::scrollContentsBy(int, int dy) {
    const double ratio = devicePixelRatioF();
    ratio == std::floor(ratio) ? viewport()->scroll(0, dy) : viewport()->update();
}

/// Such that the end of the scroll range shows whole lines: half a line at the top cannot be read.
double TokenFlowView::contentHeight() const {
    const double line = layout_.metrics().lineHeight, page = viewport()->height();
    const double lines = std::round(layout_.height() / line), fit = std::floor((page - theme_.px(kMargin)) / line);
    return page + std::max(0.0, lines - std::max(1.0, fit)) * line;
}

void TokenFlowView::reveal(const QRectF& box) {
    auto* bar = verticalScrollBar();
    const int before = bar->value();
    const double line = layout_.metrics().lineHeight;
    bar_->reveal(box.top(), box.top() + line);
    if (bar->value() == before) return;
    const double lines = bar->value() / line;
    bar->setValue(qRound(line * (bar->value() < before ? std::floor(lines) : std::ceil(lines))));
}

void TokenFlowView::rebuildLayout() {
    layout_.reset(metricsFor(viewport()->width()));
    extendLayout();
    viewport()->update();
}

void TokenFlowView::restart() {
    mixLooks();
    rebuildLayout();
    bar_->restart();
    describer_->now();
}

void TokenFlowView::showBeginning() { bar_->moveTo(0); }

void TokenFlowView::setTheme(const Theme& theme) {
    theme_ = theme;
    auto colours = palette();
    colours.setColor(QPalette::Base, theme.frame().panel);
    colours.setColor(QPalette::Window, theme.frame().panel);
    setPalette(colours);
    bar_->setTheme(theme);
    mixLooks();
    rebuildLayout();
}

void TokenFlowView::resizeEvent(QResizeEvent*) {
    if (layout_.metrics().width != metricsFor(viewport()->width()).width)
        rebuildLayout();
    else
        extendLayout();
    selectionChanged();  // what is chosen stays in sight
}

void TokenFlowView::selectionChanged() {
    const bool chosen = selection_->marks().any();
    const int shown = selection_->current();
    if (pointing_)
        ;  // nothing may slide away under the pointer
    else if (!chosen)
        bar_->toEndIfFollowing();
    else if (shown >= 0 && shown < layout_.count())
        reveal(layout_.box(shown));
    if (chosen) describer_->now();
    if (marks_ == selection_->marks()) return;
    marks_ = selection_->marks();
    viewport()->update();
}

QString TokenFlowView::emptyText() const {
    if (!model_->hasRun()) return tr("Type a prompt and press Generate: the text appears here, coloured by depth.");
    return model_->tokenCount() == 0 ? tr("Reading the prompt …") : QString();
}

void TokenFlowView::drawTokens(QPainter& painter, const FlowLayout& layout, double top, double bottom) const {
    painter.setRenderHint(QPainter::Antialiasing);
    const int first = layout.firstBelow(top);
    int end = first;
    for (; end < layout.count() && layout.box(end).top() < bottom; ++end) drawToken(painter, makeBox(end, layout.box(end)));
    for (const int token : {selection_->pinned(), selection_->secondPinned(), selection_->hovered()})
        if (token >= first && token < end)
            drawMark(painter, layout.box(token), token == selection_->secondPinned() && token != selection_->hovered());
}

void TokenFlowView::drawToken(QPainter& painter, const Box& box) const {
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

void TokenFlowView::drawMark(QPainter& painter, const QRectF& box, bool second) const {
    QPen pen(theme_.frame().selection, theme_.px(2.5));
    if (second) pen.setStyle(Qt::DashLine);
    painter.setPen(pen);
    painter.setBrush(Qt::NoBrush);
    painter.drawRoundedRect(box.adjusted(0, 0, -theme_.px(kHair), 0), theme_.px(4), theme_.px(4));
}

void TokenFlowView::paintEvent(QPaintEvent* event) {
    const QRect dirty = event->rect();
    QPainter painter(viewport());
    painter.fillRect(dirty, theme_.frame().panel);
    if (const auto empty = emptyText(); !empty.isEmpty()) return drawEmptyState(painter, theme_, viewport()->rect(), empty);
    const double margin = theme_.px(kMargin), scrolled = verticalScrollBar()->value();
    painter.translate(margin, margin - scrolled);
    const double shift = scrolled - margin;
    drawTokens(painter, layout_, shift + dirty.top() - kOverhang, shift + dirty.bottom() + 1 + kOverhang);
}

void TokenFlowView::drawInto(QPainter& painter, const QRectF& area) const {
    if (const auto empty = emptyText(); !empty.isEmpty()) return drawEmptyState(painter, theme_, area, empty);
    FlowLayout layout;
    layout.reset(metricsFor(area.width()));
    const auto font = theme_.token();
    for (int i = 0; i < model_->tokenCount() && layout.height() <= area.height(); ++i)
        layout.add(itemFor(i, font, layout.metrics().width));
    painter.save();
    painter.setClipRect(area);
    painter.translate(area.topLeft() + QPointF(theme_.px(kMargin), theme_.px(kMargin)));
    const double line = layout.metrics().lineHeight;
    drawTokens(painter, layout, 0, std::floor(area.height() / line) * line);
    painter.restore();
}

void TokenFlowView::keyPressEvent(QKeyEvent* event) {
    if (!steer(*selection_, *model_, *event)) QAbstractScrollArea::keyPressEvent(event);
}

void TokenFlowView::point(const QPoint& at, bool pin) {
    const QScopedValueRollback<bool> here(pointing_, true);
    if (pin)
        selection_->togglePin(tokenAt(at));
    else
        selection_->setHovered(tokenAt(at));
}

void TokenFlowView::mousePressEvent(QMouseEvent* event) {
    if (event->button() == Qt::LeftButton) point(event->position().toPoint(), true);
}

bool TokenFlowView::viewportEvent(QEvent* event) {
    const QScopedValueRollback<bool> here(pointing_, true);  // moves, leaves and rests: all of it is pointing
    const auto token = [this](QPointF at) { return tokenAt(at.toPoint()); };
    return followPointer(*event, viewport(), *selection_, *model_, token) || QAbstractScrollArea::viewportEvent(event);
}

QString TokenFlowView::description() const {
    if (const auto empty = emptyText(); !empty.isEmpty()) return empty;
    QString text;
    for (int i = 0; i < model_->tokenCount(); ++i) text += textOf(model_->token(i));
    if (const auto tip = tokenTip(*model_, selection_->current()); !tip.isEmpty()) text += QLatin1Char('\n') + tip;
    return text;
}

QSize TokenFlowView::sizeHint() const { return QSizeF(theme_.px(640), theme_.px(160)).toSize(); }

QSize TokenFlowView::minimumSizeHint() const { return QSizeF(theme_.px(240), theme_.px(56)).toSize(); }

}  // namespace mor::ui
