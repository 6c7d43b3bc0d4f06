// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "mor/comparison.hpp"

/// How a comparison is written.
namespace mor::cli {

/// Tables: figures, depths, tokens.
std::string comparison_text(const RunComparison&, const Trace& a, const Trace& b);

/// {"type": "comparison", ...}, then {"type": "compared-token", ...} for every common token.
std::string comparison_json(const RunComparison&, const Trace& a, const Trace& b);

/// A head and a line for every common token.
std::string comparison_csv(const RunComparison&, const Trace& a, const Trace& b);

}  // namespace mor::cli
