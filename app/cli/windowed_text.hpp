// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "commands.hpp"
#include "mor/model.hpp"
#include "setting_options.hpp"

namespace mor::cli {

/// What the commands that read a text in windows of the context's length have in common.
struct WindowedText {
    std::filesystem::path model;
    std::optional<std::string> file;
    std::optional<std::vector<int>> tokens;
    RoutingSettings routing;
    DeviceSettings device;
    KvSettings kv;
    bool json = false;
};

/// Parses the arguments of such a command; false when help was asked for and printed.
bool read_windowed_text(Arguments, const char* command, const char* explanation, WindowedText&);

/// Reads the text first, because that is where mistakes are cheap, then loads the model.
struct LoadedText {
    std::shared_ptr<const Model> model;
    std::vector<int> tokens;
};
LoadedText load(const WindowedText&);

/// Writes "window 3 of 7" over itself on standard error; empty where that is not a terminal.
std::function<void(int done, int total)> window_progress();

}  // namespace mor::cli
