// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/json.hpp"
#include "mor/config.hpp"

namespace mor {

/// config.json of a Hugging Face Llama model. `root` is the whole file.
LlamaConfig read_llama_config(const Field& root);

/// mor.json of the official training code, checked against the layers it divides.
MorConfig read_mor_config(const Field& root, const LlamaConfig&);

}  // namespace mor
