# SPDX-License-Identifier: Apache-2.0
"""Trains one model of zoo.toml; interrupted at any moment, the same command goes on from the last checkpoint.

    python train.py NAME WORKDIR [--threads N] [--compile]

WORKDIR holds train.bin (tokenizer.py). Checkpoints and the log go to WORKDIR/runs/NAME: checkpoint.pt (replaced
by rename, so it is always whole), log.csv (one line every 50 steps) and, when the token budget is spent, model.pt.
"""
import argparse
import csv
import json
import os
import time
import tomllib
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model import Config, MoR

LOG_EVERY = 50
CHECKPOINT_EVERY = 100


def recipe(name: str) -> dict:
    with open(Path(__file__).with_name("zoo.toml"), "rb") as f:
        zoo = tomllib.load(f)
    return {**zoo["defaults"], **zoo["models"][name]}


def config_of(settings: dict) -> Config:
    return Config(**{f.name: settings[f.name] for f in fields(Config) if f.name in settings})


def learning_rate(settings: dict, step: int, steps: int) -> float:
    """Warm-up, plateau, then linear decay to 2 % over the last `decay` share of the steps."""
    warm = min(1.0, (step + 1) / settings["warmup_steps"])
    left = (steps - step) / steps
    return settings["learning_rate"] * warm * min(1.0, max(0.02, left / settings["decay"]))


def optimiser(model: MoR, settings: dict) -> torch.optim.Optimizer:
    routers = {id(p) for p in model.routers}
    decayed = [p for p in model.parameters() if p.dim() == 2 and id(p) not in routers]
    others = [p for p in model.parameters() if p.dim() < 2 or id(p) in routers]
    groups = [{"params": decayed, "weight_decay": settings["weight_decay"]}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=settings["learning_rate"], betas=(0.9, 0.95), fused=True)


def batch(tokens: np.ndarray, settings: dict, step: int) -> tuple[Tensor, Tensor]:
    """Windows at random places; a function of the step alone, so that a resumed run sees the same data."""
    length, generator = settings["context"], np.random.default_rng((settings["seed"], step))
    starts = generator.integers(0, len(tokens) - length - 1, settings["batch"])
    window = torch.from_numpy(np.stack([tokens[s:s + length + 1] for s in starts]).astype(np.int64))
    return window[:, :-1], window[:, 1:]


def save(path: Path, state: dict) -> None:
    temporary = path.with_suffix(".new")
    torch.save(state, temporary)
    os.replace(temporary, path)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("name")
    arguments.add_argument("workdir", type=Path)
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--compile", action="store_true", help="torch.compile: about a tenth faster, needs a C++ compiler")
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)

    settings = recipe(options.name)
    run = options.workdir / "runs" / options.name
    run.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings["seed"])
    model = MoR(config_of(settings))
    optimizer = optimiser(model, settings)
    per_step = settings["batch"] * settings["context"]
    steps = -(-settings["tokens"] // per_step)
    step, seconds = 0, 0.0
    checkpoint = run / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        step, seconds = state["step"], state["seconds"]
        print(f"resuming at step {step} of {steps}", flush=True)
    if options.compile:
        model.compile(dynamic=False)
    tokens = np.memmap(options.workdir / "train.bin", dtype="<u2", mode="r")

    with open(run / "log.csv", "a", newline="") as log:
        writer = csv.writer(log)
        started = time.monotonic() - seconds
        while step < steps:
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(settings, step, steps)
            inputs, targets = batch(tokens, settings, step)
            with torch.autocast("cpu", torch.bfloat16):
                logits, routing = model(inputs)
            loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
            optimizer.zero_grad(set_to_none=True)
            (loss + settings["auxiliary_coefficient"] * routing.auxiliary_loss).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            step += 1
            seconds = time.monotonic() - started
            if step % LOG_EVERY == 0 or step == steps:
                agreement = [round(a.item(), 4) for a in routing.agreement]
                row = [step, step * per_step, round(seconds), round(loss.item(), 4),
                       round(routing.auxiliary_loss.item(), 4), *agreement]
                writer.writerow(row)
                log.flush()
                print("step {} tokens {} seconds {} loss {} auxiliary {} agreement {}".format(*row[:5], agreement), flush=True)
            if step % CHECKPOINT_EVERY == 0 or step == steps:
                save(checkpoint, {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "seconds": seconds})
    save(run / "model.pt", {"model": model.state_dict(), "config": asdict(model.c), "settings": json.dumps(settings),
                            "tokens": step * per_step, "seconds": seconds})


if __name__ == "__main__":
    main()
