// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFrame>
#include <QPlainTextEdit>
#include <optional>
#include <vector>

#include "views/kit/theme.hpp"

class QLabel;

namespace mor::ui {

/// Where the prompt is typed: one line that grows to four. For a model without a tokenizer it takes token ids.
class PromptBox : public QFrame {
    Q_OBJECT

public:
    explicit PromptBox(QWidget* parent = nullptr);

    QString text() const { return edit_->toPlainText(); }
    void setText(const QString& text) { edit_->setPlainText(text); }
    void setTakesTokenIds(bool, const QString& sample = {});  ///< the sample stands there while nothing else does
    void setTheme(const Theme&);
    QPlainTextEdit* edit() const { return edit_; }

signals:
    void textChanged();

protected:
    void resizeEvent(QResizeEvent*) override;

private:
    void fitHeight();

    QLabel* caption_;
    QPlainTextEdit* edit_;
};

/// "1, 2,3" or "1 2 3" as ids; empty when the text is anything else.
std::optional<std::vector<int>> parseTokenIds(const QString&);

}  // namespace mor::ui
