// SPDX-License-Identifier: Apache-2.0
// morscope-cli: the engine without a window. Exit codes: 0 ok, 1 failed, 2 usage.
#include <algorithm>
#include <array>
#include <exception>
#include <iostream>
#include <new>
#include <string>
#include <vector>

#include "commands.hpp"
#include "mor/version.hpp"
#include "options.hpp"

namespace {

using mor::cli::Arguments;

struct Command {
    const char* name;
    const char* summary;
    int (*run)(Arguments);
};

constexpr std::array<Command, 11> kCommands{{
    {"generate", "write text, or token ids, after a prompt", mor::cli::generate},
    {"inspect", "architecture, parameters, segments and KV bytes of a model", mor::cli::inspect},
    {"perplexity", "how well a model predicts a text", mor::cli::measure_perplexity},
    {"analyze", "causal and training-time decisions about a text, side by side", mor::cli::analyze},
    {"compare", "two models, or two settings, on the same text", mor::cli::compare},
    {"replay", "the records of a trace as a table", mor::cli::replay},
    {"bench", "speed of prefill, decoding and batching", mor::cli::bench},
    {"dump", "the tensors of one forward pass as a safetensors file", mor::cli::dump_tensors},
    {"tokenize", "the token ids of a text", mor::cli::tokenize},
    {"models", "the models that came with the program", mor::cli::list_bundled},
    {"devices", "what can compute, and what keeps a GPU from it", mor::cli::list_the_devices},
}};

std::string overview() {
    std::string text = "Usage: morscope-cli COMMAND ...\nRuns Mixture-of-Recursions language models.\n\nCommands:\n";
    for (const Command& command : kCommands) {
        std::string name = command.name;
        name.resize(12, ' ');
        text += "  " + name + command.summary + "\n";
    }
    return text + "\nmorscope-cli COMMAND --help lists a command's options; --version prints the version.\n";
}

int fail(const std::string& sentence, int code) {
    std::cout.flush();
    std::cerr << "morscope-cli: " << sentence << "\n";
    return code;
}

int run(const Command& command, Arguments arguments) {
    try {
        const int code = command.run(arguments);
        if (!std::cout.flush()) return fail("standard output: cannot write, is the disk full?", 1);
        return code;
    } catch (const mor::cli::UsageError& error) {
        return fail(std::string(error.what()) + " (morscope-cli " + command.name + " --help lists the options)", 2);
    } catch (const std::bad_alloc&) {
        return fail("not enough memory for this model and these settings", 1);
    } catch (const std::exception& error) {
        return fail(error.what(), 1);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
    if (words.empty()) return fail("a command is missing (morscope-cli --help lists them)", 2);
    if (words[0] == "--help" || words[0] == "-h") {
        std::cout << overview();
        return 0;
    }
    if (words[0] == "--version") {
        std::cout << "morscope-cli " << mor::version() << "\n";
        return 0;
    }
    for (const Command& command : kCommands)
        if (words[0] == command.name) return run(command, Arguments(words).subspan(1));
    return fail("unknown command \"" + words[0] + "\" (morscope-cli --help lists them)", 2);
}
