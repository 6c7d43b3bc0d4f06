# SPDX-License-Identifier: Apache-2.0
"""Trains one model of zoo.toml; interrupted at any moment, the same command goes on from the last checkpoint.

    python train.py NAME WORKDIR [--device cpu|cuda] [--threads N] [--compile] [--steps N]

WORKDIR holds train.bin (tokenizer.py); the hops task needs no files. Checkpoints and the log go to WORKDIR/runs/NAME:
checkpoint.pt (replaced by rename, so it is always whole), log.csv (one line every 50 steps) and, when the token budget is spent, model.pt.
--steps ends this process early, at a checkpoint: for a try, or to give the machine to somebody else.
"""
import argparse
import csv
import json
import math
import os
import time
import tomllib
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model import Config, MoR, Routing
from task_hops import HopBatches

LOG_EVERY = 50
CHECKPOINT_SECONDS = 120
CAPACITY_STAGES = 16
COLUMNS = ["step", "tokens", "seconds", "loss", "auxiliary_loss"]


def recipe(name: str) -> dict:
    with open(Path(__file__).with_name("zoo.toml"), "rb") as f:
        zoo = tomllib.load(f)
    if name not in zoo["models"]:
        raise SystemExit(f"zoo.toml: expected one of {', '.join(zoo['models'])}, got {name}")
    return {**zoo["defaults"], **zoo["models"][name]}


def config_of(settings: dict) -> Config:
    return Config(**{f.name: settings[f.name] for f in fields(Config) if f.name in settings})


def learning_rate(settings: dict, step: int, steps: int) -> float:
    """Warm-up, plateau, then linear decay to 2 % over the last `decay` share of the steps."""
    warm = min(1.0, (step + 1) / settings["warmup_steps"])
    left = (steps - step) / steps
    return settings["learning_rate"] * warm * min(1.0, max(0.02, left / settings["decay"]))


def capacities(settings: dict, step: int) -> list[float]:
    """Everything at first, then less and less until the model's own capacities hold, after capacity_steps. In
    CAPACITY_STAGES stages, because a compiled model is compiled anew for each."""
    done = min(1.0, step / settings["capacity_steps"]) if settings["capacity_steps"] else 1.0
    done = math.floor(done * CAPACITY_STAGES) / CAPACITY_STAGES
    return [1 - (1 - share) * done for share in settings["capacity"]]


def optimiser(model: MoR, settings: dict) -> torch.optim.Optimizer:
    routers = {id(p) for p in (*model.routers, *model.auxiliary_routers)}
    decayed = [p for p in model.parameters() if p.dim() == 2 and id(p) not in routers]
    others = [p for p in model.parameters() if p.dim() < 2 or id(p) in routers]
    groups = [{"params": decayed, "weight_decay": settings["weight_decay"]}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=settings["learning_rate"], betas=(0.9, 0.95), fused=True)


class TextBatches:
    """Windows of train.bin at random places; a function of the step alone, so that a resumed run sees the same data."""

    def __init__(self, settings: dict, work: Path):
        self.settings = settings
        self.tokens = np.memmap(work / "train.bin", dtype="<u2", mode="r")

    def __call__(self, step: int) -> tuple[Tensor, Tensor, Tensor | None]:
        """Inputs and targets [B, T], and weights of the targets (None: all alike)."""
        length, generator = self.settings["context"], np.random.default_rng((self.settings["seed"], step))
        starts = generator.integers(0, len(self.tokens) - length - 1, self.settings["batch"])
        window = torch.from_numpy(np.stack([self.tokens[s:s + length + 1] for s in starts]).astype(np.int64))
        return window[:, :-1], window[:, 1:], None


def losses(model: MoR, inputs: Tensor, targets: Tensor, weights: Tensor | None) -> tuple[Tensor, Routing]:
    """Mean cross-entropy in nats, and what the routers did."""
    with torch.autocast(inputs.device.type, torch.bfloat16):
        logits, routing = model(inputs)
    if weights is None:
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten()), routing
    each = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    return (each * weights.flatten()).sum() / weights.sum(), routing


def routing_columns(c: Config) -> list[str]:
    """What the log says about the routers: agreement of both rules, or how often each depth is chosen."""
    name = {"expert": "agreement", "token": "share"}.get(c.kind)
    return [f"{name}_{r + 1}" for r in range(c.recursions)] if name else []


def routing_values(c: Config, routing: Routing) -> list[float]:
    if c.kind == "token":
        return [round((routing.depth == r + 1).float().mean().item(), 4) for r in range(c.recursions)]
    return [round(a.item(), 4) for a in routing.agreement]


def save(path: Path, state: dict) -> None:
    temporary = path.with_suffix(".new")
    torch.save(state, temporary)
    os.replace(temporary, path)


class Run:
    """One model in training, and the files that it leaves behind."""

    def __init__(self, name: str, work: Path, device: str):
        self.settings, self.device = recipe(name), torch.device(device)
        self.directory = work / "runs" / name
        self.directory.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(self.settings["seed"])
        self.model = MoR(config_of(self.settings)).to(self.device)
        self.optimizer = optimiser(self.model, self.settings)
        self.batches = HopBatches(self.settings) if self.settings["task"] == "hops" else TextBatches(self.settings, work)
        self.per_step = self.settings["batch"] * self.settings["context"]
        self.steps = -(-self.settings["tokens"] // self.per_step)
        self.step, self.seconds = 0, 0.0

    def resume(self) -> None:
        checkpoint = self.directory / "checkpoint.pt"
        if not checkpoint.exists():
            return
        state = torch.load(checkpoint, weights_only=True, map_location=self.device)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds = state["step"], state["seconds"]
        print(f"resuming at step {self.step} of {self.steps}", flush=True)

    def checkpoint(self) -> None:
        save(self.directory / "checkpoint.pt", {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(),
                                                "step": self.step, "seconds": self.seconds})

    def advance(self, losses_of) -> tuple[Tensor, Routing]:
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.settings, self.step, self.steps)
        if self.settings["capacity_steps"]:
            self.model.c.capacity = capacities(self.settings, self.step)
        inputs, targets, weights = (None if x is None else x.to(self.device) for x in self.batches(self.step))
        loss, routing = losses_of(self.model, inputs, targets, weights)
        self.optimizer.zero_grad(set_to_none=True)
        (loss + self.settings["auxiliary_coefficient"] * routing.auxiliary_loss).backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        return loss.detach(), routing

    def train(self, losses_of, until: int) -> None:
        with open(self.directory / "log.csv", "a", newline="") as log:
            writer, columns = csv.writer(log), COLUMNS + routing_columns(self.model.c)
            if log.tell() == 0:
                writer.writerow(columns)
            started = time.monotonic() - self.seconds
            saved = time.monotonic()
            while self.step < until:
                loss, routing = self.advance(losses_of)
                self.seconds = time.monotonic() - started
                if self.step % LOG_EVERY == 0 or self.step == until:
                    row = [self.step, self.step * self.per_step, round(self.seconds), round(loss.item(), 4),
                           round(routing.auxiliary_loss.item(), 4), *routing_values(self.model.c, routing)]
                    writer.writerow(row)
                    log.flush()
                    print(" ".join(f"{name} {value}" for name, value in zip(columns, row)), flush=True)
                if time.monotonic() - saved > CHECKPOINT_SECONDS or self.step == until:
                    self.checkpoint()
                    saved = time.monotonic()

    def finish(self) -> None:
        self.model.c.capacity = config_of(self.settings).capacity
        model = {name: tensor.cpu() for name, tensor in self.model.state_dict().items()}
        save(self.directory / "model.pt", {"model": model, "config": asdict(self.model.c), "settings": json.dumps(self.settings),
                                           "tokens": self.step * self.per_step, "seconds": self.seconds,
                                           "device": self.device.type})


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("name")
    arguments.add_argument("workdir", type=Path)
    arguments.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--compile", action="store_true", help="torch.compile: a fifth faster, needs a C++ compiler")
    arguments.add_argument("--steps", type=int, help="stop at this step")
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    torch._dynamo.config.recompile_limit = 64      # token choice: one version per (rounded) number of rows

    run = Run(options.name, options.workdir, options.device)
    run.resume()
    until = min(run.steps, options.steps or run.steps)
    run.train(torch.compile(losses, dynamic=False) if options.compile and run.settings["compile"] else losses, until)
    if run.step == run.steps:
        run.finish()


if __name__ == "__main__":
    main()
