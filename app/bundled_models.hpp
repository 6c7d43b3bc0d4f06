// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace mor {

/// The folder that holds the models which came with the program: $MOR_MODELS_DIR when set, else
/// ../share/morscope/models beside the executable when it exists, else the source tree the program was built from.
std::filesystem::path bundled_models_root();

/// A model as the user names it: a directory, or the name of a bundled model. A path that exists always wins; what
/// is neither comes back unchanged, so that loading it reports the path the user typed.
std::filesystem::path resolve_model(const std::string& name);

}  // namespace mor
