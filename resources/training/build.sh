#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds one bundled model from nothing: Python environment, corpus, vocabulary, training, export, measurements, card.
#
#     sh resources/training/build.sh NAME [WORKDIR [OUTDIR]]
#
# NAME is a section of zoo.toml, WORKDIR (default: out/training) keeps everything in between, OUTDIR defaults to
# resources/models/NAME. THREADS (default: all cores) sets the threads of training and evaluation. Interrupted at any
# moment, the same command goes on where it stopped.
set -eu
[ $# -ge 1 ] || { echo "usage: build.sh NAME [WORKDIR [OUTDIR]]" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
name=$1
work=${2:-$root/out/training}
out=${3:-$root/resources/models/$name}
threads=${THREADS:-$(nproc)}
mkdir -p "$work"
say() { printf '== %s\n' "$*"; }

if ! [ -f "$work/venv/complete" ]; then
    say "Python environment in $work/venv (PyTorch is a large download)"
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet -r "$here/requirements.txt"
    touch "$work/venv/complete"
fi
python=$work/venv/bin/python
if ! [ -f "$work/corpus.json" ]; then
    say "corpus"
    "$python" "$here/corpus.py" "$work"
fi
if ! [ -f "$work/train.bin" ]; then
    say "vocabulary"
    "$python" "$here/tokenizer.py" "$work"
fi
if ! [ -f "$work/runs/$name/model.pt" ]; then
    say "training with $threads threads; the log is $work/runs/$name/log.csv"
    # jemalloc keeps freed pages instead of giving them back to the kernel at every step.
    jemalloc=$(ldconfig -p | awk '/libjemalloc\.so\.2/ { print $NF; exit }')
    [ -z "$jemalloc" ] || export MALLOC_CONF=oversize_threshold:1,background_thread:true,dirty_decay_ms:-1,muzzy_decay_ms:-1
    LD_PRELOAD=$jemalloc OMP_NUM_THREADS=$threads "$python" "$here/train.py" "$name" "$work" --threads "$threads" --compile
fi
say "export to $out"
"$python" "$here/export.py" "$name" "$work" "$out"
say "measurements and card"
"$python" "$here/card.py" "$name" "$work" "$out" --threads "$threads"
