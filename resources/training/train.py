# SPDX-License-Identifier: Apache-2.0
"""Trains models of zoo.toml; interrupted at any moment, the same command goes on from the last checkpoint.

    python train.py NAME... WORKDIR [--device cpu|cuda] [--threads N] [--compile] [--steps N] [--from MODELS]

WORKDIR holds train.bin and heldout.bin (tokenizer.py); the hops task needs no files. Checkpoints and the log go to
WORKDIR/runs/NAME: checkpoint.pt (replaced by rename, so it is always whole), log.csv (one line every 50 steps, every fifth
with a validation) and, when the token budget is spent, model.pt. Several models are trained side by side, a step of each in
turn: on a GPU, where each has a stream of its own, they share it well. --steps ends this process early, at a checkpoint:
for a try, or to give the machine to somebody else. --from starts a model of several rounds that has no checkpoint at its last
round, with the weights of MODELS/NAME, an exported directory that went through the rounds before: rounded to bf16, and AdamW's
state is gathered anew during the warm-up.
"""
import argparse
import csv
import json
import math
import os
import time
import tomllib
from contextlib import nullcontext
from dataclasses import asdict, fields
from pathlib import Path

import torch
from safetensors.torch import load_file

from batches import TextBatches, TextValidation
from model import Config, MoR, Routing
from official import from_official
from steps import PlainStep, RecordedStep, Result, losses, optimiser, set_learning_rate
from task_hops import HopBatches, HopValidation

LOG_EVERY = 50
VALIDATE_EVERY = 250
CHECKPOINT_SECONDS = 120
CAPACITY_STAGES = 16
COLUMNS = ["step", "tokens", "seconds", "loss", "auxiliary_loss"]


def recipe(name: str) -> dict:
    with open(Path(__file__).with_name("zoo.toml"), "rb") as f:
        zoo = tomllib.load(f)
    if name not in zoo["models"]:
        raise SystemExit(f"zoo.toml: expected one of {', '.join(zoo['models'])}, got {name}")
    settings = zoo["models"][name]
    return {**zoo["defaults"], **(zoo[settings["like"]] if "like" in settings else {}), **settings}


def config_of(settings: dict) -> Config:
    return Config(**{f.name: settings[f.name] for f in fields(Config) if f.name in settings})


def steps_of(settings: dict) -> list[int]:
    """Steps of each round."""
    per_step = settings["batch"] * settings["context"]
    return [-(-part["tokens"] // per_step) for part in settings["rounds"]]


def learning_rate(settings: dict, step: int) -> float:
    """In each round: warm-up, plateau, then linear decay to 2 % over the last `decay` share of its steps."""
    for part, steps in zip(settings["rounds"], steps_of(settings)):
        if step < steps:
            break
        step -= steps
    warm = min(1.0, (step + 1) / settings["warmup_steps"])
    left = (steps - step) / steps
    return settings["learning_rate"] * warm * min(1.0, max(0.02, left / part["decay"]))


def capacities(settings: dict, step: int) -> list[float]:
    """Everything at first; from step capacity_from on less and less, until after capacity_steps the model's own capacities
    hold. In CAPACITY_STAGES stages, because a recorded or compiled step is made anew for each."""
    done = min(1.0, max(0, step - settings["capacity_from"]) / settings["capacity_steps"])
    done = math.floor(done * CAPACITY_STAGES) / CAPACITY_STAGES
    return [1 - (1 - share) * done for share in settings["capacity"]]


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

    def __init__(self, name: str, work: Path, device: str, compiled: bool, models: Path | None = None):
        self.settings, self.device = recipe(name), torch.device(device)
        self.name, self.directory = name, work / "runs" / name
        self.directory.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(self.settings["seed"])
        self.model = MoR(config_of(self.settings)).to(self.device)
        if "start" in self.settings:
            trained = work / "runs" / self.settings["start"] / "model.pt"
            if not trained.exists():
                raise SystemExit(f"{trained}: expected the trained model that {name} starts from, got no file; train it first")
            self.model.start_from(torch.load(trained, weights_only=True, map_location=self.device)["model"])
        self.optimizer = optimiser(self.model, self.settings, device)
        hops = self.settings["task"] == "hops"
        self.batches = HopBatches(self.settings) if hops else TextBatches(self.settings, work)
        self.validation = HopValidation(self.settings) if hops else TextValidation(self.settings, work)
        self.columns = COLUMNS + routing_columns(self.model.c) + self.validation.columns
        self.per_step = self.settings["batch"] * self.settings["context"]
        self.steps = sum(steps_of(self.settings))
        self.step, self.seconds, self.before = 0, 0.0, None
        if (self.directory / "checkpoint.pt").exists():
            self.resume()
        elif models is not None:
            self.take_up(models / name)
        self.computes = self.step_of(compiled and self.settings["compile"])
        self.saved = time.monotonic()
        self.started = self.saved - self.seconds
        self.stream = torch.cuda.Stream() if device == "cuda" else None

    def step_of(self, compiled: bool) -> PlainStep | RecordedStep:
        coefficient = self.settings["auxiliary_coefficient"]
        if self.device.type == "cuda":
            return RecordedStep(PlainStep(self.model, self.optimizer, coefficient))
        return PlainStep(self.model, self.optimizer, coefficient, torch.compile(losses, dynamic=False) if compiled else losses)

    def resume(self) -> None:
        state = torch.load(self.directory / "checkpoint.pt", weights_only=True, map_location=self.device)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds, self.before = state["step"], state["seconds"], state["before"]
        print(f"{self.name}: resuming at step {self.step} of {self.steps}", flush=True)

    def take_up(self, directory: Path) -> None:
        """Begins the last round with the weights of an exported directory."""
        if len(self.settings["rounds"]) < 2:
            raise SystemExit(f"zoo.toml: rounds of {self.name}: expected one more, to go on with what --from has, got one in all")
        measured = json.loads((directory / "card.json").read_text(encoding="utf-8")).get("measured", {})
        self.step = sum(steps_of(self.settings)[:-1])
        if measured.get("tokens") != self.step * self.per_step:
            raise SystemExit(f"{directory}/card.json: expected a model of {self.step * self.per_step:,} tokens, as many as the rounds "
                             f"before the last have, got {measured.get('tokens', 'no figure')}")
        self.model.load_state_dict(from_official(load_file(directory / "model.safetensors"), self.model.c))
        self.before = {key: measured[key] for key in ("tokens", "seconds", "device", "bits_per_byte")}
        print(f"{self.name}: goes on from {directory} at step {self.step} of {self.steps}", flush=True)
        blanks = [""] * (len(self.columns) - 3 - len(self.validation.columns))
        self.append_row([self.step, self.step * self.per_step, 0, *blanks, *self.validate()])

    def checkpoint(self) -> None:
        save(self.directory / "checkpoint.pt", {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(),
                                                "step": self.step, "seconds": self.seconds, "before": self.before})
        self.saved = time.monotonic()

    def advance(self) -> None:
        """One step, its line in the log and the checkpoint where they are due."""
        with torch.cuda.stream(self.stream) if self.stream else nullcontext():
            set_learning_rate(self.optimizer, learning_rate(self.settings, self.step))
            if self.settings["capacity_steps"]:
                self.model.c.capacity = capacities(self.settings, self.step)
            result = self.computes(*self.batches(self.step))
            self.step += 1
            self.seconds = time.monotonic() - self.started
            if self.step % LOG_EVERY == 0 or self.step == self.steps:
                self.write_log(result)
            if time.monotonic() - self.saved > CHECKPOINT_SECONDS:
                self.checkpoint()

    def write_log(self, result: Result) -> None:
        due = self.step % VALIDATE_EVERY == 0 or self.step == self.steps
        validation = self.validate() if due else [""] * len(self.validation.columns)
        row = [self.step, self.step * self.per_step, round(self.seconds), round(result.loss.item(), 4),
               round(result.routing.auxiliary_loss.item(), 4), *routing_values(self.model.c, result.routing), *validation]
        self.append_row(row)
        print(f"{self.name}: " + " ".join(f"{name} {value}" for name, value in zip(self.columns, row) if value != ""), flush=True)

    def validate(self) -> list[float]:
        return [round(value, 4) for value in self.validation(self.model)]

    def append_row(self, row: list) -> None:
        with open(self.directory / "log.csv", "a", newline="") as log:
            writer = csv.writer(log)
            if log.tell() == 0:
                writer.writerow(self.columns)
            writer.writerow(row)

    def finish(self) -> None:
        self.model.c.capacity = config_of(self.settings).capacity
        model = {name: tensor.cpu() for name, tensor in self.model.state_dict().items()}
        device = torch.cuda.get_device_name() if self.device.type == "cuda" else "CPU"
        save(self.directory / "model.pt", {"model": model, "config": asdict(self.model.c), "settings": json.dumps(self.settings),
                                           "tokens": self.step * self.per_step, "seconds": self.seconds, "before": self.before,
                                           "device": device})


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("names", nargs="+")
    arguments.add_argument("workdir", type=Path)
    arguments.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--compile", action="store_true", help="torch.compile on the CPU: a tenth faster, needs a C++ compiler")
    arguments.add_argument("--steps", type=int, help="stop at this step")
    arguments.add_argument("--from", dest="models", type=Path, help="exported models to go on from, in their last round")
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    torch._dynamo.config.recompile_limit = 64      # token choice: one version per (rounded) number of rows

    runs = [Run(name, options.workdir, options.device, options.compile, options.models) for name in options.names]
    until = {run.name: min(run.steps, options.steps or run.steps) for run in runs}
    while unfinished := [run for run in runs if run.step < until[run.name]]:
        for run in unfinished:
            run.advance()
            if run.step == until[run.name]:
                run.checkpoint()
    for run in runs:
        if run.step == run.steps:
            run.finish()


if __name__ == "__main__":
    main()
