// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/model_chooser.hpp"

#include <QMenu>

namespace mor::ui {

namespace {

QString textOf(const std::filesystem::path& path) { return QString::fromStdString(path.string()); }

QString escapedAmpersands(QString text) { return text.replace('&', QStringLiteral("&&")); }

}  // namespace

ModelChooser::ModelChooser(std::vector<mor::BundledModel> models, QAction* open, QWidget* parent) : QToolButton(parent) {
    setObjectName(QStringLiteral("modelChooser"));
    setPopupMode(QToolButton::InstantPopup);
    setAccessibleName(tr("Model"));
    auto* menu = new QMenu(this);
    menu->setToolTipsVisible(true);
    for (const mor::BundledModel& model : models) {
        QString title = QString::fromStdString(model.name);
        if (!model.kind.empty()) title += QStringLiteral(" · ") + QString::fromStdString(model.kind);
        QAction* entry = menu->addAction(escapedAmpersands(title));
        entry->setCheckable(true);
        entry->setData(textOf(model.directory));
        entry->setToolTip(QString::fromStdString(model.summary));
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

void ModelChooser::showLoading(const std::filesystem::path& directory) {
    const auto name = directory.has_filename() ? directory.filename() : directory.parent_path().filename();
    setText(tr("Loading %1…").arg(escapedAmpersands(textOf(name))));
}

void ModelChooser::showModel(const mor::ModelInfo& info) {
    setText(escapedAmpersands(modelTitle(info)) + QStringLiteral("  ▾"));
    setToolTip(info.summary.empty() ? textOf(info.directory)
                                    : QString::fromStdString(info.summary) + '\n' + textOf(info.directory));
    check(info.directory);
}

void ModelChooser::showNone() {
    setText(tr("Choose a model") + QStringLiteral("  ▾"));
    setToolTip(tr("Choose a bundled model or open a model directory"));
    check({});
}

QString modelTitle(const mor::ModelInfo& info) {
    const mor::MorConfig& m = info.config.mor;
    QStringList parts{QString::fromStdString(info.name)};
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
