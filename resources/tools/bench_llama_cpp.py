# SPDX-License-Identifier: Apache-2.0
"""Speed of Morscope beside llama.cpp on a model directory without recursions, on the CPU, one after the other.

    pip install -r requirements.txt llama-cpp-python==0.3.36       (builds llama.cpp for this machine)
    python bench_llama_cpp.py MODEL --cli build/release/bin/morscope-cli [--prompt-tokens 128] [--decode-tokens 64] [--batch 8]
        [--threads N] [--rounds 5] [--json]

Both sides have the same bf16 weights (the directory is written as a GGUF first), keep K/V as float16, read the same number of prompt
tokens and decode greedily, for one request and for B requests at a time. Rounds alternate between the two, the ratio is the median of
the rounds' ratios; above 1 Morscope is faster. Morscope computes products of several rows as --compute says (bf16, as llama.cpp does where
the processor can). Before that the first greedy tokens of both are held against each other.
"""
import argparse
import ctypes
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import llama_cpp as llama
import numpy as np

from gguf_export import export

GREEDY = 16


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


@llama.llama_log_callback
def silent(level, text, data) -> None:
    """Takes what llama.cpp has to say; lives as long as it may say something."""


class LlamaCpp:
    """A model with room for `batch` sequences of `tokens` each."""

    def __init__(self, path: Path, threads: int, batch: int, tokens: int):
        llama.llama_log_set(silent, ctypes.c_void_p(0))
        llama.llama_backend_init()
        parameters = llama.llama_model_default_params()
        parameters.n_gpu_layers = 0
        self.model = llama.llama_model_load_from_file(str(path).encode(), parameters)
        if not self.model:
            sys.exit(f"{path}: llama.cpp cannot load it")
        context = llama.llama_context_default_params()
        context.n_ctx = batch * tokens
        context.n_batch = context.n_ubatch = max(512, batch)
        context.n_seq_max = batch
        context.n_threads = context.n_threads_batch = threads
        self.context = llama.llama_init_from_model(self.model, context)
        self.vocab = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(self.model))
        self.batch = llama.llama_batch_init(max(512, batch), 0, 1)

    def clear(self) -> None:
        llama.llama_memory_clear(llama.llama_get_memory(self.context), True)

    def decode(self, rows: list[tuple[int, int, int, bool]]) -> None:
        """(token, position, sequence, whether its logits are wanted), in passes of at most 512."""
        for begin in range(0, len(rows), 512):
            part = rows[begin:begin + 512]
            self.batch.n_tokens = len(part)
            for i, (token, position, sequence, wanted) in enumerate(part):
                self.batch.token[i], self.batch.pos[i], self.batch.n_seq_id[i] = token, position, 1
                self.batch.seq_id[i][0], self.batch.logits[i] = sequence, wanted
            if llama.llama_decode(self.context, self.batch) != 0:
                sys.exit("llama_decode failed")

    def best(self, row: int) -> int:
        return int(np.ctypeslib.as_array(llama.llama_get_logits_ith(self.context, row), (self.vocab,)).argmax())

    def greedy(self, prompt: list[int], count: int) -> list[int]:
        self.clear()
        self.decode([(token, i, 0, i + 1 == len(prompt)) for i, token in enumerate(prompt)])
        chosen = [self.best(-1)]
        while len(chosen) < count:
            self.decode([(chosen[-1], len(prompt) + len(chosen) - 1, 0, True)])
            chosen.append(self.best(0))
        return chosen

    def timed(self, sequences: int, prompt: list[int], decoded: int) -> tuple[float, float]:
        """Tokens a second of prefill and of decoding."""
        self.clear()
        begin = time.perf_counter()
        self.decode([(token, i, sequence, i + 1 == len(prompt)) for sequence in range(sequences) for i, token in enumerate(prompt)])
        step = [self.best(-1)] * sequences
        read = time.perf_counter()
        for n in range(decoded):
            self.decode([(step[s], len(prompt) + n, s, True) for s in range(sequences)])
            step = [self.best(s) for s in range(sequences)]
        end = time.perf_counter()
        return sequences * len(prompt) / (read - begin), sequences * decoded / (end - read)


def cli(options: argparse.Namespace, *arguments: str) -> dict:
    done = subprocess.run([str(options.cli), *arguments, "--device", "cpu", "--threads", str(options.threads), "--json"],
                          capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"bench_llama_cpp.py: {done.stderr.strip()}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def ours_greedy(options: argparse.Namespace, prompt: list[int]) -> list[int]:
    lines = cli(options, "generate", str(options.model), "--tokens", ",".join(map(str, prompt)), "--max-tokens", str(GREEDY), "--ignore-eos")
    return [line["token"] for line in lines if "token" in line and not line.get("prompt")][:GREEDY]


def ours(options: argparse.Namespace) -> dict[int, tuple[float, float]]:
    r = cli(options, "bench", str(options.model), "--kv-type", "f16", "--compute", options.compute, "--prompt-tokens", str(options.prompt_tokens),
            "--decode-tokens", str(options.decode_tokens), "--batch", str(options.batch))[0]
    return {1: (r["prefill_tokens_per_second"], r["decode_tokens_per_second"]),
            options.batch: (r["batched_prefill_tokens_per_second"], r["batched_decode_tokens_per_second"])}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("model", type=Path)
    arguments.add_argument("--cli", type=Path, required=True)
    arguments.add_argument("--prompt-tokens", type=int, default=128)
    arguments.add_argument("--decode-tokens", type=int, default=64)
    arguments.add_argument("--batch", type=int, default=8)
    arguments.add_argument("--threads", type=int, default=os.cpu_count())
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--compute", choices=["f32", "bf16"], default="bf16")
    arguments.add_argument("--json", action="store_true", help="one JSON object on one line")
    options = arguments.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.gguf"
        export(options.model, path)
        peer = LlamaCpp(path, options.threads, options.batch, options.prompt_tokens + options.decode_tokens)
    prompt = np.random.default_rng(1).integers(0, peer.vocab, options.prompt_tokens).tolist()
    mine, theirs = ours_greedy(options, prompt), peer.greedy(prompt, GREEDY)
    agree = next((i for i, (a, b) in enumerate(zip(mine, theirs)) if a != b), GREEDY)

    rounds = []
    for _ in range(options.rounds):
        rounds.append((ours(options), {n: peer.timed(n, prompt, options.decode_tokens) for n in (1, options.batch)}))
    rows = []
    for batch in (1, options.batch):
        for i, what in enumerate(("prefill", "decode")):
            we, they = ([r[side][batch][i] for r in rounds] for side in (0, 1))
            rows.append({"what": what, "batch": batch, "morscope": round(median(we), 1), "llama_cpp": round(median(they), 1),
                         "ratio": round(median([a / b for a, b in zip(we, they)]), 3)})
    if options.json:
        print(json.dumps({"threads": options.threads, "llama_cpp_python": llama.__version__, "greedy_agree": agree, "rows": rows}))
        return
    print(f"{options.model.name}, {options.threads} threads, llama-cpp-python {llama.__version__}: the first {agree} of {GREEDY} greedy tokens agree")
    for row in rows:
        print(f"{row['what']:8} batch {row['batch']:3}   Morscope {row['morscope']:10,.1f}   llama.cpp {row['llama_cpp']:10,.1f}   ratio {row['ratio']:.2f}")


if __name__ == "__main__":
    main()
