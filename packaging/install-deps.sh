#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what building and running Morscope needs on Debian 12, and only what is missing. Run it as root or as a user
# who may use sudo. When nothing is missing it changes nothing and asks no server.
set -euo pipefail

packages=(
    # build
    g++ cmake ninja-build pkg-config
    # engine: matrix products, vocabularies, JSON
    libdnnl-dev libsentencepiece-dev libpcre2-dev nlohmann-json3-dev
    # tests: threads of the emulated CUDA
    libboost-context-dev
    # window: Qt with charts (whose CMake files ask for the OpenGL module) and SVG export
    qt6-base-dev qt6-charts-dev libqt6opengl6-dev qt6-svg-dev libgl-dev libxkbcommon-dev
    # text in the window, Korean too
    fonts-dejavu-core fonts-nanum
)

installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "install-deps.sh: root is needed for: $*; run it as root, or install sudo" >&2
        return 1
    fi
}

command -v dpkg-query >/dev/null || {
    echo "install-deps.sh: expected a Debian system (dpkg-query), got none; install by hand: ${packages[*]}" >&2
    exit 1
}
missing=()
for package in "${packages[@]}"; do
    installed "$package" || missing+=("$package")
done
if [ ${#missing[@]} = 0 ]; then
    echo "packages: all ${#packages[@]} are installed"
    exit 0
fi
echo "packages: installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { as_root apt-get -q update && as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -q install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "install-deps.sh: apt-get could not install the packages, its last words are above" >&2
    exit 1
fi
echo "packages: done"
