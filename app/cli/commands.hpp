// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

/// The subcommands. Each reads the arguments after its name, prints to standard output and returns the exit code;
/// it throws UsageError for wrong arguments and Error for everything that fails.
namespace mor::cli {

using Arguments = std::span<const std::string>;

int generate(Arguments);
int inspect(Arguments);
int dump_tensors(Arguments);
int measure_perplexity(Arguments);
int analyze(Arguments);
int compare(Arguments);
int replay(Arguments);
int tokenize(Arguments);
int list_bundled(Arguments);
int list_the_devices(Arguments);
int bench(Arguments);

}  // namespace mor::cli
