# SPDX-License-Identifier: Apache-2.0
"""Perplexity and routing of an exported model directory on a text.

    python evaluate.py MODELDIR TEXT [--rule topk|threshold] [--json] [--threads N]

The weights are the exported ones (bf16), the arithmetic is float32. Windows are disjoint and hold C = context tokens;
all C are fed, so TopK selects among C, and C - 1 are predicted. What is left at the end is dropped; a shorter text is
one window. Nothing is added in front. Bits per byte count the bytes of the predicted tokens only: U+2581 in a piece is
one blank, a byte piece is one byte, control pieces have none. Mean depth is over the tokens fed.
"""
import argparse
import json
import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import sentencepiece as spm
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

from kinds import kinds_of
from model import MoR, Routing
from official import config_of_files, from_official

BATCH = 8                              # windows computed at once


@dataclass
class Sums:
    """What adds up over the windows of a text."""
    recursions: int
    nats: float = 0.0
    bytes: int = 0
    predicted: int = 0
    depths: np.ndarray = field(init=False)                      # [R + 1] tokens fed, by depth
    agreement: np.ndarray = field(init=False)                   # [R] summed over windows, TopK only
    windows: int = 0
    by_kind: dict[str, list[int]] = field(default_factory=dict)  # kind -> [tokens, sum of depths]

    def __post_init__(self) -> None:
        self.depths = np.zeros(self.recursions + 1, dtype=np.int64)
        self.agreement = np.zeros(self.recursions)

    def add(self, ids: np.ndarray, logits: Tensor, routing: Routing, bytes_of: np.ndarray, kinds: np.ndarray) -> None:
        """ids and kinds [B, T]; logits [B, T, vocab]; bytes_of [vocab]."""
        targets = torch.from_numpy(ids[:, 1:].astype(np.int64))
        self.nats += F.cross_entropy(logits[:, :-1].flatten(0, 1), targets.flatten(), reduction="sum").double().item()
        self.bytes += int(bytes_of[ids[:, 1:]].sum())
        self.predicted += targets.numel()
        depth = routing.depth.numpy()
        self.depths += np.bincount(depth.ravel(), minlength=len(self.depths))
        self.windows += len(ids)
        if routing.agreement:
            self.agreement += np.array([a.item() for a in routing.agreement]) * len(ids)
        for kind in np.unique(kinds):
            entry = self.by_kind.setdefault(str(kind), [0, 0])
            chosen = depth[kinds == kind]
            entry[0] += len(chosen)
            entry[1] += int(chosen.sum())

    def report(self) -> dict:
        fed = int(self.depths.sum())
        result = {
            "nats_per_token": self.nats / self.predicted,
            "bits_per_byte": self.nats / math.log(2) / self.bytes,
            "mean_depth": float(self.depths @ np.arange(len(self.depths))) / fed,
            "tokens": self.predicted,
            "windows": self.windows,
            "depth_shares": [int(n) / fed for n in self.depths],
            "depth_by_kind": {kind: {"share": n / fed, "mean_depth": total / n}
                              for kind, (n, total) in sorted(self.by_kind.items())},
        }
        if self.agreement.any():
            result["agreement"] = list(self.agreement / self.windows)
        return result


def load(directory: Path) -> tuple[MoR, spm.SentencePieceProcessor]:
    read = lambda name: json.loads((directory / name).read_text(encoding="utf-8"))
    config = config_of_files(read("config.json"), read("mor.json") if (directory / "mor.json").exists() else None)
    model = MoR(config).eval()
    model.load_state_dict(from_official(load_file(directory / "model.safetensors"), config))
    return model, spm.SentencePieceProcessor(model_file=str(directory / "tokenizer.model"))


def byte_lengths(processor: spm.SentencePieceProcessor) -> np.ndarray:
    """[vocab] bytes that each id adds to a text."""
    lengths = []
    for i in range(processor.vocab_size()):
        if processor.is_byte(i):
            lengths.append(1)
        elif processor.is_control(i) or processor.is_unknown(i):
            lengths.append(0)
        else:
            lengths.append(len(processor.id_to_piece(i).replace("\u2581", " ").encode()))
    return np.array(lengths)


def windows_of(ids: np.ndarray, context: int) -> np.ndarray:
    """[windows, C]; one shorter window for a shorter text."""
    if len(ids) < 2:
        raise ValueError(f"expected at least 2 tokens of text, got {len(ids)}")
    length = min(context, len(ids))
    return ids[:len(ids) // length * length].reshape(-1, length)


@torch.inference_mode()
def evaluate(model: MoR, processor: spm.SentencePieceProcessor, text: str, rule: str) -> dict:
    ids = np.array(processor.encode(text), dtype=np.int64)
    windows = windows_of(ids, model.c.context)
    kinds = kinds_of([processor.id_to_piece(int(i)) for i in ids])[:windows.size].reshape(windows.shape)
    bytes_of, sums = byte_lengths(processor), Sums(model.c.recursions)
    for at in range(0, len(windows), BATCH):
        part = windows[at:at + BATCH]
        logits, routing = model(torch.from_numpy(part), rule)
        sums.add(part, logits, routing, bytes_of, kinds[at:at + BATCH])
    return {"rule": rule, **sums.report()}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("modeldir", type=Path)
    arguments.add_argument("text", type=Path)
    arguments.add_argument("--rule", choices=["topk", "threshold"], default="threshold")
    arguments.add_argument("--json", action="store_true", help="one JSON object on one line")
    arguments.add_argument("--threads", type=int, default=1)
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    report = evaluate(*load(options.modeldir), options.text.read_text(encoding="utf-8"), options.rule)
    print(json.dumps(report) if options.json else "\n".join(f"{key}: {value}" for key, value in report.items()))


if __name__ == "__main__":
    main()
