# SPDX-License-Identifier: Apache-2.0
"""What the prose models are trained and validated on: windows of train.bin and heldout.bin (tokenizer.py)."""
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from model import MoR

VALIDATION_WINDOWS = 16                # spread evenly over the held-out text


def rules_of(kind: str) -> list[str]:
    """The selection rules under which a kind of model is validated."""
    return ["topk", "threshold"] if kind == "expert" else ["topk"]      # the others have no rule: the word is ignored


class TextBatches:
    """Windows of train.bin at random places; a function of the step alone, so that a resumed run sees the same data."""

    def __init__(self, settings: dict, work: Path):
        self.settings = settings
        self.tokens = np.memmap(work / "train.bin", dtype="<u2", mode="r")

    def __call__(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Inputs and targets [B, T], and weights of the targets."""
        length, generator = self.settings["context"], np.random.default_rng((self.settings["seed"], step))
        starts = generator.integers(0, len(self.tokens) - length - 1, self.settings["batch"])
        window = torch.from_numpy(np.stack([self.tokens[s:s + length + 1] for s in starts]).astype(np.int64))
        return window[:, :-1], window[:, 1:], torch.ones(window[:, 1:].shape)


class TextValidation:
    """Nats per token on a fixed part of the held-out text: what training is watched by. Cards use all of it (evaluate.py)."""

    def __init__(self, settings: dict, work: Path):
        tokens, length = np.fromfile(work / "heldout.bin", dtype="<u2"), settings["context"]
        starts = np.linspace(0, len(tokens) - length, VALIDATION_WINDOWS).astype(int)
        self.windows = torch.from_numpy(np.stack([tokens[s:s + length] for s in starts]).astype(np.int64))
        self.rules = rules_of(settings["kind"])
        self.columns = [f"validation_{rule}" for rule in self.rules] if len(self.rules) > 1 else ["validation"]

    @torch.no_grad()
    def __call__(self, model: MoR) -> list[float]:
        windows = self.windows.to(model.embed.weight.device)
        values = []
        for rule in self.rules:
            with torch.autocast(windows.device.type, torch.bfloat16):
                logits, _ = model(windows, rule)
            values.append(F.cross_entropy(logits[:, :-1].flatten(0, 1), windows[:, 1:].flatten()).item())
        return values
