#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Records the demo that the window shows at its first start: a real run of the bundled model on one thread of the CPU.
#
#     sh resources/demo/build.sh [morscope-cli]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cli=${1:-$here/../../build/release/bin/morscope-cli}
"$cli" generate prose-expert-r3 --prompt "The king said to his servant, \"Go down to the river" --max-tokens 60 \
    --temperature 0.8 --top-k 40 --seed 7 --threads 1 --device cpu --trace "$here/first-run.mortrace.new" > /dev/null
mv "$here/first-run.mortrace.new" "$here/first-run.mortrace"
