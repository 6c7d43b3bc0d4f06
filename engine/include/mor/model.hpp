// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "mor/config.hpp"
#include "mor/settings.hpp"
#include "mor/tokenizer.hpp"

namespace mor {

/// One segment of the forward pass, for people: consecutive layers of one recursion.
struct SegmentInfo {
    int recursion = -1;           ///< zero-based; -1 outside the recursions
    std::vector<int> layers;      ///< executed layer numbers, 0..num_hidden_layers - 1
    std::vector<int> kv_slots;    ///< [layers] KV slot each layer reads
    std::vector<bool> writes_kv;  ///< [layers]
    bool routed = false;          ///< a router decides at its beginning
    int weights = 0;              ///< segments with equal numbers share their weights
};

/// What `inspect` prints.
struct ModelInfo {
    ModelConfig config;
    std::string name;     ///< title from the model card, or the directory's name
    std::string summary;  ///< one sentence, may be empty
    std::string prompt;   ///< a text to begin with, may be empty
    std::filesystem::path directory;
    std::string hash;                ///< of configuration and weights, 16 hexadecimal digits
    DType weight_type = DType::F32;  ///< of the largest matrices
    std::int64_t parameters_unique = 0;
    std::int64_t parameters_effective = 0;  ///< shared layers counted once per recursion
    std::vector<SegmentInfo> segments;      ///< under the KV policy the model was trained with
    std::int64_t kv_bytes_per_token = 0;    ///< at full depth, f32 entries, trained policy
    std::int64_t kv_bytes_per_token_vanilla = 0;
    std::string device;       ///< what computes, for instance "CPU · avx512 · 2 threads"
    std::string device_note;  ///< why it is not the device asked for; empty otherwise
};

/// Lets another thread see how far a load is, and end it.
struct LoadWatch {
    std::function<void(double share)> progress;  ///< called by load(), share 0..1 of the weights' bytes, never falling
    std::stop_token stop;                        ///< load() throws Error soon after a request
};

/// A loaded checkpoint: weights, configuration, tokenizer and the thread pool they compute on.
///
/// Immutable after load(), so any number of sessions may share it. Computation itself is serialised: one pass runs
/// at a time on the model's pool.
class Model {
public:
    /// Reads a model directory (docs/model-directory.md). Everything read is checked; throws Error. The only
    /// source of models: the engine computes with nothing else.
    static std::shared_ptr<const Model> load(const std::filesystem::path& directory, const DeviceSettings& = {},
                                             const LoadWatch& = {});

    virtual ~Model() = default;
    Model(const Model&) = delete;
    Model& operator=(const Model&) = delete;

    virtual const ModelInfo& info() const = 0;
    const ModelConfig& config() const { return info().config; }
    virtual std::shared_ptr<const Tokenizer> tokenizer() const = 0;  ///< null when the directory has none

protected:
    Model() = default;
};

/// What can be said about a model directory without loading its weights.
struct ModelCard {
    std::filesystem::path directory;
    std::string name;
    std::string kind;  ///< for instance "expert choice, 3 recursions"
    std::string summary;
    std::string prompt;  ///< a text that shows what it can do; may be empty
};

/// Directories below `root` that hold a config.json, sorted by name. Unreadable ones are left out.
std::vector<ModelCard> list_models(const std::filesystem::path& root);

/// Name, sentence and prompt from DIRECTORY/card.json, without loading weights.
ModelCard describe_model(const std::filesystem::path& directory);

}  // namespace mor
