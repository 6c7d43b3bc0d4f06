// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/time/play_bar.hpp"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLocale>
#include <QMenu>
#include <QSignalBlocker>
#include <QSlider>
#include <QToolButton>
#include <QWidgetAction>
#include <algorithm>

#include "models/trace_player.hpp"
#include "views/kit/geometry.hpp"
#include "views/kit/icons.hpp"
#include "views/time/conditions_editor.hpp"

namespace mor::ui {
namespace {

constexpr double kSpeeds[]{0.5, 1, 2, 5, 10, 20, 50, 100, 0};  // tokens per second; 0: as they come

QToolButton* makeButton(const QString& text, const QString& tip) {
    auto* button = new QToolButton;
    button->setText(text);
    button->setToolTip(tip);
    button->setAccessibleName(tip);
    button->setAutoRaise(true);
    button->setFocusPolicy(Qt::TabFocus);
    return button;
}

}  // namespace

PlayBar::PlayBar(TracePlayer* player, QWidget* parent)
    : QWidget(parent),
      player_(player),
      back_(makeButton({}, tr("One token back (Alt+Left)"))),
      play_(makeButton({}, tr("Play or pause"))),
      forward_(makeButton({}, tr("One token on (Alt+Right)"))),
      slider_(new QSlider(Qt::Horizontal)),
      position_(new QLabel),
      speeds_(new QComboBox),
      stopWhen_(makeButton({}, tr("Tokens to stop at and to look for"))),
      conditions_(new ConditionsEditor) {
    setObjectName(QStringLiteral("playBar"));
    back_->setAutoRepeat(true);
    forward_->setAutoRepeat(true);
    slider_->setAccessibleName(tr("Position in the run"));
    slider_->setToolTip(tr("The moment of the run that is shown: one step is one pass through some layers"));
    position_->setTextFormat(Qt::PlainText);
    for (const double speed : kSpeeds)
        speeds_->addItem(speed > 0 ? tr("%1 tokens/s").arg(QLocale().toString(speed)) : tr("full speed"), speed);
    speeds_->setToolTip(tr("How fast tokens are shown; the engine computes ahead"));
    speeds_->setAccessibleName(tr("Speed"));
    setSpeed(0);
    auto* menu = new QMenu(stopWhen_);
    auto* action = new QWidgetAction(menu);
    action->setDefaultWidget(conditions_);
    menu->addAction(action);
    stopWhen_->setMenu(menu);
    stopWhen_->setPopupMode(QToolButton::InstantPopup);

    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->addWidget(back_);
    row->addWidget(play_);
    row->addWidget(forward_);
    row->addWidget(slider_, 1);
    row->addWidget(position_);
    row->addWidget(speeds_);
    row->addWidget(stopWhen_);
    connect(back_, &QToolButton::clicked, player, [player] { player->stepTokens(-1); });
    connect(forward_, &QToolButton::clicked, player, [player] { player->stepTokens(1); });
    connect(play_, &QToolButton::clicked, this, &PlayBar::playToggled);
    connect(slider_, &QSlider::valueChanged, player, &TracePlayer::seek);
    connect(speeds_, &QComboBox::currentIndexChanged, player, [this] { player_->setSpeed(speed()); });
    connect(conditions_, &ConditionsEditor::matchWanted, this, &PlayBar::matchWanted);
    connect(conditions_, &ConditionsEditor::changed, this, &PlayBar::showConditions);
    connect(player, &TracePlayer::moved, this, &PlayBar::refresh);
    connect(player, &TracePlayer::playingChanged, this, &PlayBar::refresh);
    showConditions();
    refresh();
    setTheme({});
}

double PlayBar::speed() const { return speeds_->currentData().toDouble(); }

void PlayBar::setSpeed(double tokensPerSecond) {
    const int index = speeds_->findData(tokensPerSecond);
    speeds_->setCurrentIndex(index >= 0 ? index : speeds_->count() - 1);
}

QString PlayBar::positionText() const {
    const int tokens = player_->tokensAt(player_->moment()), all = player_->tokensAt(player_->end());
    auto text = tr("token %1 of %2").arg(countText(tokens), countText(all));
    const int begin = tokens > 0 ? player_->momentOf(tokens - 1) : 0;
    const int under = player_->moment() - begin;
    if (under > 0) text += under == 1 ? tr(" + 1 pass") : tr(" + %1 passes").arg(under);
    return text;
}

void PlayBar::refresh() {
    const QSignalBlocker quiet(slider_);
    slider_->setRange(0, std::max(0, player_->end()));
    slider_->setValue(player_->moment());
    slider_->setEnabled(player_->end() > 0);
    slider_->setPageStep(std::max(1, player_->end() / 20));
    position_->setText(positionText());
    showIcons();
    reserveWidth();
    play_->setEnabled(player_->end() > 0);
    back_->setEnabled(player_->moment() > 0);
    forward_->setEnabled(!player_->isAtEnd());
}

void PlayBar::showIcons() {
    const auto& frame = theme_.frame();
    const auto set = [&](QToolButton* button, Glyph glyph) { button->setIcon(icon(glyph, frame.text, frame.neutral)); };
    set(back_, Glyph::PreviousToken);
    set(play_, player_->isPlaying() ? Glyph::Pause : Glyph::Play);
    set(forward_, Glyph::NextToken);
}

/// Numbers may grow, the slider must not move for it: room for every digit of this run.
void PlayBar::reserveWidth() {
    const int tokens = player_->tokensAt(player_->end());
    const QString digits(countText(tokens).size() + 1, QLatin1Char('8'));
    const auto widest = tr("token %1 of %2").arg(digits, digits) + tr(" + %1 passes").arg(88);
    if (digits.size() != reserved_) position_->setMinimumWidth(QFontMetrics(theme_.caption()).horizontalAdvance(widest));
    reserved_ = digits.size();
}

void PlayBar::showConditions() {
    const auto summary = conditions_->summary();
    stopWhen_->setText(summary.isEmpty() ? tr("Stop when …") : tr("Stop when %1").arg(summary));
    player_->setBreakpoints(conditions_->conditions());
}

void PlayBar::setTheme(const Theme& theme) {
    theme_ = theme;
    const auto& frame = theme.frame();
    setStyleSheet(
        QStringLiteral(
            "QToolButton { border: 0; border-radius: %5px; padding: 2px %6px; min-height: 0; color: %1; background: "
            "transparent; }"
            "QToolButton:hover, QToolButton:focus { background: %3; }"
            "QToolButton:disabled { color: %4; }"
            "QToolButton::menu-indicator { image: none; }"
            "QSlider::groove:horizontal { height: 4px; border-radius: 2px; background: %3; }"
            "QSlider::sub-page:horizontal { height: 4px; border-radius: 2px; background: %4; }"
            "QSlider::handle:horizontal { width: 12px; margin: -4px 0; border-radius: 6px; background: %2; }"
            "QSlider::handle:horizontal:disabled { background: %4; }")
            .arg(frame.text.name(), frame.selection.name(), frame.track.name(), frame.neutral.name())
            .arg(qRound(theme.px(3)))
            .arg(qRound(theme.px(6))));
    position_->setFont(theme.caption());
    speeds_->setFont(theme.caption());
    stopWhen_->setFont(theme.caption());
    reserved_ = 0;
    refresh();
}

}  // namespace mor::ui
