// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "mor/session.hpp"

namespace mor {

/// Throws Error naming the field, what was expected and what was got.
void check_request(const Model&, const Request&);
void check_kv(const KvSettings&);

}  // namespace mor
