# SPDX-License-Identifier: Apache-2.0
"""Turns a trained model into a model directory that Morscope opens.

    python export.py NAME WORKDIR OUTDIR [--partial]

reads WORKDIR/runs/NAME/model.pt (with --partial the newest checkpoint.pt, for a look at a run in progress) and writes
OUTDIR/config.json, mor.json, model.safetensors (bf16, official names), tokenizer.model, tokenizer_config.json and
card.json. Existing files are replaced.
"""
import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from model import Config
from official import config_json, mor_json, to_official
from tokenizer import check_frozen
from train import config_of, recipe

TOKENIZER_CONFIG = {
    "add_bos_token": False,
    "add_eos_token": False,
    "bos_token": "<s>",
    "eos_token": "</s>",
    "unk_token": "<unk>",
    "clean_up_tokenization_spaces": False,
    "tokenizer_class": "LlamaTokenizer",
}


def trained(name: str, work: Path, partial: bool) -> tuple[dict, Config]:
    """Parameters and configuration of a finished run, or of a running one's newest checkpoint."""
    run = work / "runs" / name
    state = torch.load(run / ("checkpoint.pt" if partial else "model.pt"), weights_only=True)
    config = config_of(recipe(name)) if partial else Config(**state["config"])
    return state["model"], config


def tokenizer_of(task: str, work: Path) -> bytes:
    """The vocabulary that every model of the task shares."""
    if task == "hops":
        return (work / "hops" / "tokenizer.model").read_bytes()
    tokenizer = (work / "tokenizer.model").read_bytes()
    check_frozen(tokenizer)
    return tokenizer


def write_json(path: Path, value: dict) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("name")
    arguments.add_argument("workdir", type=Path)
    arguments.add_argument("outdir", type=Path)
    arguments.add_argument("--partial", action="store_true", help="export the newest checkpoint of a run in progress")
    options = arguments.parse_args()

    settings = recipe(options.name)
    state, config = trained(options.name, options.workdir, options.partial)
    tokenizer = tokenizer_of(settings["task"], options.workdir)
    out = options.outdir
    out.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.to(torch.bfloat16) for name, tensor in to_official(state, config).items()}
    save_file(tensors, out / "model.safetensors", metadata={"format": "pt"})
    (out / "model.safetensors").chmod(0o644)              # the library writes it for its owner only
    write_json(out / "config.json", config_json(config))
    mor = mor_json(config, settings["auxiliary_coefficient"])
    if mor is not None:
        write_json(out / "mor.json", mor)
    write_json(out / "tokenizer_config.json", {**TOKENIZER_CONFIG, "model_max_length": config.context})
    write_json(out / "card.json", {"name": settings["title"], "summary": settings["summary"], "prompt": settings["prompt"]})
    (out / "tokenizer.model").write_bytes(tokenizer)
    print(f"{out}: {len(tensors)} tensors, {(out / 'model.safetensors').stat().st_size} bytes of weights")


if __name__ == "__main__":
    main()
