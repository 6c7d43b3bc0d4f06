// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

namespace mor::ui {

class TraceModel;

/// How a token is called on screen: its label, or, where it is only some bytes of a character, that character and which of
/// its tokens this is: "😀 2/4" instead of "<0x9F>". Bytes that make no character, or whose character is not complete yet,
/// keep their label. "…" for a token that is not known yet.
QString tokenName(const TraceModel&, int token);

/// Whether tokenName() names a part of a character.
bool isPartOfCharacter(const TraceModel&, int token);

/// A name between quotation marks, line breaks and blanks made visible.
QString quoted(const QString& name);

/// The same without the marks: for places where every name stands alone.
QString visible(const QString& name);

/// How a token is written in running text: line breaks as "↵", tabs as "⇥", lone blanks as "␣", the blank before a word
/// left out; its name where it adds no text of its own, or only part of a character.
QString flowText(const TraceModel&, int token);
QString flowText(const QString& text, const QString& name);

}  // namespace mor::ui
