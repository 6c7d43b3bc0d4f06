// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QToolButton>
#include <vector>

#include "mor/model.hpp"

namespace mor::ui {

/// The button that names the model in use and offers the bundled ones.
class ModelChooser : public QToolButton {
    Q_OBJECT

public:
    /// `open` asks for any other directory; it is the last entry of the menu.
    ModelChooser(std::vector<mor::ModelCard>, QAction* open, QWidget* parent = nullptr);

    void showLoading(const std::filesystem::path&, double share);
    void showModel(const mor::ModelInfo&);
    void showNone();
    void showTrace(const QString& file);  ///< a recorded run instead of a model

    /// The whole name, however little of it fits.
    QString title() const { return title_; }

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

signals:
    void chosen(const QString& directory);

protected:
    void resizeEvent(QResizeEvent*) override;
    void changeEvent(QEvent*) override;

private:
    void showTitle(const QString&);
    void fitTitle();
    void check(const std::filesystem::path&);

    QString title_;
};

/// "Prose · expert choice · 3 recursions"; the kind is left out where the name says it already.
QString modelTitle(const mor::ModelInfo&);

}  // namespace mor::ui
