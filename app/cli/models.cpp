// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <nlohmann/json.hpp>

#include "bundled_models.hpp"
#include "commands.hpp"
#include "format.hpp"
#include "mor/model.hpp"
#include "options.hpp"

namespace mor::cli {

int list_bundled(Arguments arguments) {
    bool json = false;
    OptionTable table("morscope-cli models", "Lists the models that came with the program.");
    table.flag("--json", "print one JSON object per model", json);
    if (!table.parse(arguments)) return 0;
    const std::filesystem::path root = bundled_models_root();
    std::vector<std::vector<std::string>> rows{{"name", "kind", "path", "summary"}};
    for (const ModelCard& model : list_models(root)) {
        if (json) {
            const nlohmann::ordered_json line{{"name", model.name},
                                              {"path", model.directory.string()},
                                              {"kind", model.kind},
                                              {"summary", model.summary},
                                              {"prompt", model.prompt}};
            std::cout << line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
        } else {
            rows.push_back({model.name, model.kind, model.directory.string(), model.summary});
        }
    }
    if (json) return 0;
    if (rows.size() == 1)
        std::cout << "no models in " << root.string() << " (set MOR_MODELS_DIR to look elsewhere)\n";
    else
        std::cout << table_text(rows);
    return 0;
}

}  // namespace mor::cli
