#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Everything about the CUDA backend that can be tested without a GPU, for hours rather than minutes:
#
#     packaging/test-cuda.sh [compile] [plain] [asan] [tsan] [mutants]          all of them when none is named
#     packaging/test-cuda.sh subset                                             the part that packaging/test.sh runs
#
# compile: nvcc makes every kernel for all architectures; a register spilled, a stack frame or a warning fails.
# plain, asan, tsan: the kernels run on the CPU (docs/gpu.md, "CUDA on a CPU") in builds with these sanitizers, with several
# orders of threads and blocks (MOR_TEST_SEEDS, default "1 2 3") and of work in streams.
# mutants: faults planted into the shipped kernels are found.
# The last line is "N passed, N failed".
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
seeds=${MOR_TEST_SEEDS:-1 2 3}
passed=0
failed=0

result() { # 0 or not, what
    if [ "$1" = 0 ]; then passed=$((passed + 1)) word=passed; else failed=$((failed + 1)) word=FAILED; fi
    printf '%-6s  %s\n' "$word" "$2"
}

# Lets background work of this shell go on, and returns when there is a core for more.
wait_for_a_core() { while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n || true; done; }

# --- nvcc

nvcc_path() { command -v nvcc || { [ -x /usr/local/cuda/bin/nvcc ] && echo /usr/local/cuda/bin/nvcc; }; }

# nvcc's report about one file -> a line per kernel and architecture: name, architecture, registers, shared memory, and
# "bad" where registers went to memory or the stack was used.
kernels() {
    c++filt | awk '
        /Compiling entry function/ {
            match($0, /sm_[0-9]+/); arch = substr($0, RSTART, RLENGTH)
            sub(/.*entry function ./, ""); sub(/. for .sm_.*/, ""); name = $0
            gsub(/mor::cuda::|\(anonymous namespace\)::/, "", name); sub(/^void /, "", name); sub(/\(.*/, "", name)
            bad = ""
        }
        /bytes stack frame/ { if ($0 !~ /0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads/) bad = "bad" }
        /Used [0-9]+ registers/ {
            match($0, /Used [0-9]+/); registers = substr($0, RSTART + 5, RLENGTH - 5)
            shared = 0
            if (match($0, /[0-9]+ bytes smem/)) { shared = substr($0, RSTART, RLENGTH); sub(/ .*/, "", shared) }
            print name "\t" arch "\t" registers "\t" shared "\t" bad
        }'
}

compile() { # architectures
    local nvcc
    nvcc=$(nvcc_path) || { echo "skipped: nvcc is not installed (packaging/get-cuda.sh fetches a toolkit)"; return; }
    local folder=$root/build/cuda-compile flags=() arch file name status last="${!#}"
    mkdir -p "$folder"
    for arch in "$@"; do flags+=(-gencode "arch=compute_$arch,code=sm_$arch"); done
    flags+=(-gencode "arch=compute_$last,code=compute_$last")
    "$nvcc" --version | tail -n 2 | head -n 1
    : >"$folder/kernels.tsv"
    for file in engine/backend/cuda/*.cu; do
        wait_for_a_core
        name=$(basename "$file")
        rm -f "$folder/$name.status"
        {
            status=0
            "$nvcc" -std=c++20 -O3 "${flags[@]}" -I engine -I engine/include -Xcompiler=-Wall,-Wextra -Werror all-warnings \
                -Xptxas -v -c "$file" -o "$folder/$name.o" >"$folder/$name.log" 2>&1 || status=$?
            echo $status >"$folder/$name.status"
        } &
    done
    wait
    for file in engine/backend/cuda/*.cu; do
        name=$(basename "$file")
        status=$(cat "$folder/$name.status")
        [ "$status" = 0 ] || tail -n 20 "$folder/$name.log"
        kernels <"$folder/$name.log" >"$folder/now.tsv"
        cat "$folder/now.tsv" >>"$folder/kernels.tsv"
        if grep -q 'bad$' "$folder/now.tsv"; then
            status=1
            awk -F '\t' '$5 == "bad" { print "  registers spilled or stack used: " $1 ", " $2 }' "$folder/now.tsv"
        fi
        result $status "nvcc $name for $*, PTX: $(cut -f 1 "$folder/now.tsv" | sort -u | wc -l) kernels"
    done
    echo "registers of a thread by architecture, and bytes of static shared memory:"
    awk -F '\t' -v architectures="$*" '
        BEGIN { n = split(architectures, arch, " "); for (i = 1; i <= n; ++i) head = head sprintf("%6s", arch[i])
                printf "  %-86s%s %7s\n", "kernel", head, "shared" }
        { if (!($1 in shared)) order[++kernels] = $1
          registers[$1, $2] = $3; if ($4 + 0 >= shared[$1] + 0) shared[$1] = $4 + 0 }
        END { for (k = 1; k <= kernels; ++k) { line = ""
                for (i = 1; i <= n; ++i) line = line sprintf("%6s", registers[order[k], "sm_" arch[i]])
                printf "  %-86s%s %7d\n", substr(order[k], 1, 86), line, shared[order[k]] } }' "$folder/kernels.tsv"
}

# --- emulation

# The tests that run kernels. Those of whole models take too long with one ThreadSanitizer thread for each CUDA thread.
kernel_tests="cuda_emulation cuda_faults cuda_products cuda_linear cuda_attn_in cuda_attention
    cuda_pick cuda_router cuda_rows cuda_run backend backend_rows"
model_tests="reference reference_types routing_runs exits scheduler bundled_models"

folder_of() { echo "$root/build/cuda-$1"; }

build() { # plain, asan or tsan; tests...
    local kind=$1 preset=$1 folder log launcher=() optimisation=()
    shift
    [ "$kind" != plain ] || preset=release
    [ "$kind" != asan ] || optimisation=(-DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O1 -g1")  # compiling takes longer than running
    folder=$(folder_of "$kind")
    mkdir -p "$folder"
    log=$folder/build.log
    ! command -v ccache >/dev/null || launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
    echo "build: $folder; the log is $log"
    cmake --preset "$preset" -B "$folder" -DMOR_GUI=OFF -DMOR_CUDA=OFF -DMOR_TEST_TIMEOUT=3000 "${launcher[@]}" "${optimisation[@]}" >"$log" 2>&1 &&
        cmake --build "$folder" -j "$(nproc)" --target mor_cuda_emulated_module "${@/#/tst_}" >>"$log" 2>&1 ||
        { tail -n 30 "$log"; return 1; }
}

run_tests() { # kind, what the run is called, tests...
    local kind=$1 name=$2 folder status
    shift 2
    folder=$(folder_of "$kind")
    for test in "$@"; do
        wait_for_a_core
        rm -f "$folder/$test.status"
        {
            status=0
            ctest --test-dir "$folder" -R "^$test\$" --output-on-failure >"$folder/$test.log" 2>&1 || status=$?
            echo $status >"$folder/$test.status"
        } &
    done
    wait
    for test in "$@"; do
        status=$(cat "$folder/$test.status")
        [ $status = 0 ] || grep -E '^FAIL!|SUMMARY|cuda emulation|runtime error' "$folder/$test.log" | head -n 10 || true
        result $status "$kind, $name: $test"
    done
}

emulation() { # kind tests...
    local kind=$1 seed
    shift
    build "$kind" "$@" || { result 1 "build $kind"; return; }
    for seed in $seeds; do
        MOR_CUDA_EMULATION_SEED=$seed run_tests "$kind" "seed $seed" "$@"
    done
    MOR_CUDA_EMULATION_SEED=4 MOR_CUDA_EMULATION_STREAMS=random run_tests "$kind" "streams at random" cuda_run backend
    MOR_CUDA_EMULATION_STREAMS=eager run_tests "$kind" "streams at once" cuda_run backend
}

mutants() {
    local kind status
    for kind in plain asan tsan; do
        # shellcheck disable=SC2086
        build "$kind" $kernel_tests || { result 1 "build $kind"; continue; }
        status=0
        packaging/test-cuda-mutants.sh "$kind" "$(folder_of "$kind")" || status=$?
        result $status "mutants found by the $kind build"
    done
}

# --- what was asked for

[ $# != 0 ] || set -- compile plain asan tsan mutants
for part in "$@"; do
    echo "=== $part"
    # shellcheck disable=SC2086
    case $part in
        compile) compile 80 90 100 120 ;;
        plain) MOR_TEST_EVERYTHING=1 emulation plain $kernel_tests $model_tests ;;
        asan) emulation asan $kernel_tests $model_tests ;;
        tsan) emulation tsan $kernel_tests ;;
        mutants) mutants ;;
        subset)
            compile 90
            small="cuda_emulation cuda_faults cuda_products cuda_linear"
            if build asan $small; then run_tests asan "one order" $small; else result 1 "build asan"; fi
            ;;
        *) echo "usage: test-cuda.sh [compile] [plain] [asan] [tsan] [mutants] | subset" >&2; exit 2 ;;
    esac
done
echo
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
