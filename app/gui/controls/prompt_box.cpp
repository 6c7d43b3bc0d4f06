// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/controls/prompt_box.hpp"

#include <QHBoxLayout>
#include <QLabel>
#include <QRegularExpression>
#include <QTextBlock>
#include <algorithm>
#include <cmath>

namespace mor::ui {

namespace {

constexpr int kMostLines = 4;

}  // namespace

PromptBox::PromptBox(QWidget* parent) : QFrame(parent), caption_(new QLabel), edit_(new QPlainTextEdit) {
    setObjectName(QStringLiteral("promptBox"));
    caption_->setObjectName(QStringLiteral("promptCaption"));
    caption_->setBuddy(edit_);
    edit_->setTabChangesFocus(true);
    edit_->setVerticalScrollBarPolicy(Qt::ScrollBarAsNeeded);
    edit_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    edit_->setFrameShape(QFrame::NoFrame);
    edit_->viewport()->setAutoFillBackground(false);
    edit_->setAcceptDrops(false);  // files dropped here are for the window
    edit_->document()->setDocumentMargin(0);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(12, 7, 12, 7);
    row->setSpacing(12);
    row->addWidget(caption_, 0, Qt::AlignTop);
    row->addWidget(edit_, 1);
    connect(edit_, &QPlainTextEdit::textChanged, this, [this] {
        fitHeight();
        emit textChanged();
    });
    setTakesTokenIds(false);
    setTheme({});
}

void PromptBox::setTakesTokenIds(bool ids, const QString& sample) {
    caption_->setText(ids ? tr("Token ids") : tr("Prompt"));
    edit_->setPlaceholderText(ids                ? tr("Type token ids such as 1, 2, 3: this model has no tokenizer")
                              : sample.isEmpty() ? tr("Type the beginning of a text and press Generate")
                                                 : tr("Type the beginning of a text, for instance: %1").arg(sample));
    edit_->setAccessibleName(caption_->text());
}

void PromptBox::setTheme(const Theme& theme) {
    caption_->setFont(theme.caption());
    edit_->setFont(theme.token());
    const int leading = QFontMetrics(theme.token()).height() - QFontMetrics(theme.caption()).height();
    caption_->setContentsMargins(0, leading / 2, 0, 0);
    fitHeight();
}

void PromptBox::resizeEvent(QResizeEvent* event) {
    QFrame::resizeEvent(event);
    fitHeight();
}

void PromptBox::fitHeight() {
    int lines = 0;
    for (QTextBlock block = edit_->document()->begin(); block.isValid() && lines < kMostLines; block = block.next())
        lines += std::max(1, block.layout() ? block.layout()->lineCount() : 1);
    lines = std::clamp(lines, 1, kMostLines);
    const double line = QFontMetricsF(edit_->font()).lineSpacing();
    edit_->setFixedHeight(static_cast<int>(std::ceil(lines * line)) + 2);
}

std::optional<std::vector<int>> parseTokenIds(const QString& text) {
    static const QRegularExpression separators(QStringLiteral("[\\s,]+"));
    std::vector<int> ids;
    for (const QString& word : text.split(separators, Qt::SkipEmptyParts)) {
        bool ok = false;
        const int id = word.toInt(&ok);
        if (!ok || id < 0) return {};
        ids.push_back(id);
    }
    if (ids.empty()) return {};
    return ids;
}

}  // namespace mor::ui
