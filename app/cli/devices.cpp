// SPDX-License-Identifier: Apache-2.0
#include "mor/devices.hpp"

#include <iostream>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "format.hpp"
#include "options.hpp"

namespace mor::cli {

namespace {

std::string line_json(const Device& d) {
    return nlohmann::ordered_json{{"device", d.id},
                                  {"name", d.name},
                                  {"capability", d.capability},
                                  {"memory", d.memory},
                                  {"free_memory", d.free_memory},
                                  {"problem", d.problem}}
        .dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

int list_the_devices(Arguments arguments) {
    bool json = false;
    OptionTable table("morscope-cli devices", "Lists what --device can name, or why it cannot be used.");
    table.flag("--json", "print one JSON object per device", json);
    if (!table.parse(arguments)) return 0;
    std::vector<std::vector<std::string>> rows{{"device", "name", "memory", "free", "compute capability"}};
    std::string problems;
    for (const Device& d : list_devices()) {
        if (json)
            std::cout << line_json(d) << "\n";
        else if (d.problem.empty())
            rows.push_back(
                {d.id, d.name, bytes_text(d.memory), bytes_text(d.free_memory), d.capability.empty() ? "-" : d.capability});
        else
            problems += d.id + " cannot be used. " + d.problem + "\n";
    }
    if (!json) std::cout << table_text(rows) << problems;
    return 0;
}

}  // namespace mor::cli
