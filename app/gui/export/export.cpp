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

#include "gui/export/export_html.hpp"
#include "gui/page/trace_page.hpp"

namespace mor::ui {

namespace {

QString tr(const char* text) { return QCoreApplication::translate("Export", text); }

constexpr int kPointsPerInch = 72;
constexpr int kPixelsPerInch = 96;

QByteArray pngOf(const TracePage& page, const QSize& size, double scale, const QString& piece) {
    QImage image((QSizeF(size) * scale).toSize(), QImage::Format_ARGB32_Premultiplied);
    if (image.isNull()) return {};
    image.fill(Qt::transparent);
    QPainter painter(&image);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.scale(scale, scale);
    page.drawInto(painter, QRectF(QPointF(), QSizeF(size)), piece);
    painter.end();
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    image.save(&buffer, "PNG");
    return bytes;
}

QByteArray pdfOf(const TracePage& page, const QSize& size, const QString& piece) {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    QPdfWriter writer(&buffer);
    writer.setTitle(QStringLiteral("Morscope"));
    writer.setResolution(kPixelsPerInch);
    const QSizeF points = QSizeF(size) * kPointsPerInch / kPixelsPerInch;
    writer.setPageSize(QPageSize(points, QPageSize::Point, {}, QPageSize::ExactMatch));
    writer.setPageMargins(QMarginsF());
    QPainter painter(&writer);
    page.drawInto(painter, QRectF(QPointF(), QSizeF(size)), piece);
    painter.end();
    return bytes;
}

QByteArray svgOf(const TracePage& page, const QSize& size, const QString& piece) {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    QSvgGenerator generator;
    generator.setOutputDevice(&buffer);
    generator.setSize(size);
    generator.setViewBox(QRect(QPoint(), size));
    generator.setResolution(kPixelsPerInch);
    generator.setTitle(QStringLiteral("Morscope"));
    QPainter painter(&generator);
    page.drawInto(painter, QRectF(QPointF(), QSizeF(size)), piece);
    painter.end();
    return bytes;
}

}  // namespace

QString pictureFormat(const QString& file) {
    const QString suffix = QFileInfo(file).suffix().toLower();
    return QStringList{"png", "pdf", "svg", "html"}.contains(suffix) ? suffix : QString();
}

QString exportPicture(const TracePage& page, const QString& file, const QSize& size, double scale, const QString& piece) {
    const QString format = pictureFormat(file);
    if (format.isEmpty()) return tr("%1: file name: expected .png, .pdf, .svg or .html at its end").arg(file);
    const QByteArray bytes = format == "png"   ? pngOf(page, size, scale, piece)
                             : format == "pdf" ? pdfOf(page, size, piece)
                             : format == "svg" ? svgOf(page, size, piece)
                                               : htmlOf(page, size, piece);
    if (bytes.isEmpty()) return tr("%1: the picture is too large for the memory").arg(file);
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
