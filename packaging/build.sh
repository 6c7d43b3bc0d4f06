#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Configures a preset of CMakePresets.json once and builds the named targets, or everything:
#
#     packaging/build.sh PRESET [TARGET...]
#
# MOR_CMAKE in the environment holds further arguments for configuring. The compilers' output goes to build/PRESET/build.log; it is shown when something fails.
set -euo pipefail
[ $# -ge 1 ] || { echo "usage: build.sh PRESET [TARGET...]" >&2; exit 2; }
cd "$(dirname "$0")/.."
preset=$1
shift
folder=build/$preset
mkdir -p "$folder"
log=$folder/build.log

quietly() {
    "$@" >>"$log" 2>&1 || {
        tail -n 60 "$log" >&2
        echo "build.sh: '$*' failed; everything it printed is in $log" >&2
        return 1
    }
}

targets=()
[ $# = 0 ] || targets=(--target "$@")
: >"$log"
started=$SECONDS
echo "build: $folder, $(nproc) jobs; the log is $log"
launcher=()
! command -v ccache >/dev/null || launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
# shellcheck disable=SC2086  # several arguments in one variable
quietly cmake --preset "$preset" "${launcher[@]}" ${MOR_CMAKE:-}
quietly cmake --build "$folder" -j "$(nproc)" "${targets[@]}"
echo "build: done in $((SECONDS - started)) s"
