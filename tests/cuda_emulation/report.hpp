// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cuda_emulation/settings.hpp"
#include "cuda_emulation/types.hpp"

namespace cuda_emulation {

/// Prints "cuda emulation: SENTENCE" on standard error and keeps it for take_faults() and the exit status.
[[gnu::format(printf, 1, 2)]] void fault(const char* sentence, ...);

/// "file.cu:12", without folders.
std::string place(const Where&);

bool same(const Where&, const Where&);

/// Ends the process with kFaultExit when there are faults; for the end of the program.
void exit_with_faults();

}  // namespace cuda_emulation
