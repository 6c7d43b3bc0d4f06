// SPDX-License-Identifier: Apache-2.0
#include "bundled_models.hpp"

#include <cstdlib>
#include <system_error>

namespace mor {

namespace fs = std::filesystem;

fs::path bundled_models_root() {
    const char* chosen = std::getenv("MOR_MODELS_DIR");
    if (chosen != nullptr && *chosen != '\0') return chosen;
    std::error_code error;
    const fs::path executable = fs::read_symlink("/proc/self/exe", error);
    if (!error) {
        const fs::path installed = executable.parent_path().parent_path() / "share" / "morscope" / "models";
        if (fs::is_directory(installed, error)) return installed;
    }
    return MOR_MODELS_DIR;
}

fs::path resolve_model(const std::string& name) {
    std::error_code error;
    const fs::path typed(name);
    // Only a plain name may mean a bundled model; "../x" or an absolute path never does.
    if (name.empty() || typed.has_parent_path() || name == "." || name == ".." || fs::exists(typed, error)) return typed;
    const fs::path bundled = bundled_models_root() / typed;
    return fs::is_directory(bundled, error) ? bundled : typed;
}

}  // namespace mor
