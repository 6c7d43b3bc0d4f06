# SPDX-License-Identifier: Apache-2.0
"""Writes a model directory with random weights of a given shape: for benchmarks, where only sizes matter.

    python random_model.py OUTDIR [--kind vanilla|recursive|expert|token] [--shape smollm-135m] [--recursions 4] [--seed 1]

The shape's executed layers are the same for every kind: the first and the last are their own, those between are one
block that every recursion runs again (MiddleCycle). Weights are bf16, normal with deviation 0.02; routers get 0.1, so that
tokens spread over all depths. There is no tokenizer: such a model is run with `bench`, or with `--tokens`.
"""
import argparse
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "training"))
from model import Config, MoR  # noqa: E402
from official import config_json, mor_json, to_official  # noqa: E402

SHAPES = {
    "smollm-135m": {"vocab": 49152, "context": 2048, "hidden": 576, "heads": 9, "kv_heads": 3, "ffn": 1536, "layers": 30},
    "smollm-360m": {"vocab": 49152, "context": 2048, "hidden": 960, "heads": 15, "kv_heads": 5, "ffn": 2560, "layers": 32},
}


def config_of(kind: str, shape: dict, recursions: int) -> Config:
    sizes = {name: value for name, value in shape.items() if name != "layers"}
    recursions = 1 if kind == "vanilla" else recursions
    inner = shape["layers"] - 2
    if inner % recursions:
        raise SystemExit(f"--recursions: expected a divisor of the {inner} layers between the first and the last, got {recursions}")
    capacity = [(recursions - r) / recursions for r in range(recursions)]
    return Config(kind=kind, block_layers=inner // recursions, recursions=recursions, capacity=capacity, **sizes)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("outdir", type=Path)
    arguments.add_argument("--kind", choices=["vanilla", "recursive", "expert", "token"], default="vanilla")
    arguments.add_argument("--shape", choices=SHAPES, default="smollm-135m")
    arguments.add_argument("--recursions", type=int, default=4)
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()

    torch.manual_seed(options.seed)
    config = config_of(options.kind, SHAPES[options.shape], options.recursions)
    model = MoR(config)
    for router in model.routers:
        torch.nn.init.normal_(router, std=0.1)
    tensors = {name: tensor.to(torch.bfloat16) for name, tensor in to_official(model.state_dict(), config).items()}
    options.outdir.mkdir(parents=True, exist_ok=True)
    save_file(tensors, options.outdir / "model.safetensors", metadata={"format": "pt"})
    files = {"config.json": config_json(config), "mor.json": mor_json(config, 0.0),
             "card.json": {"name": f"Random weights, {options.shape}, {options.kind}", "summary": "For benchmarks only."}}
    for name, value in files.items():
        if value is not None:
            (options.outdir / name).write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    print(f"{options.outdir}: {sum(t.numel() for t in tensors.values()):,} parameters")


if __name__ == "__main__":
    main()
