// SPDX-License-Identifier: Apache-2.0
#include "io/names.hpp"

#include "mor/config.hpp"

namespace mor {
namespace {

constexpr Word<Sharing> kSharing[] = {{Sharing::None, "none"},
                                      {Sharing::Cycle, "cycle"},
                                      {Sharing::Sequence, "sequence"},
                                      {Sharing::MiddleCycle, "middle_cycle"},
                                      {Sharing::MiddleSequence, "middle_sequence"}};
constexpr Word<Routing> kRouting[] = {
    {Routing::None, "none"}, {Routing::ExpertChoice, "expert"}, {Routing::TokenChoice, "token"}};
constexpr Word<KvPolicy> kKvPolicy[] = {{KvPolicy::RecursionWise, "recursion-wise"},
                                        {KvPolicy::RecursiveSharing, "sharing"}};
constexpr Word<SelectionRule> kRule[] = {{SelectionRule::Threshold, "threshold"}, {SelectionRule::TopK, "topk"}};
constexpr Word<RoutingHead> kHead[] = {
    {RoutingHead::Model, "model"}, {RoutingHead::Main, "main"}, {RoutingHead::Auxiliary, "aux"}};
constexpr Word<ExpertSampling> kSampling[] = {{ExpertSampling::AuxLoss, "aux_loss"},
                                              {ExpertSampling::AuxRouter, "aux_router"}};
constexpr Word<RouterShape> kShape[] = {
    {RouterShape::Linear, "linear"}, {RouterShape::Mlp, "mlp"}, {RouterShape::WideMlp, "wide_mlp"}};
constexpr Word<RouterFunction> kFunction[] = {{RouterFunction::Identity, "identity"},
                                              {RouterFunction::Sigmoid, "sigmoid"},
                                              {RouterFunction::Tanh, "tanh"},
                                              {RouterFunction::Softmax, "softmax"}};
constexpr Word<Balancing> kBalancing[] = {{Balancing::Loss, "loss"}, {Balancing::LossFree, "loss_free"}};
constexpr Word<DType> kDType[] = {{DType::F32, "f32"}, {DType::F16, "f16"}, {DType::BF16, "bf16"}};
constexpr Word<Outcome> kOutcome[] = {
    {Outcome::NotOffered, "not-offered"}, {Outcome::Take, "take"}, {Outcome::Leave, "leave"}, {Outcome::KvOnly, "kv-only"}};
constexpr Word<Finish> kFinish[] = {{Finish::None, "none"},
                                    {Finish::Eos, "eos"},
                                    {Finish::MaxTokens, "max-tokens"},
                                    {Finish::Context, "context"},
                                    {Finish::Cancelled, "cancelled"}};

}  // namespace

std::span<const Word<Sharing>> words_of(Sharing) { return kSharing; }
std::span<const Word<Routing>> words_of(Routing) { return kRouting; }
std::span<const Word<KvPolicy>> words_of(KvPolicy) { return kKvPolicy; }
std::span<const Word<SelectionRule>> words_of(SelectionRule) { return kRule; }
std::span<const Word<RoutingHead>> words_of(RoutingHead) { return kHead; }
std::span<const Word<ExpertSampling>> words_of(ExpertSampling) { return kSampling; }
std::span<const Word<RouterShape>> words_of(RouterShape) { return kShape; }
std::span<const Word<RouterFunction>> words_of(RouterFunction) { return kFunction; }
std::span<const Word<Balancing>> words_of(Balancing) { return kBalancing; }
std::span<const Word<DType>> words_of(DType) { return kDType; }
std::span<const Word<Outcome>> words_of(Outcome) { return kOutcome; }
std::span<const Word<Finish>> words_of(Finish) { return kFinish; }

const char* name_of(Sharing v) { return word_of(v); }
const char* name_of(Routing v) { return word_of(v); }
const char* name_of(KvPolicy v) { return word_of(v); }
const char* name_of(SelectionRule v) { return word_of(v); }
const char* name_of(ExpertSampling v) { return word_of(v); }
const char* name_of(Outcome v) { return word_of(v); }
const char* name_of(Finish v) { return word_of(v); }
const char* name_of(DType v) { return word_of(v); }

}  // namespace mor
