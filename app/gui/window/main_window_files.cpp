// SPDX-License-Identifier: GPL-3.0-or-later
// The window's files: models, traces, pictures.
#include <QDir>
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QMenu>
#include <QMessageBox>
#include <QMimeData>
#include <QUrl>
#include <algorithm>
#include <thread>

#include "bundled_models.hpp"
#include "gui/controls/error_bar.hpp"
#include "gui/controls/model_chooser.hpp"
#include "gui/export/export.hpp"
#include "gui/export/run_text.hpp"
#include "gui/page/trace_page.hpp"
#include "gui/window/comparison_window.hpp"
#include "gui/window/main_window.hpp"
#include "mor/error.hpp"
#include "mor/trace.hpp"

namespace mor::ui {

namespace {

const QString kTraceSuffix = QStringLiteral(".mortrace");
constexpr double kPictureScale = 2;  ///< two pixels for one on screen, sharp in print

/// One core stays free for the window.
mor::DeviceSettings deviceSettings(const QString& choice) {
    mor::DeviceSettings device{.device = choice.toStdString()};
    device.threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()) - 1);
    return device;
}

std::filesystem::path pathOf(const QString& name) { return QFile::encodeName(name).toStdString(); }

}  // namespace

void MainWindow::open(const QString& path) { QFileInfo(path).isDir() ? openModel(path) : openTrace(path); }

void MainWindow::openModel(const QString& directory) {
    error_->hide();
    const auto path = pathOf(QDir::cleanPath(directory));
    loading_ = path;
    feed_.load(path, deviceSettings(settings_.device));
}

ComparisonWindow* MainWindow::compareWith(const QString& directory) {
    ComparisonWindow::Start start{player_.whole(), deviceSettings(settings_.device), settings_.run, page_->theme()};
    start.run.rule = start.a.header.routing.rule;
    start.run.threshold = start.a.header.routing.threshold;
    start.theme.scale = 1;
    auto* comparison = new ComparisonWindow(std::move(start), this);
    comparison->show();
    comparison->openB(directory.isEmpty() ? comparison->suggestion() : directory);
    return comparison;
}

void MainWindow::chooseDevice(const QString& id) {
    settings_.device = id;
    if (info_) openModel(QString::fromStdString(info_->directory.string()));
}

void MainWindow::openDefaultModel() {
    if (!settings_.lastModel.isEmpty() && QFileInfo(settings_.lastModel).isDir()) return openModel(settings_.lastModel);
    const auto root = bundled_models_root();
    const auto models = mor::list_models(root);
    if (models.empty())
        return showError(tr("No model in %1: open a model directory from the menu at the top left.")
                             .arg(QString::fromStdString(root.string())));
    openModel(QString::fromStdString(models.front().directory.string()));
}

void MainWindow::openTrace(const QString& file) {
    if (showTrace(file)) remember(file);
}

bool MainWindow::showTrace(const QString& file) {
    try {
        mor::Trace trace = mor::read_trace(pathOf(file));
        const bool torn = trace.torn;
        feed_.stop();
        error_->hide();
        live_ = false;
        traceName_ = QFileInfo(file).fileName();
        player_.load(std::move(trace));
        showState(feed_.state());
        if (torn) showError(tr("%1 ends in the middle of a record: everything before it is shown.").arg(traceName_));
        return true;
    } catch (const std::exception& error) {
        showError(tr("%1; choose another trace").arg(QString::fromStdString(error.what())));
        return false;
    }
}

void MainWindow::showRecovered(const QString& trace) {
    if (!showTrace(trace)) return;
    if (!model_.hasRun() || model_.isEmpty()) return;
    showError(tr("Morscope did not end properly the last time. The run it was recording is shown; it is kept in %1.")
                  .arg(QDir::toNativeSeparators(trace)));
}

void MainWindow::showDemo() {
    const auto file = bundled_models_root().parent_path() / "demo" / "first-run.mortrace";
    std::error_code error;
    if (std::filesystem::exists(file, error)) showTrace(QFile::decodeName(file.c_str()));
}

void MainWindow::aboutRun() { QMessageBox::information(this, tr("About this run"), runText(model_.header())); }

void MainWindow::askForTrace() {
    const QString file =
        QFileDialog::getOpenFileName(this, tr("Open trace"), {}, tr("Traces (*%1);;All files (*)").arg(kTraceSuffix));
    if (!file.isEmpty()) openTrace(file);
}

void MainWindow::askForModel() {
    const QString directory = QFileDialog::getExistingDirectory(this, tr("Open model directory"));
    if (!directory.isEmpty()) openModel(directory);
}

void MainWindow::saveTrace() {
    QString file = QFileDialog::getSaveFileName(this, tr("Save trace"), QStringLiteral("run") + kTraceSuffix,
                                                tr("Traces (*%1)").arg(kTraceSuffix));
    if (file.isEmpty()) return;
    if (QFileInfo(file).suffix().isEmpty()) file += kTraceSuffix;
    const auto path = pathOf(file);
    auto unfinished = path;  // a full disk must not cost the file that is there
    unfinished += ".new";
    try {
        mor::TraceWriter writer(unfinished, model_.header());
        for (const mor::PassRecord& pass : player_.whole().passes) writer.add(pass);
        for (const mor::TokenRecord& token : player_.whole().tokens) writer.add(token);
        std::filesystem::rename(unfinished, path);
        remember(file);
    } catch (const std::exception& error) {
        std::error_code ignored;
        std::filesystem::remove(unfinished, ignored);
        showError(tr("%1; save it somewhere else").arg(QString::fromStdString(error.what())));
    }
}

void MainWindow::savePicture() {
    const QString file = QFileDialog::getSaveFileName(this, tr("Save picture"), QStringLiteral("run.png"),
                                                      tr("Pictures and pages (*.png *.pdf *.svg *.html)"));
    if (file.isEmpty()) return;
    const QString problem = exportPicture(*page_, file, page_->size(), kPictureScale);
    if (!problem.isEmpty()) showError(problem);
}

void MainWindow::remember(const QString& trace) {
    const QString path = QFileInfo(trace).absoluteFilePath();
    settings_.recentTraces.removeAll(path);
    settings_.recentTraces.prepend(path);
    settings_.recentTraces = settings_.recentTraces.mid(0, Settings::kMostRecent);
    fillRecent();
}

void MainWindow::fillRecent() {
    recent_->clear();
    recent_->setEnabled(!settings_.recentTraces.isEmpty());
    for (const QString& file : std::as_const(settings_.recentTraces)) {
        QAction* entry = recent_->addAction(QFileInfo(file).fileName().replace('&', QStringLiteral("&&")));
        entry->setToolTip(file);
        connect(entry, &QAction::triggered, this, [this, file] { openTrace(file); });
    }
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
    const auto urls = event->mimeData()->urls();
    if (std::any_of(urls.begin(), urls.end(), [](const QUrl& url) { return url.isLocalFile(); }))
        event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
    for (const QUrl& url : event->mimeData()->urls())
        if (url.isLocalFile()) open(url.toLocalFile());
    event->acceptProposedAction();
}

}  // namespace mor::ui
