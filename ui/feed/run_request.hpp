// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

#include "mor/session.hpp"

namespace mor::ui {

/// A run as the window asks for it. `settings.prompt` holds token ids, or is empty and `text` is encoded.
struct RunRequest {
    QString text;
    mor::Request settings;
    mor::KvSettings kv;
};

/// How far to compute before pausing.
enum class Pace {
    Run,       ///< to the end of the text
    Token,     ///< to the end of the prompt, then one decoded token at a time
    Recursion  ///< one pass: one segment of layers
};

/// What the engine's thread is doing.
enum class EngineState {
    NoModel,
    Loading,
    Ready,  ///< a model, nothing running
    Running,
    Paused,
    Analyzing  ///< reading a finished text under another rule
};

}  // namespace mor::ui
