#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fetches a CUDA 13.0 toolkit (compiler, headers, static runtime, cuBLAS) from PyPI, for machines without NVIDIA's packages:
#
#     packaging/get-cuda.sh [DIR]                              DIR defaults to ~/.local/share/morscope/cuda-13.0
#     cmake --preset release -DMOR_CUDA=ON -DCMAKE_CUDA_COMPILER=DIR/bin/nvcc
#
# 876 MB to download, 2 GB in DIR. Needs python3 with venv and pip; neither root nor a GPU. These packages carry NVIDIA's
# CUDA licence, not ours. Does nothing when DIR holds the toolkit already.
set -euo pipefail

packages=(nvidia-cuda-nvcc==13.0.88 nvidia-cuda-runtime==13.0.96 nvidia-cublas==13.1.0.3 nvidia-cuda-cccl==13.0.85
    nvidia-cuda-crt==13.0.88 nvidia-nvvm==13.0.88)
target=${1:-${XDG_DATA_HOME:-$HOME/.local/share}/morscope/cuda-13.0}

if [ -x "$target/bin/nvcc" ] && "$target/bin/nvcc" --version >/dev/null; then
    echo "CUDA is already in $target"
    exit 0
fi
command -v python3 >/dev/null || {
    echo "get-cuda.sh: expected python3, found none: install python3-venv" >&2
    exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv" || {
    echo "get-cuda.sh: python3 cannot make an environment: install python3-venv" >&2
    exit 1
}
echo "CUDA toolkit: ${packages[*]}"
"$work/venv/bin/pip" install -q --disable-pip-version-check --no-deps --target "$work/site" "${packages[@]}"
# The wheels share one tree, nvidia/cu13.
tree=$work/site/nvidia/cu13
[ -x "$tree/bin/nvcc" ] || {
    echo "get-cuda.sh: expected nvidia/cu13/bin/nvcc in the packages, found: $(ls "$work/site/nvidia")" >&2
    exit 1
}
# Linkers look for names without a version, and CMake for lib64.
for library in "$tree"/lib/lib*.so.*; do
    plain=${library%%.so.*}.so
    [ -e "$plain" ] || ln -s "$(basename "$library")" "$plain"
done
[ -e "$tree/lib64" ] || ln -s lib "$tree/lib64"
mkdir -p "$target"
cp -a "$tree/." "$target/"
"$target/bin/nvcc" --version | tail -n 2 | head -n 1
echo "$target/bin/nvcc"
