// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>

#include "mor/trace.hpp"

namespace mor::ui {

/// The numbers of a run so far. What cannot be known yet is empty, so that nothing is shown that was not measured.
struct Figures {
    int tokens = 0;  ///< finished, prompt included
    int promptTokens = 0;
    int decodedTokens = 0;
    std::optional<double> tokensPerSecond;  ///< measured: decoded tokens after the first, over their time
    std::optional<double> firstTokenMs;     ///< measured: submission to the first decoded token
    std::optional<double> meanDepth;        ///< measured; empty for models without recursions
    int recursions = 0;
    std::int64_t kvUsed = 0;                     ///< bytes, measured
    std::int64_t kvReserved = 0;                 ///< bytes, measured
    std::int64_t kvVanilla = 0;                  ///< bytes, computed
    std::optional<double> kvSaved;               ///< 1 - used / vanilla
    std::optional<double> flopsPerToken;         ///< counted from the outcomes
    std::optional<double> flopsPerTokenVanilla;  ///< computed
    std::optional<double> flopsSaved;            ///< 1 - spent / vanilla
    int contextSize = 0;                         ///< tokens the model can hold; `tokens` of them are used
};

Figures figuresOf(const mor::Trace&);

/// What figures are made of, kept up to date token by token, so that a long run is not read again for each picture.
class FigureSums {
public:
    void add(const mor::TokenRecord&);
    Figures of(const mor::Trace&) const;  ///< whose tokens have been added, all and once

private:
    int decoded_ = 0;
    double firstMs_ = 0;  ///< of the first decoded token
    double depth_ = 0, flops_ = 0, vanilla_ = 0;
};

/// Sums over KvUse, bytes.
std::int64_t kvUsed(const mor::KvUse&);
std::int64_t kvReserved(const mor::KvUse&);

}  // namespace mor::ui
