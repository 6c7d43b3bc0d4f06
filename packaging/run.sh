#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From a fresh clone to the window: installs what is missing, builds, and opens Morscope on the bundled model. Arguments
# go to morscope. Without a display it draws a live run offscreen and prints the picture's path.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
"$root/packaging/install-deps.sh"
"$root/packaging/build.sh" release morscope morscope-cli
# The CUDA module is worth its compile time only where a driver is there to run it.
if [ -e /proc/driver/nvidia/version ] && { command -v nvcc || [ -x /usr/local/cuda/bin/nvcc ]; } >/dev/null; then
    "$root/packaging/build.sh" release mor_cuda
fi
morscope=$root/build/release/bin/morscope

if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    echo "run: opening the window"
    exec "$morscope" "$@"
fi
picture=$root/out/morscope.png
mkdir -p "$root/out"
echo "run: no display, drawing a live run offscreen"
QT_QPA_PLATFORM=offscreen "$morscope" --screenshot "$picture" "$@"
echo "picture: $picture"
