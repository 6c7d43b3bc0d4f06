# SPDX-License-Identifier: Apache-2.0
"""Writes MODEL_CARD.md beside an exported model, from measurements.

    python card.py NAME WORKDIR MODELDIR [--samples FILE] [--threads N]

Measures the exported model on the whole held-out text under both selection rules (evaluate.py), and takes sizes,
tokens and time from WORKDIR. FILE, when given, is Markdown that goes under the heading "Samples".
"""
import argparse
import json
from pathlib import Path

import torch

from evaluate import evaluate, load
from model import MoR
from official import parameters
from train import recipe

SOURCES = {
    "austen": "Jane Austen's six novels, from the Debian package r-cran-janeaustenr",
    "melville": "Herman Melville, Moby Dick, from r-cran-tokenizers",
    "bible": "a modern English Bible, from sword-text-web; its quotation marks and dashes were changed to ASCII, "
             "so it may no longer carry its trademarked name",
}


def percentages(shares: list[float]) -> str:
    return " / ".join(f"{100 * share:.1f} %" for share in shares)


def table(header: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (header, ["---"] * len(header), *rows)]


def about(settings: dict, model: MoR) -> list[str]:
    c = model.c
    unique, effective = parameters(model.state_dict(), c)
    return [
        settings["summary"],
        "",
        f"A Mixture-of-Recursions language model: expert choice with the auxiliary loss, {c.recursions} recursions, MiddleCycle "
        "sharing, recursion-wise KV cache. It was trained from scratch to be looked at, not to be relied on: its text has the "
        "right grammar and register and no meaning, it may repeat the views of its sources, and it knows nothing else.",
        "",
        *table(["", ""], [
            ["layers", f"1 + {c.block_layers} x {c.recursions} + 1"],
            ["hidden size, heads, KV heads, MLP", f"{c.hidden}, {c.heads}, {c.kv_heads}, {c.ffn}"],
            ["vocabulary, context", f"{c.vocab} SentencePiece BPE pieces with byte fallback, {c.context} tokens"],
            ["parameters", f"{unique:,} unique; {effective:,} effective (the shared block counted once per recursion)"],
            ["weights", "bf16, tied embedding"],
            ["capacities", ", ".join(map(str, c.capacity))],
        ]),
    ]


def data(corpus: dict) -> list[str]:
    rows = [[SOURCES[name], f"{count:,}"] for name, count in corpus["characters"].items()]
    files = [f"`{name}` {entry['bytes']:,} bytes, SHA-256 `{entry['sha256']}`" for name, entry in corpus["files"].items()]
    return [
        *table(["text", "characters"], rows),
        "",
        "All three texts are in the public domain. Every 25th chunk of about 16,000 characters is held out. "
        "No end-of-text token was seen in training, so the model never ends a text by itself.",
        "",
        *[f"- {line}" for line in files],
    ]


def training(settings: dict, run: dict) -> list[str]:
    return [
        f"{run['tokens']:,} tokens in windows of {settings['context']}, {settings['batch']} windows a step; "
        f"{run['seconds'] / 60:.0f} minutes of wall clock on the CPU. AdamW (0.9, 0.95), learning rate "
        f"{settings['learning_rate']}, linear decay over the last {100 * settings['decay']:.0f} %, weight decay "
        f"{settings['weight_decay']} (routers 0), auxiliary coefficient {settings['auxiliary_coefficient']}, seed "
        f"{settings['seed']}, bf16 autocast with float32 routers. The recipe is `resources/training`.",
    ]


def measurements(reports: dict[str, dict]) -> list[str]:
    rows = [[{"topk": "TopK", "threshold": "Threshold"}[rule], f"{r['bits_per_byte']:.4f}", f"{r['nats_per_token']:.4f}",
             f"{r['mean_depth']:.3f}", percentages(r["depth_shares"])] for rule, r in reports.items()]
    kinds = [[kind, f"{100 * entry['share']:.1f} %", f"{entry['mean_depth']:.2f}"]
             for kind, entry in sorted(reports["threshold"]["depth_by_kind"].items(), key=lambda item: -item[1]["mean_depth"])]
    depths = " / ".join(map(str, range(len(reports["threshold"]["depth_shares"]))))
    return [
        f"On the whole held-out text, {reports['threshold']['tokens']:,} predicted tokens in disjoint windows, bf16 weights "
        "computed in float32 (`evaluate.py`).",
        "",
        *table(["selection rule", "bits per byte", "nats per token", "mean depth", f"tokens of depth {depths}"], rows),
        "",
        "Candidates on which the threshold decides as TopK does, by recursion: " + percentages(reports["topk"]["agreement"]) + ".",
        "",
        "Which tokens go deep under the threshold rule; depth follows the kind of token and says little about difficulty:",
        "",
        *table(["kind of token", "share", "mean depth"], kinds),
    ]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("name")
    arguments.add_argument("workdir", type=Path)
    arguments.add_argument("modeldir", type=Path)
    arguments.add_argument("--samples", type=Path)
    arguments.add_argument("--threads", type=int, default=1)
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)

    settings = recipe(options.name)
    run = torch.load(options.workdir / "runs" / options.name / "model.pt", weights_only=True)
    corpus = json.loads((options.workdir / "corpus.json").read_text())
    model, processor = load(options.modeldir)
    text = (options.workdir / "heldout.txt").read_text(encoding="utf-8")
    reports = {rule: evaluate(model, processor, text, rule) for rule in ("topk", "threshold")}

    sections = {"Data": data(corpus), "Training": training(settings, run), "Measured": measurements(reports)}
    if options.samples:
        sections["Samples"] = [options.samples.read_text(encoding="utf-8").strip()]
    sections["Licence"] = ["The weights are licensed under Apache-2.0. The texts they were trained on are in the public domain."]
    lines = ["<!-- SPDX-License-Identifier: Apache-2.0 -->", f"# {settings['title']}", "", *about(settings, model)]
    for heading, body in sections.items():
        lines += ["", f"## {heading}", "", *body]
    (options.modeldir / "MODEL_CARD.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{options.modeldir / 'MODEL_CARD.md'}: written")


if __name__ == "__main__":
    main()
