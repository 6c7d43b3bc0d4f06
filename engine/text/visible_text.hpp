// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace mor {

/// `bytes` as one line of UTF-8 for a person: control characters as \n, \t or \x1B, and bytes that are not UTF-8 as
/// \xE2.
std::string visible_text(std::string_view bytes);

}  // namespace mor
