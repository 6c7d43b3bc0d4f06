// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/export/export_html.hpp"

#include <QBuffer>
#include <QCoreApplication>
#include <QImage>
#include <QPainter>
#include <algorithm>

#include "gui/controls/status_line.hpp"
#include "gui/export/run_sheet.hpp"
#include "gui/export/run_text.hpp"
#include "gui/page/trace_page.hpp"
#include "models/trace_model.hpp"
#include "mor/version.hpp"
#include "views/kit/interaction.hpp"
#include "views/kit/panel.hpp"
#include "views/kit/token_name.hpp"

namespace mor::ui {

namespace {

constexpr double kScale = 2;        ///< pixels of a picture for one of the page
constexpr double kLargest = 32767;  ///< pixels of a side that can be painted

QString tr(const char* text) { return QCoreApplication::translate("Export", text); }

// %1 ground, %2 panel, %3 line, %4 text, %5 caption, %6 frame of pale cells
constexpr auto kSheet = R"(
body { background: %1; color: %4; font: 14px/1.5 system-ui, sans-serif; margin: 24px auto; max-width: 1300px; padding: 0 16px; }
h1 { font-size: 20px; } h2 { font-size: 15px; margin: 32px 0 8px; }
p.note, figcaption, dt { color: %5; }
figure { margin: 0 0 16px; overflow-x: auto; } img { display: block; max-width: none; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; } dd { margin: 0; overflow-wrap: anywhere; }
.text { background: %2; border: 1px solid %3; border-radius: 4px; padding: 12px; font-size: 16px; line-height: 2.4; }
.text span, .legend span { border-radius: 4px; padding: 2px 5px; border: 1px solid transparent; white-space: pre; }
.text sub { font-size: 10px; opacity: 0.8; margin-left: 2px; } .text .prompt { text-decoration: underline; }
.d0 { border-color: %6 !important; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 12px; background: %2; }
th, td { border: 1px solid %3; padding: 2px 8px; text-align: right; white-space: pre; } th { position: sticky; top: 0; background: %2; }
)";

QString styleOf(const TracePage& page) {
    const Theme& theme = page.theme();
    const Frame& f = theme.frame();
    QString sheet = QString::fromLatin1(kSheet).arg(f.ground.name(), f.panel.name(), f.line.name(), f.text.name(),
                                                    f.caption.name(), f.paleLine.name());
    const int recursions = page.model().recursions();
    for (int depth = 0; depth <= recursions; ++depth) {
        const QColor ground = theme.depth(depth, recursions);
        const QColor ink = depth == 0 ? f.text : textOn(ground);
        sheet += QStringLiteral(".d%1 { background: %2; color: %3; }\n").arg(depth).arg(ground.name(), ink.name());
    }
    return sheet;
}

/// One boxed picture as an image inside of the page, with its description for those who cannot see it.
template <typename Draw>
QString figure(const QSizeF& size, const QString& description, Draw draw) {
    const double scale = std::min(kScale, kLargest / std::max(size.width(), size.height()));
    QImage image((size * scale).toSize(), QImage::Format_RGB32);
    if (image.isNull()) return QStringLiteral("<p class=\"note\">%1</p>\n").arg(tr("This picture is too large."));
    QPainter painter(&image);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.scale(scale, scale);
    draw(painter, QRectF(QPointF(), size));
    painter.end();
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    image.save(&buffer, "PNG");
    return QStringLiteral(
               "<figure><img width=\"%1\" height=\"%2\" alt=\"%3\" src=\"data:image/png;base64,%4\"/></figure>\n")
        .arg(qRound(size.width()))
        .arg(qRound(size.height()))
        .arg(escaped(description), QString::fromLatin1(bytes.toBase64()));
}

/// Every picture of a view in its box, high enough that nothing is left out.
QString viewFigures(const TracePage& page, const TracePage::View& view) {
    QString html;
    const QSizeF around = Panel::around(page.theme());
    for (const Figure& one : view.made.figures()) {
        const double width = one.size.width() * page.theme().scale;
        const double complete = one.picture->completeHeight(width - around.width()) + around.height();
        html += figure({width, std::max(one.size.height() * page.theme().scale, complete)},
                       view.title + QStringLiteral(": ") + one.picture->description(),
                       [&](QPainter& painter, const QRectF& area) {
                           painter.fillRect(area, page.theme().frame().ground);
                           const QRectF inner = Panel::drawInto(painter, page.theme(), area, view.title, one.caption);
                           painter.setClipRect(inner);
                           one.picture->drawInto(painter, inner);
                       });
    }
    return html;
}

QString legend(const TracePage& page) {
    const int recursions = page.model().recursions();
    if (recursions == 0) return {};
    QString html = QStringLiteral("<p class=\"legend note\">%1 ").arg(tr("Colour and small number are the depth:"));
    for (int depth = 0; depth <= recursions; ++depth) html += QStringLiteral("<span class=\"d%1\">%1</span> ").arg(depth);
    return html + tr("recursions; the prompt is underlined.") + QStringLiteral("</p>\n");
}

QString textSection(const TracePage& page) {
    const TraceModel& model = page.model();
    QString html = legend(page) + QStringLiteral("<div class=\"text\">");
    for (int token = 0; token < model.tokenCount(); ++token) {
        const auto& record = model.token(token);
        const QString text = QString::fromStdString(record.text);
        if (token > 0 && (text.isEmpty() || text.front().isSpace())) html += QLatin1Char(' ');
        const int depth = std::clamp(record.depth, 0, model.recursions());
        html += QStringLiteral("<span class=\"%1\" title=\"%2\">%3")
                    .arg(QStringLiteral("d%1%2").arg(depth).arg(record.prompt ? " prompt" : ""),
                         escaped(tokenTip(model, token)), escaped(flowText(model, token)));
        if (model.recursions() > 0) html += QStringLiteral("<sub>%1</sub>").arg(record.depth);
        html += QStringLiteral("</span>");
        if (text.contains(QLatin1Char('\n'))) html += QStringLiteral("<br/>");
    }
    return html + QStringLiteral("</div>\n");
}

QString tableSection(const TraceModel& model, const std::vector<int>& columns) {
    QString html = QStringLiteral("<table><thead><tr>");
    for (const int column : columns)
        html += QStringLiteral("<th>%1</th>").arg(escaped(model.headerData(column, Qt::Horizontal).toString()));
    html += QStringLiteral("</tr></thead><tbody>\n");
    for (int row = 0; row < model.rowCount(); ++row) {
        html += QStringLiteral("<tr>");
        for (const int column : columns)
            html += QStringLiteral("<td>%1</td>").arg(escaped(model.index(row, column).data().toString()));
        html += QStringLiteral("</tr>\n");
    }
    return html + QStringLiteral("</tbody></table>\n");
}

QString provenance(const mor::Trace& trace) {
    QString html = QStringLiteral("<dl>");
    const auto item = [&](const QString& name, const QString& value) {
        html += QStringLiteral("<dt>%1</dt><dd>%2</dd>").arg(escaped(name), value);
    };
    for (const auto& fact : runFacts(trace.header)) item(fact.name, escaped(fact.value));
    item(tr("To make it again"), QStringLiteral("<code>%1</code>").arg(escaped(commandOf(trace))));
    return html + QStringLiteral("</dl>\n");
}

QString heading(const QString& text) { return QStringLiteral("<h2>%1</h2>\n").arg(escaped(text)); }

}  // namespace

QString escaped(const QString& text) {
    QString visible;
    visible.reserve(text.size());
    for (const QChar c : text) {
        const bool shown = c == QLatin1Char('\n') || c == QLatin1Char('\t') || c.isSurrogate() ||
                           (c.unicode() >= 0x20 && c.unicode() != 0x7f && !c.isNonCharacter());
        visible += shown ? c : QChar(0xfffd);
    }
    return visible.toHtmlEscaped().replace(QLatin1Char('\n'), QLatin1String("&#10;"));
}

QByteArray htmlOf(const TracePage& page, const QSize& size, const QString& only) {
    const TraceModel& model = page.model();
    const QString name = QString::fromStdString(model.header().model_name);
    QString html = QStringLiteral(
                       "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n"
                       "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
                       "style-src 'unsafe-inline'\"/>\n<meta name=\"generator\" content=\"Morscope %1\"/>\n"
                       "<title>%2</title>\n<style>%3</style></head><body>\n<h1>%2</h1>\n<p class=\"note\">%4</p>\n")
                       .arg(QLatin1String(mor::version()), escaped(name), styleOf(page),
                            escaped(statusText(model, EngineState::Ready, {})));
    QString figures;
    bool asText = false;  // a view without pictures is there as text
    for (const auto& view : page.views()) {
        if (!only.isEmpty() && view.name() != only) continue;
        const auto drawn = viewFigures(page, view);
        asText |= drawn.isEmpty();
        figures += drawn;
    }
    if (asText) html += heading(tr("Text")) + textSection(page);
    if (only.isEmpty()) {
        const RunSheet sheet(page, size);
        html += heading(tr("All views")) + figure(sheet.size(), tr("All views of this run, described one by one below"),
                                                  [&](QPainter& painter, const QRectF&) { sheet.draw(painter); });
    }
    if (!figures.isEmpty()) html += heading(only.isEmpty() ? tr("One by one") : tr("View")) + figures;
    html += heading(tr("What this run was made with")) + provenance(model.trace());
    html += heading(only.isEmpty() ? tr("All numbers") : tr("The numbers of this view")) +
            QStringLiteral("<details><summary>%1</summary>\n").arg(tr("Show the table")) +
            tableSection(model, tableColumns(model, only)) + QStringLiteral("</details>\n");
    html +=
        QStringLiteral("<p class=\"note\">%1</p>\n</body></html>\n")
            .arg(
                tr("Drawn by Morscope %1. Bytes and times were measured, FLOPs counted; the vanilla reference is computed.")
                    .arg(QLatin1String(mor::version())));
    return html.toUtf8();
}

}  // namespace mor::ui
