// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/export/export.hpp"

#include <QBuffer>
#include <QCoreApplication>
#include <QFileInfo>
#include <QImage>
#include <QPageSize>
#include <QPainter>
#include <QPdfWriter>
#include <QSaveFile>
#include <QSvgGenerator>
#include <algorithm>

#include "gui/export/export_html.hpp"
#include "gui/export/run_sheet.hpp"
#include "gui/page/trace_page.hpp"

namespace mor::ui {

namespace {

QString tr(const char* text) { return QCoreApplication::translate("Export", text); }

constexpr double kPointsPerInch = 72;
constexpr int kPixelsPerInch = 96;
constexpr double kLongestPage = 14400;   ///< points: the most a PDF page may be
constexpr double kLargestImage = 32767;  ///< pixels of a side that can be painted

/// Empty: the sheet is too large for an image.
QByteArray pngOf(const RunSheet& sheet, double scale) {
    const double longest = std::max(sheet.size().width(), sheet.size().height());
    const double fits = std::min(scale, kLargestImage / longest);
    if (fits < 1) return {};
    QImage image((sheet.size() * fits).toSize(), QImage::Format_ARGB32_Premultiplied);
    if (image.isNull()) return {};
    image.fill(Qt::transparent);
    QPainter painter(&image);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.scale(fits, fits);
    sheet.draw(painter);
    painter.end();
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    image.save(&buffer, "PNG");
    return bytes;
}

QByteArray pdfOf(const RunSheet& sheet) {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    QPdfWriter writer(&buffer);
    writer.setTitle(QStringLiteral("Morscope"));
    writer.setResolution(kPixelsPerInch);
    const QSizeF points = sheet.size() * kPointsPerInch / kPixelsPerInch;
    const double fits = std::min(1.0, kLongestPage / points.height());
    writer.setPageSize(QPageSize(points * fits, QPageSize::Point, {}, QPageSize::ExactMatch));
    writer.setPageMargins(QMarginsF());
    QPainter painter(&writer);
    painter.scale(fits, fits);
    sheet.draw(painter);
    painter.end();
    return bytes;
}

QByteArray svgOf(const RunSheet& sheet) {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    QSvgGenerator generator;
    generator.setOutputDevice(&buffer);
    generator.setSize(sheet.size().toSize());
    generator.setViewBox(QRectF(QPointF(), sheet.size()));
    generator.setResolution(kPixelsPerInch);
    generator.setTitle(QStringLiteral("Morscope"));
    QPainter painter(&generator);
    sheet.draw(painter);
    painter.end();
    return bytes;
}

QByteArray bytesOf(const TracePage& page, const QString& format, const QSize& size, double scale, const QString& view) {
    if (format == QStringLiteral("html")) return htmlOf(page, size, view);
    const RunSheet sheet(page, size, view);
    if (format == QStringLiteral("png")) return pngOf(sheet, scale);
    return format == QStringLiteral("pdf") ? pdfOf(sheet) : svgOf(sheet);
}

}  // namespace

QString pictureFormat(const QString& file) {
    const QString suffix = QFileInfo(file).suffix().toLower();
    return QStringList{"png", "pdf", "svg", "html"}.contains(suffix) ? suffix : QString();
}

QString exportPicture(const TracePage& page, const QString& file, const QSize& size, double scale, const QString& view) {
    const QString format = pictureFormat(file);
    if (format.isEmpty()) return tr("%1: file name: expected .png, .pdf, .svg or .html at its end").arg(file);
    const QByteArray bytes = bytesOf(page, format, size, scale, view);
    if (bytes.isEmpty()) return tr("%1: the run is too long for one image: save it as .svg, .pdf or .html").arg(file);
    QSaveFile out(file);  // a failed write leaves an older picture alone
    if (!out.open(QIODevice::WriteOnly) || out.write(bytes) != bytes.size() || !out.commit())
        return tr("%1: cannot write: %2").arg(file, out.errorString());
    return {};
}

QString savePixmap(const QPixmap& pixmap, const QString& file) {
    QSaveFile out(file);
    if (!out.open(QIODevice::WriteOnly) || !pixmap.save(&out, "PNG") || !out.commit())
        return QCoreApplication::translate("Export", "%1: cannot write: %2").arg(file, out.errorString());
    return {};
}

}  // namespace mor::ui
