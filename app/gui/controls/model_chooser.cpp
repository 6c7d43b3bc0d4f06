// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/controls/model_chooser.hpp"

#include <QEvent>
#include <QFontMetrics>
#include <QMenu>
#include <QtMath>
#include <algorithm>

#include "gui/controls/model_entry.hpp"

namespace mor::ui {

namespace {

QString textOf(const std::filesystem::path& path) { return QString::fromStdString(path.string()); }

constexpr int kPadding = 26;  ///< of the style sheet, both sides and the border, pixels
constexpr int kLeastWidth = 140;
const QString kArrow = QStringLiteral("  ▾");

/// A name from a model card mostly holds the kind already.
bool saysKind(const QString& name) { return name.contains(QStringLiteral(" · ")); }

QString escapedAmpersands(QString text) { return text.replace('&', QStringLiteral("&&")); }

}  // namespace

ModelChooser::ModelChooser(std::vector<mor::ModelCard> models, QAction* open, QWidget* parent) : QToolButton(parent) {
    setObjectName(QStringLiteral("modelChooser"));
    setPopupMode(QToolButton::InstantPopup);
    setAccessibleName(tr("Model"));
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    auto* menu = new QMenu(this);
    menu->setToolTipsVisible(true);
    for (const mor::ModelCard& model : models) {
        auto* entry = new ModelEntry(model, menu);
        menu->addAction(entry);
        connect(entry, &QAction::triggered, this, [this, entry] { emit chosen(entry->data().toString()); });
    }
    if (!models.empty()) menu->addSeparator();
    menu->addAction(open);
    setMenu(menu);
    showNone();
}

void ModelChooser::check(const std::filesystem::path& directory) {
    for (QAction* entry : menu()->actions()) entry->setChecked(entry->data().toString() == textOf(directory));
}

void ModelChooser::showLoading(const std::filesystem::path& directory, double share) {
    const auto name = directory.has_filename() ? directory.filename() : directory.parent_path().filename();
    const QChar figureSpace(0x2007);  // as wide as a digit, so that nothing moves while it counts
    showTitle(tr("Loading %1… %2 %").arg(textOf(name)).arg(qFloor(100 * share), 3, 10, figureSpace));
}

void ModelChooser::showModel(const mor::ModelInfo& info) {
    showTitle(modelTitle(info));
    setToolTip(info.summary.empty() ? textOf(info.directory)
                                    : QString::fromStdString(info.summary) + '\n' + textOf(info.directory));
    check(info.directory);
}

void ModelChooser::showNone() {
    showTitle(tr("Choose a model"));
    setToolTip(tr("Choose a bundled model or open a model directory"));
    check({});
}

void ModelChooser::showTrace(const QString& file) {
    showTitle(file);
    setToolTip(tr("A recorded run"));
    check({});
}

void ModelChooser::showTitle(const QString& title) {
    title_ = title;
    updateGeometry();
    fitTitle();
}

void ModelChooser::fitTitle() {
    const int room = std::max(0, width() - kPadding - fontMetrics().horizontalAdvance(kArrow));
    setText(escapedAmpersands(fontMetrics().elidedText(title_, Qt::ElideMiddle, room)) + kArrow);
}

QSize ModelChooser::sizeHint() const {
    const int text = fontMetrics().horizontalAdvance(title_ + kArrow) + kPadding + 4;
    return {std::max(kLeastWidth, text), QToolButton::sizeHint().height()};
}

QSize ModelChooser::minimumSizeHint() const { return {kLeastWidth, QToolButton::sizeHint().height()}; }

void ModelChooser::resizeEvent(QResizeEvent* event) {
    QToolButton::resizeEvent(event);
    fitTitle();
}

void ModelChooser::changeEvent(QEvent* event) {
    QToolButton::changeEvent(event);
    if (event->type() == QEvent::FontChange || event->type() == QEvent::StyleChange) fitTitle();
}

QString modelTitle(const mor::ModelInfo& info) {
    const mor::MorConfig& m = info.config.mor;
    QStringList parts{QString::fromStdString(info.name)};
    if (saysKind(parts.front())) return parts.front();
    if (m.num_recursion == 0) {
        parts.append(ModelChooser::tr("vanilla"));
    } else {
        if (m.routing == mor::Routing::ExpertChoice) parts.append(ModelChooser::tr("expert choice"));
        if (m.routing == mor::Routing::TokenChoice) parts.append(ModelChooser::tr("token choice"));
        parts.append(ModelChooser::tr("%n recursions", nullptr, m.num_recursion));
    }
    return parts.join(QStringLiteral(" · "));
}

}  // namespace mor::ui
