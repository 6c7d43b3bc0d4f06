// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

/// The vocabulary of Mixture-of-Recursions, as enumerations. HACKING.md explains the words.
namespace mor {

/// How executed layers share weights.
enum class Sharing : std::uint8_t { None, Cycle, Sequence, MiddleCycle, MiddleSequence };

/// How tokens choose their number of recursions.
enum class Routing : std::uint8_t { None, ExpertChoice, TokenChoice };

/// Which K/V entries a recursion stores and reads.
enum class KvPolicy : std::uint8_t {
    RecursionWise,    ///< every recursion stores and reads its own tokens only
    RecursiveSharing  ///< recursion 0 stores every token; later recursions read that
};

/// How expert choice learns to decide causally.
enum class ExpertSampling : std::uint8_t { AuxLoss, AuxRouter };

/// Which rule selects tokens under expert choice. Token choice and unrouted models ignore it.
enum class SelectionRule : std::uint8_t {
    Threshold,  ///< causal: a token is taken iff its probability reaches the threshold
    TopK        ///< as in training: the best capacity * T of the whole prompt, which must be one chunk
};

/// Which scores the Threshold rule reads.
enum class RoutingHead : std::uint8_t { Model, Main, Auxiliary };

enum class RouterShape : std::uint8_t { Linear, Mlp, WideMlp };
enum class RouterFunction : std::uint8_t { Identity, Sigmoid, Tanh, Softmax };
enum class Balancing : std::uint8_t { Loss, LossFree };

/// Storage type of weights and K/V entries.
enum class DType : std::uint8_t { F32, F16, BF16 };

constexpr int bytes_of(DType t) { return t == DType::F32 ? 4 : 2; }

/// What a router decided about one token at one recursion.
enum class Outcome : std::uint8_t {
    NotOffered,  ///< the token had left before
    Take,        ///< the recursion is applied
    Leave,       ///< the token leaves and waits at the join
    KvOnly       ///< it leaves, but recursion 0 under KV sharing still stores its K/V
};

/// Why a request ended.
enum class Finish : std::uint8_t { None, Eos, MaxTokens, Context, Cancelled };

}  // namespace mor
