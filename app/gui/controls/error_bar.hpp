// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFrame>

class QLabel;

namespace mor::ui {

/// One sentence about what went wrong and what to do, in place, until it is dismissed or the next one comes.
class ErrorBar : public QFrame {
    Q_OBJECT

public:
    explicit ErrorBar(QWidget* parent = nullptr);

    void showSentence(const QString&);
    QString sentence() const;

private:
    QLabel* label_;
};

}  // namespace mor::ui
