// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace mor {

/// "MAJOR.MINOR.PATCH" of this build.
const char* version();

}  // namespace mor
