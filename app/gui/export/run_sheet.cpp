// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/export/run_sheet.hpp"

#include <QCoreApplication>
#include <QFontMetricsF>
#include <QPainter>
#include <QTextLayout>
#include <algorithm>
#include <cmath>

#include "gui/export/run_text.hpp"
#include "models/trace_model.hpp"
#include "views/kit/panel.hpp"
#include "views/kit/text_lines.hpp"

namespace mor::ui {

namespace {

constexpr double kMargin = 14, kGap = 8, kParagraph = 4;
constexpr double kLeastRow = 190;
constexpr double kTall = 2.2;  ///< a view that needs so many times the usual height leaves its row
QString tr(const char* text) { return QCoreApplication::translate("Export", text); }

double lineOf(const QFont& font) { return std::ceil(QFontMetricsF(font).lineSpacing()); }

/// Broken between words; prompts and commands may be one word to whoever counts, and are broken anywhere.
QStringList wrapped(const QString& text, const QFont& font, double width) {
    QString visible = text;
    visible.replace(QLatin1Char('\n'), QChar(0x21b5)).replace(QLatin1Char('\t'), QChar(0x21e5));
    QTextLayout layout(visible, font);
    QTextOption option;
    option.setWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
    layout.setTextOption(option);
    QStringList lines;
    layout.beginLayout();
    for (auto line = layout.createLine(); line.isValid(); line = layout.createLine()) {
        line.setLineWidth(width);
        lines += visible.mid(line.textStart(), line.textLength()).trimmed();
    }
    layout.endLayout();
    return lines;
}

}  // namespace

RunSheet::RunSheet(const TracePage& page, const QSize& wanted, const QString& view)
    : page_(page),
      theme_(page.theme()),
      margin_(theme_.px(kMargin)),
      width_(std::max(1.0, wanted.width() - 2 * margin_)),
      rows_(rowsOf(view)) {
    const double gap = theme_.px(kGap), begin = page.model().hasRun() ? writeHead() + gap : margin_;
    const auto again = tr("To make this run again:  %1").arg(commandOf(page.model().trace()));
    const auto small = theme_.caption();
    const double foot =
        page.model().hasRun() ? static_cast<double>(wrapped(again, small, width_).size()) * lineOf(small) + gap : 0;
    // The rows share what is left as they share the page, but none gets less than it needs.
    std::vector<double> heights;
    double onPage = 0;
    for (const auto& row : rows_) onPage += heightOnPage(row) + gap;
    const double room = wanted.height() - begin - foot - margin_;
    for (const auto& row : rows_) {
        double least = theme_.px(kLeastRow);
        for (const auto& box : row) least = std::max(least, completeHeight(*box.view, box.area.width()));
        heights.push_back(std::max(least, (heightOnPage(row) + gap) * room / onPage - gap));
    }
    double top = begin;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        const double height = std::floor(heights[i]);
        for (auto& box : rows_[i]) box.area = {box.area.left(), top, box.area.width(), height};
        top += height + gap;
    }
    if (page.model().hasRun()) top = write(again, small, theme_.frame().caption, top);
    size_ = {static_cast<double>(wanted.width()), std::max<double>(wanted.height(), std::ceil(top + margin_ - gap))};
}

double RunSheet::write(const QString& text, const QFont& font, const QColor& ink, double top) {
    for (const auto& line : wrapped(text, font, width_)) {
        words_.push_back({line, font, ink, {margin_, top, width_ + 1, lineOf(font)}});
        top += lineOf(font);
    }
    return top + theme_.px(kParagraph);
}

double RunSheet::writeHead() {
    QStringList settings;
    double top = margin_;
    for (const auto& fact : runFacts(page_.model().header())) {
        if (fact.kind == RunFact::Setting)
            settings += fact.line();
        else
            top = write(fact.kind == RunFact::Model ? fact.value : fact.line(),
                        fact.kind == RunFact::Model ? theme_.title() : theme_.body(), theme_.frame().text, top);
    }
    return write(settings.join(QStringLiteral(" · ")), theme_.caption(), theme_.frame().caption, top);
}

std::vector<RunSheet::Row> RunSheet::rowsOf(const QString& only) const {
    std::vector<std::vector<const TracePage::View*>> rows;
    bool together = false;  // with the view before
    for (const auto& view : page_.views()) {
        if (!only.isEmpty() && view.name() != only) continue;
        const bool tall = completeHeight(view, width_ * view.about->share / 100) > kTall * theme_.px(kLeastRow);
        if (!together || tall || rows.back().back()->about->row != view.about->row) rows.emplace_back();
        rows.back().push_back(&view);
        together = !tall;
    }
    std::vector<Row> placed;
    for (const auto& row : rows) placed.push_back(place(row));
    return placed;
}

RunSheet::Row RunSheet::place(const std::vector<const TracePage::View*>& views) const {
    double shares = 0, left = margin_;
    for (const auto* view : views) shares += view->about->share;
    const double gap = theme_.px(kGap), width = width_ - gap * static_cast<double>(views.size() - 1);
    Row row;
    for (const auto* view : views) {
        row.push_back({view, {left, 0, width * view->about->share / shares, 0}});
        left = row.back().area.right() + gap;
    }
    return row;
}

double RunSheet::completeHeight(const TracePage::View& view, double width) const {
    const QSizeF around = Panel::around(theme_);
    const double complete = view.made.picture->completeHeight(std::max(1.0, width - around.width()));
    return complete > 0 ? std::ceil(complete + around.height()) : 0;
}

double RunSheet::heightOnPage(const Row& row) const {
    double height = theme_.px(kLeastRow);
    for (const auto& box : row)
        if (box.view->panel->isVisibleTo(&page_)) height = std::max<double>(height, box.view->panel->height());
    return height;
}

void RunSheet::draw(QPainter& painter) const {
    painter.fillRect(QRectF(QPointF(), size_), theme_.frame().ground);
    for (const auto& words : words_) {
        painter.setFont(words.font);
        painter.setPen(words.ink);
        drawLine(painter, words.area, Qt::AlignLeft | Qt::AlignVCenter, words.text);
    }
    for (const auto& row : rows_)
        for (const auto& box : row) page_.drawView(painter, *box.view, box.area);
}

}  // namespace mor::ui
