// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

namespace mor::ui {

/// What stands in the prompt box before anybody has typed anything.
inline const QString kSamplePrompt = QStringLiteral("The king said to his servant, \"Go down to the river");
/// The same for a model without a tokenizer; small ids exist in every vocabulary.
inline const QString kSampleIds = QStringLiteral("1, 2, 3, 4, 5, 6, 7, 8");

}  // namespace mor::ui
