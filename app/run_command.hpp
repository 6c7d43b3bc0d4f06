// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "mor/trace.hpp"

namespace mor {

/// The line for a shell that generates this run again: `morscope-cli generate MODEL --prompt … --seed 7`. Settings with
/// their default value are left out, the device is whatever the machine has. `model` is a directory or the name of a
/// bundled model; empty: the word MODEL_DIR stands there. A prompt that was given as token ids comes back as these.
std::string run_command(const Trace&, const std::string& model);

/// What resolve_model() takes for the model of this run, where it is a bundled one; else empty.
std::string bundled_name(const TraceHeader&);

/// A word as a POSIX shell reads it: quoted where it has to be; control characters make it a $'…' word.
std::string shell_word(const std::string& text);

}  // namespace mor
