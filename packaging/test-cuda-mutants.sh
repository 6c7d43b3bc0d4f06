#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Plants the faults of tests/cuda_emulation/mutants.txt into copies of the CUDA backend, one at a time, and demands that
# the test named there fails:
#
#     packaging/test-cuda-mutants.sh BUILD FOLDER [NAME]  BUILD: plain, asan or tsan; FOLDER: its build folder;
#                                                         NAME: only those whose names hold this
#
# The folder must hold the tests, built. Only the mutated file is compiled again; a test that has the backend inside is
# linked again with it, for others the module is.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
[ $# = 2 ] || [ $# = 3 ] || { echo "usage: test-cuda-mutants.sh plain|asan|tsan FOLDER [NAME]" >&2; exit 2; }
kind=$1
build=$(cd "$2" && pwd)
wanted=${3:-}
work=$build/mutants
rm -rf "$work"
mkdir -p "$work"

trim() { sed 's/^ *//; s/ *$//' <<<"$1"; }

# How the build compiles a source of the backend, without input and output.
compiler() {
    grep -F '"command":' "$build/compile_commands.json" | grep -F mor_cuda_emulated.dir | grep -F -- "cuda/$1\"" | head -n 1 |
        sed 's/^ *"command": "//; s/",\{0,1\}$//; s/\\"/"/g; s/ -o [^ ]* -c [^ ]*$//'
}

# How the build links a target, with an object in front of the libraries it has and another output.
link() { # target object output
    local command
    command=$(ninja -C "$build" -t commands "$1" | tail -n 1)
    command=${command#*: && }
    command=${command% && :}
    sed "s# -o [^ ]* # -o $3 $2 #" <<<"$command"
}

inside() { ninja -C "$build" -t commands "tst_$1" | tail -n 1 | grep -q libmor_cuda_emulated.a; }

# Runs a test; its output goes to a file.
run() { # program module log arguments...
    local program=$1 module=$2 log=$3 environment=(QT_QPA_PLATFORM=offscreen)
    shift 3
    [ -z "$module" ] || environment+=("MOR_CUDA_MODULE=$module")
    environment+=("TSAN_OPTIONS=suppressions=$root/tests/tsan.supp")
    # In a shell of its own, so that nobody reports the crashes that are wanted here.
    bash -c 'env "$@" >"$0" 2>&1 </dev/null' "$log" "${environment[@]}" timeout 300 "$program" "$@" 2>/dev/null
}

# What stopped a mutant, in a few words.
reason() {
    grep -m 1 -oE 'SUMMARY: (Address|Thread)Sanitizer: [a-z-]+( race)?|runtime error: [a-z ]+|cuda emulation: [^(,]*' "$1" |
        sed 's/^SUMMARY: //; s/runtime error: /UBSan: /; s/cuda emulation: /emulation: /' | cut -c 1-72 ||
        { grep -q '^FAIL!' "$1" && echo "test: $(grep -m 1 '^FAIL!' "$1" | sed 's/.*::\([a-z_A-Z]*(.*\)) .*/\1)/' | cut -c 1-40)"; } ||
        echo "the process ended early"
}

missed=0
count=0
declare -A healthy
while IFS='@' read -r -u 3 name file source script where what; do
    [[ $name != \#* && -n $name ]] || continue
    name=$(trim "$name") what=$(trim "$what")
    [ "$(trim "$where")" = "$kind" ] || continue
    [[ $name == *"$wanted"* ]] || continue
    count=$((count + 1))
    file=$(trim "$file") source=$(trim "$source") script=$(trim "$script")
    read -r test arguments <<<"$(trim "$what")"
    folder=$work/$count
    mkdir -p "$folder/backend"
    cp -r engine/backend/cuda "$folder/backend/"
    sed -i "$script" "$folder/backend/cuda/$file"
    if cmp -s "engine/backend/cuda/$file" "$folder/backend/cuda/$file"; then
        printf '  MISSING  %-55s its sed script changes nothing in %s\n' "$name" "$file"
        missed=$((missed + 1))
        continue
    fi
    program=$build/tests/engine/tst_$test
    if [ -z "${healthy[$what]:-}" ]; then
        # shellcheck disable=SC2086
        if ! run "$program" "" "$folder/healthy.log" $arguments; then
            printf '  BROKEN   %-55s %s fails without it: %s\n' "$name" "$(trim "$what")" "$folder/healthy.log"
            missed=$((missed + 1))
            continue
        fi
        healthy[$what]=1
    fi
    # Its own folder comes first, so that the mutated header is found before the real one.
    command=$(compiler "$source")
    if ! (cd "$build" && eval "${command/ -I/ -I$folder -I} -o $folder/mutant.o -c $folder/backend/cuda/$source") \
        >"$folder/compile.log" 2>&1; then
        printf '  BROKEN   %-55s does not compile: %s\n' "$name" "$folder/compile.log"
        missed=$((missed + 1))
        continue
    fi
    module="" target=libmor_cuda_emulated_module.so output=$folder/module.so
    if inside "$test"; then target=tst_$test output=$folder/test; fi
    (cd "$build" && eval "$(link "$target" "$folder/mutant.o" "$output")")
    if inside "$test"; then program=$output; else module=$output; fi
    # shellcheck disable=SC2086
    if run "$program" "$module" "$folder/log" $arguments; then
        printf '  MISSED   %-55s %s passes\n' "$name" "$(trim "$what")"
        missed=$((missed + 1))
    else
        printf '  caught   %-55s %s\n' "$name" "$(reason "$folder/log")"
    fi
    rm -f "$folder/mutant.o" "$output"
done 3<tests/cuda_emulation/mutants.txt
echo "mutants: $kind: $((count - missed)) of $count caught"
[ "$missed" = 0 ]
