// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QPixmap>
#include <QSize>
#include <QString>

namespace mor::ui {

class TracePage;

/// Pictures of a page as files. Returns an empty string, or one sentence saying why it failed.
///
/// The suffix chooses the format: png (`scale` pixels for one of `size`), pdf or svg (vectors), all three a RunSheet: as
/// wide as `size` and at least as high, with nothing left out; html is a page with every view, the table and what the run
/// was made with. `view` names one view; empty draws all.
QString exportPicture(const TracePage&, const QString& file, const QSize& size, double scale, const QString& view = {});

/// A picture that is drawn already, as PNG; the same answer.
QString savePixmap(const QPixmap&, const QString& file);

/// "png", "pdf", "svg" or "html"; empty for any other suffix.
QString pictureFormat(const QString& file);

}  // namespace mor::ui
