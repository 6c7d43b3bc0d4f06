// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

#include "views/kit/theme.hpp"

class QStackedLayout;

namespace mor::ui {

class KvChartView;
class KvSlotView;
class Selection;
class TraceModel;

/// The KV cache's two pictures in one place: bytes over time (used, or reserved in blocks), and the map of slots.
class KvView : public QWidget, public Picture {
    Q_OBJECT

public:
    enum Mode { Used, Reserved, Slots };

    KvView(TraceModel*, Selection*, QWidget* parent = nullptr);

    KvChartView* chart() const { return chart_; }
    KvSlotView* slotMap() const { return slots_; }
    Mode mode() const { return mode_; }
    void setMode(Mode);
    QString caption() const { return captionOf(mode_); }
    QString captionOf(Mode) const;

    void setTheme(const Theme&) override;
    void drawInto(QPainter&, const QRectF& area) const override;
    QString description() const override;
    void catchUp() override;

private:
    const Picture& shown() const;

    KvChartView* chart_;
    KvSlotView* slots_;
    QStackedLayout* stack_;
    Mode mode_ = Used;
};

}  // namespace mor::ui
