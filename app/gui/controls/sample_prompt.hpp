// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

#include "mor/model.hpp"

namespace mor::ui {

/// What stands in the prompt box before anybody has typed anything.
inline const QString kSamplePrompt = QStringLiteral("The king said to his servant, \"Go down to the river");
/// The same for a model without a tokenizer; small ids exist in every vocabulary.
inline const QString kSampleIds = QStringLiteral("1, 2, 3, 4, 5, 6, 7, 8");

/// A text that shows what this model can do.
inline QString samplePrompt(const mor::ModelInfo& info, bool hasTokenizer) {
    if (!hasTokenizer) return kSampleIds;
    return info.prompt.empty() ? kSamplePrompt : QString::fromStdString(info.prompt);
}

}  // namespace mor::ui
