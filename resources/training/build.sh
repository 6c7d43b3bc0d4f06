#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds bundled models from nothing: Python environment, corpus, vocabulary, training, export, measurements, card.
#
#     sh resources/training/build.sh NAME...|all [--jobs N] [--device cpu|cuda] [--from DIR] [--train-only]
#
# NAME is a section of zoo.toml; all builds whatever is not finished yet, in the order of that file. --jobs N trains N
# models at a time (default 1). Interrupted at any moment, the same command goes on where it stopped; a second one at the
# same time takes other models. --from begins models that have no checkpoint at their last round, with the weights of
# DIR/NAME, an exported directory that went through the rounds before. Environment, with defaults:
#   WORK=out/training       everything in between; checkpoints and logs are in WORK/runs/NAME
#   MODELS=resources/models where finished models go
#   LOGS=resources/training/logs where their logs go
#   PYTHON                  a Python with requirements.txt installed (default: makes one in WORK/venv)
#   CLI                     morscope-cli, for what the engine says in the card (default: the one of build/release)
#   THREADS                 of one training process (default: cores / jobs)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
WORK=${WORK:-$root/out/training}
MODELS=${MODELS:-$root/resources/models}
LOGS=${LOGS:-$here/logs}
CLI=${CLI:-$root/build/release/bin/morscope-cli}
BUSY=75                        # exit status: another process has this model

say() { printf '== %s %s\n' "$(date +%T)" "$*"; }
usage() { sed -n '5s/^# *//p' "$0" >&2; exit 2; }

prepare() {
    mkdir -p "$WORK"
    if [ -z "${PYTHON:-}" ]; then
        PYTHON=$WORK/venv/bin/python
        if ! [ -f "$WORK/venv/complete" ]; then
            say "Python environment in $WORK/venv (PyTorch is a large download)"
            python3 -m venv "$WORK/venv"
            "$WORK/venv/bin/pip" install --quiet -r "$here/requirements.txt"
            touch "$WORK/venv/complete"
        fi
    fi
    if ! [ -f "$WORK/corpus.json" ]; then
        say "corpus"
        "$PYTHON" "$here/corpus.py" "$WORK"
    fi
    if ! [ -f "$WORK/train.bin" ]; then
        say "vocabulary"
        "$PYTHON" "$here/tokenizer.py" "$WORK"
    fi
    if ! [ -f "$WORK/hops/tokenizer.model" ]; then
        say "the hops task"
        "$PYTHON" "$here/task_hops.py" "$WORK"
    fi
}

train() {
    say "$1: training with $threads threads; the log is $WORK/runs/$1/log.csv"
    # jemalloc keeps freed pages instead of giving them back to the kernel at every step.
    jemalloc=$(ldconfig -p | awk '/libjemalloc\.so\.2/ { print $NF; exit }')
    [ -z "$jemalloc" ] || export MALLOC_CONF=oversize_threshold:1,background_thread:true,dirty_decay_ms:-1,muzzy_decay_ms:-1
    LD_PRELOAD=$jemalloc OMP_NUM_THREADS=$threads nice -n 19 "$PYTHON" "$here/train.py" "$1" "$WORK" \
        --device "$device" --threads "$threads" --compile ${from:+--from "$from"}
}

# The model whose weights a model starts from, if any.
start_of() {
    awk -v section="[models.$1]" '/^\[/ { inside = $0 == section } inside && $1 == "start" { gsub(/"/, "", $3); print $3 }' "$here/zoo.toml"
}

# Trains that model first, or waits for the process that does.
train_start() (
    start=$(start_of "$1")
    [ -n "$start" ] || exit 0
    mkdir -p "$WORK/runs/$start"
    exec 8>"$WORK/runs/$start/lock"
    flock 8
    [ -f "$WORK/runs/$start/model.pt" ] || train "$start"
)

# One model, while this process holds its lock.
build() (
    mkdir -p "$WORK/runs/$1"
    exec 9>"$WORK/runs/$1/lock"
    flock -n 9 || exit $BUSY
    [ -f "$WORK/runs/$1/model.pt" ] || { train_start "$1" && train "$1"; } || exit 1
    [ -z "$train_only" ] || exit 0
    say "$1: export"
    cp "$WORK/runs/$1/log.csv" "$LOGS/$1.csv"
    nice -n 19 "$PYTHON" "$here/export.py" "$1" "$WORK" "$MODELS/$1"
    say "$1: measurements and card"
    nice -n 19 "$PYTHON" "$here/card.py" "$1" "$WORK" "$MODELS/$1" --cli "$CLI" --threads "$threads"
)

finished() {
    [ -f "$WORK/runs/$1/model.pt" ] && { [ -n "$train_only" ] || [ "$MODELS/$1/MODEL_CARD.md" -nt "$WORK/runs/$1/model.pt" ]; }
}

# The first model that is not finished, again and again; zoo.toml is read anew each time. None is tried twice.
worker() {
    tried=" "
    while :; do
        name=
        for candidate in $(sed -n 's/^\[models\.\(.*\)\]$/\1/p' "$here/zoo.toml"); do
            case $tried in *" $candidate "*) continue ;; esac
            finished "$candidate" || { name=$candidate; break; }
        done
        [ -n "$name" ] || break
        tried="$tried$name "
        status=0
        build "$name" || status=$?
        [ $status -eq 0 ] || [ $status -eq $BUSY ] || say "$name: failed with status $status"
    done
}

main() {
    names= jobs=1 device=cpu from= train_only=
    while [ $# -gt 0 ]; do
        case $1 in
            --jobs) jobs=${2:?}; shift ;;
            --device) device=${2:?}; shift ;;
            --from) from=${2:?}; shift ;;
            --train-only) train_only=yes ;;
            -*) usage ;;
            *) names="$names $1" ;;
        esac
        shift
    done
    [ -n "$names" ] || usage
    threads=$(($(nproc) / jobs))
    threads=${THREADS:-$((threads > 0 ? threads : 1))}
    prepare
    if [ "$names" != " all" ]; then
        for name in $names; do build "$name"; done
        return
    fi
    while [ "$jobs" -gt 0 ]; do
        worker &
        jobs=$((jobs - 1))
    done
    wait
}

main "$@"; exit
