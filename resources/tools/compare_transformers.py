# SPDX-License-Identifier: Apache-2.0
"""Holds Morscope against Hugging Face transformers on a model directory without recursions.

    pip install torch==2.15.0 transformers==5.23.0
    python compare_transformers.py MODEL --cli build/release/bin/morscope-cli [--text FILE] [--max-tokens 64]

The same bf16 weights, computed in float32 on both sides: greedy ids after three prompts (transformers' choice must be the
same, but where its two best logits are less than 1e-3 apart), and nats per token on a text in windows of the context
(within 0.5 %). Prints both figures and exits 1 when either differs more.
"""
import argparse
import json
import math
import subprocess
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

PROMPTS = [
    "The sea was calm that morning, and",
    "Three reasons why the sky looks blue:\n1.",
    "def fibonacci(n):\n    \"\"\"The n-th Fibonacci number.\"\"\"\n",
]
MARGIN = 1e-3          # logits; below it rounding may decide
TOLERANCE = 0.005      # of the perplexity


def run(cli: Path, *arguments: str) -> list[dict]:
    done = subprocess.run([str(cli), *arguments, "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"compare_transformers.py: {done.stderr.strip()}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def ours_greedy(cli: Path, model: Path, prompt: str, count: int) -> tuple[list[int], list[int]]:
    """Ids of the prompt and of what was written after it."""
    records = run(cli, "generate", str(model), "--prompt", prompt, "--max-tokens", str(count), "--ignore-eos")
    tokens = [r for r in records if r["type"] == "token"]
    return [r["token"] for r in tokens if r.get("prompt")], [r["token"] for r in tokens if not r.get("prompt")]


@torch.no_grad()
def theirs_greedy(model, prompt: list[int], count: int) -> tuple[list[int], list[float]]:
    """The greedy ids, and how far the best logit of each lies above the second."""
    cache, step, ids, margins = None, torch.tensor([prompt]), [], []
    for _ in range(count):
        output = model(step, past_key_values=cache, use_cache=True)
        cache = output.past_key_values
        best = output.logits[0, -1].topk(2)
        ids.append(int(best.indices[0]))
        margins.append(float(best.values[0] - best.values[1]))
        step = torch.tensor([[ids[-1]]])
    return ids, margins


@torch.no_grad()
def theirs_nats(model, ids: list[int], context: int) -> tuple[float, int]:
    """As morscope-cli perplexity: disjoint windows, a rest is dropped, a shorter text is one window."""
    total = count = 0
    windows = [ids[i:i + context] for i in range(0, len(ids) - context + 1, context)] or [ids]
    for window in windows:
        logits = model(torch.tensor([window])).logits[0, :-1]
        total += float(torch.nn.functional.cross_entropy(logits.double(), torch.tensor(window[1:]), reduction="sum"))
        count += len(window) - 1
    return total / count, count


def compare_greedy(cli: Path, directory: Path, model, tokenizer, count: int) -> bool:
    right = True
    for prompt in PROMPTS:
        prompt_ids, ours = ours_greedy(cli, directory, prompt, count)
        same_prompt = prompt_ids == tokenizer(prompt, add_special_tokens=False).input_ids
        theirs, margins = theirs_greedy(model, prompt_ids, count)
        differ = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), None)
        verdict = "equal" if differ is None else f"differ at {differ}, margin there {margins[differ]:.2g}"
        print(f"greedy {prompt[:32]!r}: prompt ids {'equal' if same_prompt else 'DIFFER'}, {len(ours)} tokens {verdict}, "
              f"least margin {min(margins):.2g}")
        right &= same_prompt and len(ours) == count and (differ is None or margins[differ] < MARGIN)
    return right


def compare_perplexity(cli: Path, directory: Path, model, tokenizer, text: Path) -> bool:
    ours = run(cli, "perplexity", str(directory), "--text", str(text))[-1]
    ids = tokenizer(text.read_text(encoding="utf-8"), add_special_tokens=False).input_ids
    nats, count = theirs_nats(model, ids, model.config.max_position_embeddings)
    a, b = math.exp(ours["nats_per_token"]), math.exp(nats)
    print(f"perplexity of {text.name}: morscope {a:.4f} on {ours['tokens']} tokens, transformers {b:.4f} on {count}, "
          f"{100 * (a / b - 1):+.4f} %")
    return ours["tokens"] == count and abs(a / b - 1) < TOLERANCE


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("model", type=Path)
    arguments.add_argument("--cli", type=Path, required=True)
    arguments.add_argument("--text", type=Path, default=Path(__file__).parents[2] / "tests/data/passage.txt",
                           help="(tests/data/passage.txt, ordinary prose)")
    arguments.add_argument("--max-tokens", type=int, default=64)
    options = arguments.parse_args()
    logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32, attn_implementation="eager").eval()
    # both, whatever the first says
    results = [compare_greedy(options.cli, options.model, model, tokenizer, options.max_tokens),
               compare_perplexity(options.cli, options.model, model, tokenizer, options.text)]
    print("passed" if all(results) else "FAILED")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
