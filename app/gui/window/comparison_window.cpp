// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/window/comparison_window.hpp"

#include <QAction>
#include <QFileDialog>
#include <QFileInfo>
#include <QFrame>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QScopedValueRollback>
#include <QScrollBar>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>
#include <stdexcept>
#include <utility>

#include "bundled_models.hpp"
#include "gui/controls/error_bar.hpp"
#include "gui/controls/model_chooser.hpp"
#include "gui/controls/run_controls.hpp"
#include "gui/export/export.hpp"
#include "mor/comparison.hpp"
#include "views/comparison/comparison_view.hpp"
#include "views/heatmap/depth_heatmap_view.hpp"
#include "views/kit/legend.hpp"
#include "views/kit/panel.hpp"
#include "views/kv/kv_chart_view.hpp"
#include "views/kv/kv_view.hpp"
#include "views/text/token_flow_view.hpp"

namespace mor::ui {

namespace {

constexpr int kGap = 8, kMargin = 14;
constexpr int kSettleTime = 250;  ///< ms without another change of B's settings before it reads again

std::vector<mor::ModelCard> modelsWithVocabulary(int size) {
    auto models = mor::list_models(bundled_models_root());
    std::erase_if(models, [size](const mor::ModelCard& model) {
        try {
            return mor::read_config(model.directory).llama.vocab_size != size;
        } catch (const std::exception&) {
            return true;
        }
    });
    return models;
}

}  // namespace

ComparisonWindow::ComparisonWindow(Start start, QWidget* parent)
    : QWidget(parent, Qt::Window),
      start_(std::move(start)),
      feed_(std::filesystem::path{}),
      models_(modelsWithVocabulary(start_.a.header.config.llama.vocab_size)) {
    setWindowTitle(tr("Side by side – Morscope"));
    setAttribute(Qt::WA_DeleteOnClose);
    a_.model.load(start_.a);
    makeSide(a_, QStringLiteral("A"));
    makeSide(b_, QStringLiteral("B"));
    compose();
    link();
    connectFeed();
    settled_.setSingleShot(true);
    settled_.setInterval(kSettleTime);
    connect(&settled_, &QTimer::timeout, this, &ComparisonWindow::read);
    connect(controls_, &RunControls::changed, this, [this] {
        if (info_) settled_.start();
    });
    setTheme(start_.theme);
    resize(1360, 920);
}

ComparisonWindow::~ComparisonWindow() {
    qDeleteAll(findChildren<QWidget*>(Qt::FindDirectChildrenOnly));  // the views look at the models, which would go first
}

void ComparisonWindow::makeSide(Side& side, const QString& letter) {
    side.flow = new TokenFlowView(&side.model, &side.selection);
    side.heatmap = new DepthHeatmapView(&side.model, &side.selection);
    side.kv = new KvView(&side.model, &side.selection);
    side.text = new Panel(tr("%1 · text").arg(letter), {}, side.flow);
    side.text->addCorner(new DepthLegend(&side.model));
    side.depths = new Panel(tr("%1 · depth heatmap").arg(letter), {}, side.heatmap);
    side.memory = new Panel(tr("%1 · KV cache").arg(letter), {}, side.kv);
    for (Panel* panel : {side.text, side.depths, side.memory}) panel->enlargeButton()->hide();
}

QWidget* ComparisonWindow::makeHeader() {
    auto* header = new QFrame;
    header->setObjectName(QStringLiteral("header"));
    auto* row = new QHBoxLayout(header);
    row->setContentsMargins(kMargin, 7, kMargin, 7);
    row->setSpacing(kGap);
    const auto label = [&](const QString& text) {
        auto* words = new QLabel(text);
        row->addWidget(words);
        return words;
    };
    const QString nameOfA = QString::fromStdString(start_.a.header.model_name);
    const QString routingOfA = routingSummaryOf(start_.run);
    label(tr("<b>A</b>  %1")
              .arg((routingOfA.isEmpty() ? nameOfA : nameOfA + QStringLiteral(" · ") + routingOfA).toHtmlEscaped()))
        ->setTextFormat(Qt::RichText);
    row->addSpacing(2 * kGap);
    label(tr("<b>B</b>"))->setTextFormat(Qt::RichText);
    auto* open = new QAction(tr("Open model directory…"), this);
    connect(open, &QAction::triggered, this, [this] {
        const QString directory = QFileDialog::getExistingDirectory(this, tr("Model directory of B"));
        if (!directory.isEmpty()) openB(directory);
    });
    chooser_ = new ModelChooser(models_, open);
    connect(chooser_, &ModelChooser::chosen, this, &ComparisonWindow::openB);
    connect(chooser_->menu()->addAction(tr("Open trace…")), &QAction::triggered, this, &ComparisonWindow::askForTrace);
    row->addWidget(chooser_);
    controls_ = new RunControls;
    controls_->setSettings(start_.run);
    controls_->showRoutingOnly();
    row->addWidget(controls_);
    row->addStretch(1);
    auto* save = new QAction(tr("Save picture…"), this);
    save->setShortcut(QKeySequence("Ctrl+Shift+S"));
    save->setToolTip(tr("Save this window as a PNG (Ctrl+Shift+S)"));
    connect(save, &QAction::triggered, this, &ComparisonWindow::savePicture);
    addAction(save);
    auto* button = new QToolButton;
    button->setDefaultAction(save);
    row->addWidget(button);
    auto* close = new QAction(tr("Close"), this);
    close->setShortcuts({QKeySequence(Qt::Key_Escape), QKeySequence::Close});
    connect(close, &QAction::triggered, this, &QWidget::close);
    addAction(close);
    return header;
}

void ComparisonWindow::compose() {
    figures_ = new ComparisonView;
    figures_->setToolTip(
        tr("Over the tokens that both have. A wrote this text, so it expects it more than another model does: which one "
           "predicts better is measured on a text that neither wrote (morscope-cli perplexity)."));
    figuresPanel_ = new Panel(tr("A and B"), {}, figures_);
    figuresPanel_->enlargeButton()->hide();
    error_ = new ErrorBar;

    auto* texts = new QHBoxLayout;
    texts->setSpacing(kGap);
    for (const Side* side : {&a_, &b_}) texts->addWidget(side->text, 1);
    auto* memory = new QHBoxLayout;
    memory->setSpacing(kGap);
    for (const Side* side : {&a_, &b_}) memory->addWidget(side->memory, 1);
    auto* left = new QVBoxLayout;
    left->setSpacing(kGap);
    left->addLayout(texts, 3);
    left->addLayout(memory, 3);
    auto* upper = new QHBoxLayout;
    upper->setSpacing(kGap);
    upper->addLayout(left, 1);
    figuresPanel_->setMinimumWidth(360);
    upper->addWidget(figuresPanel_);

    auto* middle = new QVBoxLayout;
    middle->setContentsMargins(kMargin, kGap, kMargin, kMargin);
    middle->setSpacing(kGap);
    middle->addWidget(error_);
    middle->addLayout(upper, 5);
    middle->addWidget(a_.depths, 3);
    middle->addWidget(b_.depths, 3);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(makeHeader());
    column->addLayout(middle, 1);
}

/// What is done on one side is done on the other: selection, columns, scrolling, axes.
void ComparisonWindow::link() {
    const auto once = [this](auto&& follow) {
        if (linking_) return;  // the other side answers
        const QScopedValueRollback<bool> quiet(linking_, true);
        follow();
    };
    for (const auto& [from, to] : {std::pair(&a_, &b_), std::pair(&b_, &a_)}) {
        connect(&from->selection, &Selection::changed, this,
                [=, from = from, to = to] { once([&] { to->selection.setMarks(from->selection.marks()); }); });
        connect(from->heatmap, &DepthHeatmapView::columnWidthChanged, this,
                [=, to = to](double width) { once([&] { to->heatmap->setColumnWidth(width); }); });
        connect(from->heatmap->horizontalScrollBar(), &QScrollBar::valueChanged, this,
                [=, other = to->heatmap->horizontalScrollBar()](int value) { once([&] { other->setValue(value); }); });
        // Lines without depths below the words are lower: the same share of the text, not the same pixels.
        connect(from->flow->verticalScrollBar(), &QScrollBar::valueChanged, this,
                [=, of = from->flow->verticalScrollBar(), other = to->flow->verticalScrollBar()](int value) {
                    once([&] {
                        other->setValue(of->maximum() > 0 ? qRound(double(value) * other->maximum() / of->maximum()) : 0);
                    });
                });
        from->kv->chart()->shareAxesWith(to->kv->chart());
    }
}

void ComparisonWindow::connectFeed() {
    connect(&feed_, &Feed::modelLoaded, this, [this](const mor::ModelInfo& info, bool) { showModel(info); });
    connect(&feed_, &Feed::loadAdvanced, this, [this](double share) { chooser_->showLoading(loading_, share); });
    connect(&feed_, &Feed::loadFailed, this, [this](const QString& sentence) {
        if (info_)
            chooser_->showModel(*info_);
        else
            traceOfB_.isEmpty() ? chooser_->showNone() : chooser_->showTrace(traceOfB_);
        if (!sentence.isEmpty()) fail(tr("%1; choose another model for B").arg(sentence));
    });
    connect(&feed_, &Feed::started, this, [this](const mor::TraceHeader& header) { b_.model.begin(header); });
    connect(&feed_, &Feed::batch, this,
            [this](const auto& tokens, const auto& passes) { b_.model.append(tokens, passes); });
    connect(&feed_, &Feed::failed, this, &ComparisonWindow::fail);
    connect(&feed_, &Feed::finished, this, [this](mor::Finish how) {
        if (reads_ && how != mor::Finish::Cancelled) finish();
    });
}

QString ComparisonWindow::suggestion() const {
    for (const mor::ModelCard& model : models_)
        if (model.name != start_.a.header.model_name) return QString::fromStdString(model.directory.string());
    return {};
}

void ComparisonWindow::openB(const QString& directory) {
    if (directory.isEmpty()) return fail(tr("No other model here has this vocabulary: open a model directory for B."));
    error_->hide();
    reads_ = done_ = false;
    loading_ = directory.toStdString();
    chooser_->showLoading(loading_, 0);
    feed_.load(loading_, start_.device);
}

void ComparisonWindow::askForTrace() {
    const QString file = QFileDialog::getOpenFileName(this, tr("Trace of B"), {}, tr("Traces (*.mortrace)"));
    if (!file.isEmpty()) openTraceOfB(file);
}

void ComparisonWindow::openTraceOfB(const QString& file) {
    error_->hide();
    reads_ = done_ = false;
    if (feed_.state() == EngineState::Loading) feed_.cancelLoad();
    feed_.stop();
    try {
        b_.model.load(mor::read_trace(QFile::encodeName(file).toStdString()));
    } catch (const std::exception& error) {
        return fail(QString::fromUtf8(error.what()));
    }
    info_.reset();  // there is no model whose settings could be changed
    controls_->setEnabled(false);
    traceOfB_ = QFileInfo(file).fileName();
    chooser_->showTrace(traceOfB_);
    finish();
}

void ComparisonWindow::showModel(const mor::ModelInfo& info) {
    info_ = info;
    traceOfB_.clear();
    controls_->setEnabled(true);
    chooser_->showModel(info);
    controls_->whatIf()->setModel(info);
    read();
}

void ComparisonWindow::read() {
    settled_.stop();
    done_ = false;
    const int a = start_.a.header.config.llama.vocab_size, b = info_->config.llama.vocab_size;
    if (a != b)
        return fail(tr("A has a vocabulary of %1 tokens and B of %2: choose a model with the same one.").arg(a).arg(b));
    if (!controls_->whatIf()->isValid()) return fail(tr("Forced depths: write position=depth, for instance 3=1, 7=2."));
    error_->hide();
    RunRequest request;
    for (const mor::TokenRecord& token : start_.a.tokens)
        if (token.request == 0) request.settings.prompt.push_back(token.token);
    request.settings.max_tokens = 0;
    request.settings.prompt_logprobs = true;
    request.settings.routing = controls_->routing();
    request.kv.policy = controls_->whatIf()->settings().kvPolicy;
    reads_ = true;
    feed_.generate(std::move(request));
}

void ComparisonWindow::finish() {
    reads_ = false;
    try {
        figures_->setComparison(mor::compare_runs(start_.a, b_.model.trace()));
    } catch (const std::exception& error) {
        return fail(QString::fromUtf8(error.what()));
    }
    for (const Side* side : {&a_, &b_}) side->kv->chart()->flush();
    b_.selection.setMarks(a_.selection.marks());
    updateCaptions();
    showBeginning();
    done_ = true;
    emit finished();
}

/// Live runs are followed to their end, but a text is compared from where it begins; later comparisons stay where the
/// reader is.
void ComparisonWindow::showBeginning() {
    if (std::exchange(shown_, true)) return;
    for (const Side* side : {&a_, &b_}) {
        side->flow->showBeginning();
        side->heatmap->showBeginning();
    }
    a_.heatmap->setFocus();
}

void ComparisonWindow::fail(const QString& sentence) {
    reads_ = false;
    figures_->setComparison({});
    error_->showSentence(sentence);
    updateCaptions();
    emit failed(sentence);
}

void ComparisonWindow::updateCaptions() {
    for (const Side* side : {&a_, &b_}) {
        side->depths->setCaption(side->heatmap->caption());
        side->memory->setCaption(side->kv->caption());
    }
    a_.text->setCaption(tr("as it was written"));
    b_.text->setCaption(tr("as B reads it"));
    figuresPanel_->setCaption(figures_->caption());
}

void ComparisonWindow::setTheme(const Theme& theme) {
    QPalette ground = palette();
    ground.setColor(QPalette::Window, theme.frame().ground);
    setPalette(ground);
    setAutoFillBackground(true);
    for (Panel* panel : {a_.text, a_.depths, a_.memory, b_.text, b_.depths, b_.memory, figuresPanel_})
        panel->setTheme(theme);
    updateCaptions();
}

void ComparisonWindow::savePicture() {
    QString file =
        QFileDialog::getSaveFileName(this, tr("Save picture"), QStringLiteral("comparison.png"), tr("PNG (*.png)"));
    if (file.isEmpty()) return;
    if (!file.endsWith(QStringLiteral(".png"), Qt::CaseInsensitive)) file += QStringLiteral(".png");
    if (const QString reason = savePixmap(grab(), file); !reason.isEmpty()) error_->showSentence(reason);
}

}  // namespace mor::ui
