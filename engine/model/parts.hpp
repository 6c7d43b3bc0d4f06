// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "backend/backend.hpp"
#include "model/plan.hpp"
#include "mor/model.hpp"

namespace mor {

/// A loaded model, the way the forward pass sees it. H hidden, V vocabulary, R recursions.
struct ModelParts {
    ModelInfo info;
    std::shared_ptr<const Tokenizer> tokenizer;
    std::shared_ptr<Backend> backend;

    std::shared_ptr<const Matrix> embedding;                  ///< [V, H]
    std::shared_ptr<const Matrix> lm_head;                    ///< [V, H]; the embedding when tied
    std::shared_ptr<const Vector> norm;                       ///< [H]
    std::vector<std::shared_ptr<const LayerWeights>> layers;  ///< [executed]; shared layers are the same object
    std::vector<int> weights_identity;                        ///< [executed] equal numbers: equal weights
    std::vector<RouterWeights> routers;                       ///< expert choice [R], token choice [1]
    std::vector<RouterWeights> aux_routers;                   ///< [R] with the auxiliary router, else empty
    std::vector<float> router_bias;                           ///< [R] loss-free token choice, else empty
    int router_inner = 0;                                     ///< width of an MLP router's hidden layer, else 0

    std::shared_ptr<const Vector> rope_cos;  ///< [context, head_dim / 2]
    std::shared_ptr<const Vector> rope_sin;

    mutable std::mutex computing;  ///< one pass at a time
};

/// What a Model is made of; throws std::bad_cast for one that load_model() did not make.
const ModelParts& parts_of(const Model&);

/// Loads a directory for a backend that exists already; `device_note` goes into the model's info.
std::shared_ptr<const Model> load_model(const std::filesystem::path& directory, std::shared_ptr<Backend> backend,
                                        std::string device_note = {}, const LoadWatch& = {});

/// Segments of a plan with equal numbers use the same weights layer by layer, so their rows may share a pass.
std::vector<int> segment_weights(const Plan&, const std::vector<int>& weights_identity);

}  // namespace mor
