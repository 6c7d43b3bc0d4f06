// SPDX-License-Identifier: Apache-2.0
#include "mor/version.hpp"

namespace mor {

const char* version() { return MOR_VERSION; }

}  // namespace mor
