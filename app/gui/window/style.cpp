// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/window/style.hpp"

namespace mor::ui {

namespace {

struct Alarm {
    QColor ground, line, text;
};

Alarm alarmOf(Appearance appearance) {
    if (appearance == Appearance::Dark) return {QColor(0x3b2327), QColor(0x6e3a40), QColor(0xf3c9cb)};
    return {QColor(0xfcedec), QColor(0xe8b4b0), QColor(0x7d1f1a)};
}

// Buttons, fields and menus. %1 ground, %2 panel, %3 line, %4 text, %5 caption, %6 accent, %7 accent text, %8 hover,
// %9 disabled text; sizes are pixels of the 4-pixel grid. Buttons add two blanks after their text, hence the uneven
// padding.
constexpr auto kSheet = R"(
QMainWindow { background: %1; }
#header { background: %2; border: 0; border-bottom: 1px solid %3; }
#statusLine { background: %2; border: 0; border-top: 1px solid %3; color: %5; }
#promptBox { background: %2; border: 1px solid %3; border-radius: 4px; }
#promptBox QPlainTextEdit { background: transparent; border: 0; color: %4; }
#promptCaption { color: %5; background: transparent; }
QToolButton { background: %2; color: %4; border: 1px solid %3; border-radius: 4px; padding: 0 4px 0 12px; min-height: 30px; }
#header QToolButton { font-size: 12px; padding: 0 2px 0 8px; }
QToolButton#modelChooser { padding: 0 10px; }
QToolButton:hover { background: %8; }
QToolButton:pressed, QToolButton:open { background: %3; }
QToolButton:disabled { color: %9; }
QToolButton:focus { border-color: %6; }
QToolButton::menu-indicator { image: none; }
QToolButton#primary { background: %6; color: %7; border-color: %6; font-weight: bold; }
QToolButton#primary:disabled { background: %3; color: %5; border-color: %3; }
QToolButton#quiet, QToolButton#deviceChooser { border-color: transparent; color: %5; padding: 0 6px; }
QToolButton#quiet:hover, QToolButton#deviceChooser:hover { background: %8; color: %4; }
QToolButton#quiet:focus, QToolButton#deviceChooser:focus { border-color: %6; }
QMenu { background: %2; color: %4; border: 1px solid %3; padding: 4px; }
QMenu::item { padding: 6px 24px; border-radius: 4px; }
QMenu::item:selected { background: %8; }
QMenu::item:disabled { color: %9; }
QMenu::separator { height: 1px; background: %3; margin: 4px 8px; }
QSplitter::handle { background: transparent; }
QSplitter::handle:hover { background: %3; }
QToolTip { background: %2; color: %4; border: 1px solid %3; padding: 4px; }
QProgressBar { background: transparent; border: 0; }
QProgressBar::chunk { background: %6; }
)";

// %1 ground, %2 line, %3 text
constexpr auto kAlarmSheet = R"(
#errorBar { background: %1; border: 1px solid %2; border-radius: 4px; }
#errorBar QLabel { color: %3; background: transparent; }
#errorBar QToolButton { color: %3; background: transparent; border: 1px solid transparent; min-height: 24px; padding: 0 8px; }
#errorBar QToolButton:hover, #errorBar QToolButton:focus { border-color: %2; }
)";

}  // namespace

QPalette paletteOf(const Theme& theme) {
    const Frame& f = theme.frame();
    QPalette p(f.panel, f.ground);
    p.setColor(QPalette::Window, f.ground);
    p.setColor(QPalette::WindowText, f.text);
    p.setColor(QPalette::Base, f.panel);
    p.setColor(QPalette::AlternateBase, f.ground);
    p.setColor(QPalette::Text, f.text);
    p.setColor(QPalette::Button, f.panel);
    p.setColor(QPalette::ButtonText, f.text);
    p.setColor(QPalette::ToolTipBase, f.panel);
    p.setColor(QPalette::ToolTipText, f.text);
    p.setColor(QPalette::PlaceholderText, f.caption);
    p.setColor(QPalette::Highlight, f.accent);
    p.setColor(QPalette::HighlightedText, f.accentText);
    p.setColor(QPalette::Link, f.accent);
    const QColor faint = blend(f.panel, f.caption, 0.7);
    for (const auto role : {QPalette::Text, QPalette::WindowText, QPalette::ButtonText})
        p.setColor(QPalette::Disabled, role, faint);
    return p;
}

QString styleSheetOf(const Theme& theme) {
    const Frame& f = theme.frame();
    const QString sheet = QString::fromLatin1(kSheet).arg(
        f.ground.name(), f.panel.name(), f.line.name(), f.text.name(), f.caption.name(), f.accent.name(),
        f.accentText.name(), blend(f.panel, f.text, 0.06).name(), blend(f.panel, f.caption, 0.6).name());
    const Alarm alarm = alarmOf(theme.appearance);
    return sheet + QString::fromLatin1(kAlarmSheet).arg(alarm.ground.name(), alarm.line.name(), alarm.text.name());
}

Appearance appearanceOf(AppearanceChoice choice, const QPalette& desktop) {
    switch (choice) {
        case AppearanceChoice::Light:
            return Appearance::Light;
        case AppearanceChoice::Dark:
            return Appearance::Dark;
        case AppearanceChoice::System:
            break;
    }
    return luminance(desktop.color(QPalette::Window)) < 0.2 ? Appearance::Dark : Appearance::Light;
}

}  // namespace mor::ui
