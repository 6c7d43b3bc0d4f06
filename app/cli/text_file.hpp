// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace mor::cli {

/// The bytes of a file, or of standard input for "-". Throws Error when it cannot be read, is not a plain file, or
/// is too large to be meant.
std::string read_text_file(const std::string& path);

}  // namespace mor::cli
