#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs tests on the device below one of compute-sanitizer's tools; ctest's gpu_memcheck and gpu_racecheck:
#
#     packaging/test-gpu-sanitizer.sh memcheck|racecheck|initcheck|synccheck PROGRAM...
#
# Fails when the tool finds something or a test fails. Without a device or without the tool it says so and ends with 77,
# which ctest takes for skipped. MOR_TEST_GPU and MOR_CUDA_MODULE are the caller's.
set -euo pipefail
[ $# -ge 2 ] || { echo "usage: test-gpu-sanitizer.sh TOOL PROGRAM..." >&2; exit 2; }
tool=$1
shift
sanitizer=$(command -v compute-sanitizer || true)
[ -n "$sanitizer" ] || for place in "${CUDA_HOME:-/usr/local/cuda}"/{bin,compute-sanitizer}; do
    [ ! -x "$place/compute-sanitizer" ] || sanitizer=$place/compute-sanitizer
done
if [ -z "$sanitizer" ]; then
    echo "SKIP   : compute-sanitizer is not installed (it comes with the CUDA toolkit, package cuda-sanitizer)"
    exit 77
fi
"$sanitizer" --version | tail -n 1
for program in "$@"; do
    status=0
    "$sanitizer" --tool "$tool" --error-exitcode 86 --print-limit 20 "$program" || status=$?
    [ $status != 77 ] || exit 77
    [ $status = 0 ] || { echo "FAILED: $tool, $(basename "$program"): status $status"; exit 1; }
done
