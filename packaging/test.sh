#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds everything and runs all tests:
#
#     packaging/test.sh [PRESET]        release (the default), dev, asan or tsan
#
# After that, packaging/test-cuda.sh runs its subset: nvcc where there is one, and the emulated device with AddressSanitizer.
# Prints each test as it ends, every check that was skipped and why, and "N passed, N failed" as its last line. A test
# named in packaging/expected-tests.txt that is not there counts as failed, so that none gets lost silently.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
preset=${1:-release}
folder=$root/build/$preset
log=$folder/test.log

# ctest puts a test's number in front of its output.
test_names() { ctest --test-dir "$folder" -N | sed -n 's/^ *Test *#[0-9]*: //p'; }
output_of() { awk -v name="$1" '$1 == "Start" && $3 == name { n = $2 } n && index($0, n) == 1' "$log"; }

"$root/packaging/install-deps.sh"
# One architecture, which newer devices translate when the module is loaded: compiling for all takes four times as long.
MOR_CMAKE="-DCMAKE_CUDA_ARCHITECTURES=80 ${MOR_CMAKE:-}" "$root/packaging/build.sh" "$preset"

echo "tests: $preset, one after another; the log is $log"
failed_run=0
ctest --test-dir "$folder" --verbose 2>&1 | tee "$log" | grep --line-buffered -E '^ *[0-9]+/[0-9]+ +Test +#' || failed_run=1
names=$(test_names)
expected=$(grep -v '^#' "$root/packaging/expected-tests.txt")
missing=$(comm -23 <(sort <<<"$expected") <(sort <<<"$names"))
unlisted=$(comm -13 <(sort <<<"$expected") <(sort <<<"$names" | grep -v '^gpu_'))  # gpu_*: where there is a toolkit
failed=$(awk '/^ *[0-9]+\/[0-9]+ +Test +#/ && !/ Passed / && !/\*\*\*Skipped/ { print $4 }' "$log")
without_device=$(awk '/^ *[0-9]+\/[0-9]+ +Test +#/ && /\*\*\*Skipped/ { print $4 }' "$log")

echo
echo "checks by test (configurations and backends are rows of a check):"
for name in $names; do
    output_of "$name" | awk -v name="$name" '
        / PASS   : / { ++passed } / SKIP   : / { ++skipped } / (FAIL!  |XPASS  ): / { ++failed }
        END { printf "  %-24s %5d passed %4d failed %4d skipped\n", name, passed, failed, skipped }'
done
skipped=$(sed -n 's/^[0-9]*: SKIP   : \(.*\)/  \1/p' "$log")
echo "skipped:${skipped:+
}${skipped:- none}"
for name in $failed; do
    echo
    echo "=== $name failed; the end of its output:"
    output_of "$name" | tail -n 60
done
for name in $unlisted; do echo "note: $name is not in packaging/expected-tests.txt; add it"; done
for name in $missing; do echo "missing: $name is in packaging/expected-tests.txt and was not built"; done

echo
echo "CUDA: kernels compiled by nvcc for one architecture, and executed with AddressSanitizer:"
subset=$folder/test-cuda.log
"$root/packaging/test-cuda.sh" subset 2>&1 | tee "$subset" | grep -E '^(passed|FAILED|skipped)' || true

count() { wc -w <<<"$*"; }
[ -z "$without_device" ] || echo "skipped as a whole, no GPU:" $without_device
bad=$(($(count "$failed") + $(count "$missing") + $(grep -c '^FAILED' "$subset" || true)))
good=$(($(count "$names") - $(count "$failed") - $(count "$without_device") + $(grep -c '^passed' "$subset" || true)))
grep -qE '^[0-9]+ passed' "$subset" || { echo "FAILED  test-cuda.sh ended early; its output is $subset"; bad=$((bad + 1)); }
[ "$failed_run" = 0 ] || [ "$bad" != 0 ] || bad=1
echo
echo "$good passed, $bad failed"
[ "$bad" = 0 ]
