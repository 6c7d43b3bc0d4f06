// SPDX-License-Identifier: Apache-2.0
#include "windowed_text.hpp"

#include <unistd.h>

#include <iostream>

#include "text_file.hpp"

namespace mor::cli {

bool read_windowed_text(Arguments arguments, const char* command, const char* explanation, WindowedText& w) {
    OptionTable table(command, explanation);
    add_model_argument(table, w.model);
    table.option("--text", "FILE", "the text, UTF-8; - reads standard input",
                 [&](const std::string& text) { w.file = text; });
    table.option("--tokens", "1,2,3", "token ids instead of a text",
                 [&](const std::string& text) { w.tokens = read_ids("--tokens", text); });
    table.flag("--json", "print one JSON object", w.json);
    add_routing_options(table, w.routing, w.kv);
    add_device_options(table, w.device, w.kv);
    if (!table.parse(arguments)) return false;
    require_one({w.file, w.tokens}, "--text");
    return true;
}

LoadedText load(const WindowedText& w) {
    Input input{std::nullopt, w.tokens};
    if (w.file) input.text = read_text_file(*w.file);
    const auto model = Model::load(w.model, w.device);
    return {model, tokens_of(*model, input)};
}

std::function<void(int, int)> window_progress() {
    if (isatty(STDERR_FILENO) == 0) return nullptr;
    return [](int done, int total) {
        std::cerr << "\rwindow " << done << " of " << total << (done == total ? "\r\033[K" : "") << std::flush;
    };
}

}  // namespace mor::cli
