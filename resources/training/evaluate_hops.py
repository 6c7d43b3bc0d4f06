# SPDX-License-Identifier: Apache-2.0
"""How well an exported model of the hops task answers, and where it spends its depth.

    python evaluate_hops.py MODELDIR [--json] [--threads N] [--questions FILE]

On HELDOUT_TEXTS texts that training never saw: accuracy by hop count, under the model's own rule and with every token
forced to the same depth; mean depth of the answering token by hop count, and of the other tokens by what they are.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch

from model import MoR
from task_hops import FIRST_ID, HOPS, IDS, SYMBOLS, heldout

BATCH = 32


def roles(ids: np.ndarray, hops: np.ndarray) -> np.ndarray:
    """What each token is, for people. [texts, T]"""
    letters = (ids >= IDS["a"]) & (ids <= IDS["z"])
    digits = (ids >= IDS["0"]) & (ids <= IDS["9"])
    before = lambda symbol, places=1: np.roll(ids, places, axis=1) == IDS[symbol]   # the first token follows a ';', as it were
    role = np.full(ids.shape, "sign", dtype=object)
    for symbol in "=;?":
        role[ids == IDS[symbol]] = f"`{symbol}`"
    role[letters & before(";")] = "variable that is defined"
    role[letters & before("=")] = "variable as its source"
    role[digits & before("=")] = "digit as a source"
    role[digits & before("?", 2)] = "answer"
    for hop in range(1, HOPS + 1):
        role[hops == hop] = f"variable asked for, {hop} look-up{'s' if hop > 1 else ''} from its digit"
    return role


@torch.inference_mode()
def answers(model: MoR, ids: np.ndarray, rule: str, forced: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Whether the next symbol is predicted, [texts, T - 1], and depths, [texts, T]."""
    right, depth = [], []
    for at in range(0, len(ids), BATCH):
        part = torch.from_numpy(ids[at:at + BATCH])
        logits, routing = model(part, rule, forced)
        right.append((logits[:, :-1].argmax(-1) == part[:, 1:]).numpy())
        depth.append(routing.depth.numpy())
    return np.concatenate(right), np.concatenate(depth)


def by_hop(right: np.ndarray, hops: np.ndarray) -> list[float]:
    return [float(right[hops[:, :-1] == hop].mean()) for hop in range(1, HOPS + 1)]


def evaluate_hops(model: MoR) -> dict:
    ids, hops = heldout()
    role, c = roles(ids, hops), model.c
    right, depth = answers(model, ids, "threshold")
    report = {"texts": len(ids), "accuracy": by_hop(right, hops), "accuracy_all": float(right[hops[:, :-1] > 0].mean())}
    if c.kind != "expert":
        return report
    report["accuracy_topk"] = by_hop(answers(model, ids, "topk")[0], hops)
    report["accuracy_at_depth"] = {d: by_hop(answers(model, ids, "threshold", d)[0], hops) for d in range(1, c.recursions + 1)}
    report["depth_of_answering"] = [float(depth[hops == hop].mean()) for hop in range(1, HOPS + 1)]
    report["exact_depth"] = [float((depth[hops == hop] == hop).mean()) for hop in range(1, HOPS + 1)]
    report["depth_by_role"] = {name: {"share": float((role == name).mean()), "mean_depth": float(depth[role == name].mean())}
                               for name in sorted(set(role.flat))}
    return report


def questions(texts: int) -> list[dict]:
    """The questions of some held-out texts: everything up to the variable asked for, the answer, and its look-ups."""
    ids, hops = heldout()
    spell = lambda row: "".join(SYMBOLS[i - FIRST_ID] for i in row)
    return [{"prompt": spell(ids[text, :at + 1]), "answer": spell(ids[text, at + 1:at + 2]), "hops": int(hops[text, at])}
            for text in range(texts) for at in np.flatnonzero(hops[text])]


def main() -> None:
    from evaluate import load          # needs sentencepiece, which the functions above do not

    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("modeldir", type=Path)
    arguments.add_argument("--json", action="store_true", help="one JSON object on one line")
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--questions", type=Path, help="write the questions of eight texts here, for the engine's test")
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    if options.questions:
        lines = ",\n".join(json.dumps(question) for question in questions(8))
        options.questions.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    report = evaluate_hops(load(options.modeldir)[0])
    print(json.dumps(report) if options.json else "\n".join(f"{key}: {value}" for key, value in report.items()))


if __name__ == "__main__":
    main()
