# SPDX-License-Identifier: Apache-2.0
"""Speed of Morscope beside Hugging Face transformers on a model directory without recursions, one after the other.

    python bench_transformers.py MODEL --cli build/release/bin/morscope-cli [--device cpu|cuda] [--prompt-tokens 128]
        [--decode-tokens 64] [--batch 8] [--threads N] [--json]

Both sides use the weights as stored (bf16), read the same number of random prompt tokens and decode greedily with a KV cache, for one
request and for B requests at a time. transformers computes in bf16 with its own attention (sdpa) and a dynamic cache; Morscope computes
with bf16 weights, float32 sums and the K/V and activations of --kv-type and --compute bf16. Ratios above 1 mean Morscope is faster.
"""
import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM
from transformers.utils import logging

REPETITIONS = 3        # the median counts


def ours(options: argparse.Namespace) -> dict:
    command = [str(options.cli), "bench", str(options.model), "--device", options.device, "--kv-type", "bf16", "--compute", "bf16",
               "--prompt-tokens", str(options.prompt_tokens), "--decode-tokens", str(options.decode_tokens),
               "--batch", str(options.batch), "--json"]
    if options.threads:
        command += ["--threads", str(options.threads)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"bench_transformers.py: {done.stderr.strip()}")
    result = json.loads(done.stdout)
    return {"device": result["device"], 1: (result["prefill_tokens_per_second"], result["decode_tokens_per_second"]),
            options.batch: (result["batched_prefill_tokens_per_second"], result["batched_decode_tokens_per_second"])}


def wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


@torch.inference_mode()
def timed(model, device: str, batch: int, prompt_tokens: int, decode_tokens: int) -> tuple[float, float]:
    """Seconds of the prefill and of decoding."""
    ids = torch.randint(0, model.config.vocab_size, (batch, prompt_tokens), device=device)
    wait(device)
    begin = time.perf_counter()
    output = model(ids, use_cache=True, logits_to_keep=1)
    step, cache = output.logits[:, -1:].argmax(-1), output.past_key_values
    wait(device)
    read = time.perf_counter()
    for _ in range(decode_tokens):
        output = model(step, past_key_values=cache, use_cache=True)
        step, cache = output.logits[:, -1:].argmax(-1), output.past_key_values
    wait(device)
    return read - begin, time.perf_counter() - read


def theirs(model, options: argparse.Namespace, batch: int) -> tuple[float, float]:
    """Tokens a second of prefill and decoding."""
    timed(model, options.device, batch, options.prompt_tokens, 4)
    runs = [timed(model, options.device, batch, options.prompt_tokens, options.decode_tokens) for _ in range(REPETITIONS)]
    median = lambda values: sorted(values)[len(values) // 2]
    prefill, decode = (median([run[i] for run in runs]) for i in (0, 1))
    return batch * options.prompt_tokens / prefill, batch * options.decode_tokens / decode


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("model", type=Path)
    arguments.add_argument("--cli", type=Path, required=True)
    arguments.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    arguments.add_argument("--prompt-tokens", type=int, default=128)
    arguments.add_argument("--decode-tokens", type=int, default=64)
    arguments.add_argument("--batch", type=int, default=8)
    arguments.add_argument("--threads", type=int)
    arguments.add_argument("--json", action="store_true", help="one JSON object on one line")
    options = arguments.parse_args()
    torch.set_num_threads(options.threads or os.cpu_count())
    logging.disable_progress_bar()

    mine = ours(options)
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.bfloat16).to(options.device).eval()
    rows = []
    for batch in (1, options.batch):
        peer = theirs(model, options, batch)
        for what, we, they in zip(("prefill", "decode"), mine[batch], peer):
            rows.append({"what": what, "batch": batch, "morscope": round(we, 1), "transformers": round(they, 1), "ratio": round(we / they, 3)})
    if options.json:
        print(json.dumps({"device": mine["device"], "torch": torch.__version__, "rows": rows}))
        return
    print(f"{options.model.name} on {mine['device']}, torch {torch.__version__}; tokens a second")
    for row in rows:
        print(f"{row['what']:8} batch {row['batch']:3}   Morscope {row['morscope']:10,.1f}   transformers {row['transformers']:10,.1f}   ratio {row['ratio']:.2f}")


if __name__ == "__main__":
    main()
