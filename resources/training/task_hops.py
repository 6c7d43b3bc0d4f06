# SPDX-License-Identifier: Apache-2.0
"""A task whose work per token is known: following chains of variables.

    g=7;x=k;?g7;k=3;?x3;

`x=k;` defines x as whatever k is. `?x` asks for the digit at the end of the chain, which is the next symbol. In a chain of h
definitions the last variable is h look-ups away from its digit; the variable behind `?` has to make them, one after the
other. Every other token needs none. Definitions come in any order, and a question at any place behind its chain; nothing
but following the chain tells how long it is.

What is measured on (`heldout`) has CHAINS chains of each length up to HOPS, with no variable in common, and asks about each
once, so that no answer given earlier helps. Training may begin with something easier, fewer definitions and more questions,
some of them `!x` about the source itself, and ends with just that (`Stage`).

    python task_hops.py WORKDIR

writes WORKDIR/hops/tokenizer.model (one piece per symbol) and WORKDIR/hops/heldout.txt, which no training step sees.
"""
import string
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sentencepiece as spm
import torch
from torch import Tensor

from batches import rules_of
from model import MoR

SYMBOLS = string.ascii_lowercase + string.digits + "=;?!"
FIRST_ID = 3                           # after <unk>, <s>, </s>
VOCABULARY = FIRST_ID + len(SYMBOLS)
IDS = {symbol: FIRST_ID + i for i, symbol in enumerate(SYMBOLS)}

HOPS = 4                               # look-ups of the longest chain
CHAINS = 2                             # of each length
VARIABLES = CHAINS * HOPS * (HOPS + 1) // 2
ITEMS = VARIABLES + CHAINS * HOPS      # definitions and questions of a text
ITEM = 4                               # tokens of each: "x=k;", "?x7;"
ASKED = 1                              # place of the variable in a question
LENGTH = ITEM * ITEMS
BLOCK = 32                             # training steps whose texts are made together
HELDOUT_SEED = 1_000_003               # training uses (seed, block)
HELDOUT_TEXTS = 256


@dataclass
class Stage:
    """What training texts look like from a step on."""
    step: int
    longest: int                       # look-ups; 0: as what is measured on
    variables: list[int]               # definitions of a text, drawn from these; the other items are questions
    direct: float = 0.0                # share of questions `!x`, which ask for the variable's source, one look-up away


def chain_starts(rng: np.random.Generator, texts: int, variables: int, longest: int) -> np.ndarray:
    """Which variables begin a chain, [texts, variables]; lengths are uniform up to `longest`, the last may be cut."""
    starts, left = np.zeros((texts, variables), dtype=bool), np.zeros(texts, dtype=np.int64)
    for v in range(variables):
        starts[:, v] = left == 0
        left = np.where(left == 0, rng.integers(1, longest + 1, texts), left) - 1
    return starts


def balanced_starts(texts: int) -> np.ndarray:
    first = np.concatenate([np.arange(hop) == 0 for hop in np.repeat(np.arange(1, HOPS + 1), CHAINS)])
    return np.broadcast_to(first, (texts, VARIABLES))


def texts_of(rng: np.random.Generator, starts: np.ndarray, direct: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Ids and the look-ups that each token has to make, [texts, LENGTH] both, for chains that begin at `starts`."""
    texts, variables = starts.shape
    questions = ITEMS - variables
    pick = lambda values, index: np.take_along_axis(values, index, axis=1)
    name = rng.permuted(np.tile(np.arange(26), (texts, 1)), axis=1)[:, :variables] + IDS["a"]
    place = rng.permuted(np.tile(np.arange(variables), (texts, 1)), axis=1)      # in the order of definitions
    digit = rng.integers(10, size=starts.shape) + IDS["0"]
    source, hops, ready = digit.copy(), np.ones_like(place), place.copy()
    for v in range(1, variables):
        goes_on = ~starts[:, v]
        source[:, v] = np.where(goes_on, name[:, v - 1], source[:, v])
        digit[:, v] = np.where(goes_on, digit[:, v - 1], digit[:, v])
        hops[:, v] += np.where(goes_on, hops[:, v - 1], 0)
        ready[:, v] = np.where(goes_on, np.maximum(ready[:, v - 1], place[:, v]), place[:, v])
    ends = np.concatenate([starts[:, 1:], np.ones((texts, 1), dtype=bool)], axis=1)
    order = np.argsort(rng.random(starts.shape) + ~ends, axis=1)                 # ends of chains, drawn, then the others
    asked = pick(order, np.arange(questions) % ends.sum(1, keepdims=True))       # again from the first when all were asked
    is_direct = rng.random(asked.shape) < direct
    behind = pick(ready, asked) + (rng.random(asked.shape) * (variables - pick(ready, asked))).astype(np.int64)

    sign = lambda symbol, shape: np.full(shape, IDS[symbol])
    definition = np.stack([name, sign("=", name.shape), source, sign(";", name.shape)], axis=2)
    answer = np.where(is_direct, pick(source, asked), pick(digit, asked))
    question = np.stack([np.where(is_direct, IDS["!"], IDS["?"]), pick(name, asked), answer, sign(";", asked.shape)], axis=2)
    work = np.zeros((texts, ITEMS, ITEM), dtype=np.int64)
    work[:, variables:, ASKED] = np.where(is_direct, 1, pick(hops, asked))
    order = np.argsort(np.concatenate([place, behind + 0.5 + 0.4 * rng.random(asked.shape)], axis=1), axis=1)[..., None]
    items = pick(np.concatenate([definition, question], axis=1), order)
    return items.reshape(texts, LENGTH), pick(work, order).reshape(texts, LENGTH)


class HopBatches:
    """Fresh texts for each step; a function of the step alone. Made for BLOCK steps at a time, which costs little more than
    for one."""

    def __init__(self, settings: dict):
        self.settings = settings
        self.stages = [Stage(*stage) for stage in settings["stages"]]
        self.block, self.made = -1, (np.empty(0), np.empty(0))

    def texts(self, block: int) -> tuple[np.ndarray, np.ndarray]:
        """Ids and look-ups of a block's steps, [BLOCK * batch, LENGTH] both."""
        rng, count = np.random.default_rng((self.settings["seed"], block)), BLOCK * self.settings["batch"]
        stage = [stage for stage in self.stages if stage.step <= block * BLOCK][-1]
        if stage.longest == 0:
            return texts_of(rng, balanced_starts(count), stage.direct)
        parts = [texts_of(rng, chain_starts(rng, count // len(stage.variables), variables, stage.longest), stage.direct)
                 for variables in stage.variables]
        mixed = rng.permutation(count // len(stage.variables) * len(stage.variables))
        ids, hops = (np.concatenate(kind)[mixed] for kind in zip(*parts))
        return ids, hops

    def __call__(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Inputs and targets [B, T], and weights: answers count, what cannot be predicted hardly does."""
        if step // BLOCK != self.block:
            self.block, self.made = step // BLOCK, self.texts(step // BLOCK)
        batch = self.settings["batch"]
        ids, hops = (part[step % BLOCK * batch:][:batch] for part in self.made)
        weights = np.where(hops > 0, 1.0, self.settings["other_weight"])
        weights[:, -1] = 0.0                                     # nothing follows
        return torch.from_numpy(ids), torch.from_numpy(np.roll(ids, -1, axis=1)), torch.from_numpy(weights).float()


def heldout() -> tuple[np.ndarray, np.ndarray]:
    return texts_of(np.random.default_rng(HELDOUT_SEED), balanced_starts(HELDOUT_TEXTS))


class HopValidation:
    """Share of right answers by hop count on the held-out texts: what training is watched by."""

    def __init__(self, settings: dict):
        self.rules = rules_of(settings["kind"])
        self.columns = [f"right_{rule}_{hop}" for rule in self.rules for hop in range(1, HOPS + 1)]
        self.ids, self.hops = (torch.from_numpy(part) for part in heldout())

    @torch.no_grad()
    def __call__(self, model: MoR) -> list[float]:
        ids, hops = self.ids.to(model.embed.weight.device), self.hops.to(model.embed.weight.device)
        values = []
        for rule in self.rules:
            with torch.autocast(ids.device.type, torch.bfloat16):
                logits, _ = model(ids, rule)
            right = (logits[:, :-1].argmax(-1) == ids[:, 1:]).float()
            values += [right[hops[:, :-1] == hop].mean().item() for hop in range(1, HOPS + 1)]
        return values


def main() -> None:
    out = Path(sys.argv[1]) / "hops"
    out.mkdir(parents=True, exist_ok=True)
    ids, _ = heldout()
    text = "".join("".join(SYMBOLS[i - FIRST_ID] for i in row) for row in ids)
    (out / "heldout.txt").write_text(text, encoding="utf-8")
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter([SYMBOLS]), model_prefix=str(out / "tokenizer"), vocab_size=VOCABULARY, model_type="bpe",
        user_defined_symbols=list(SYMBOLS), add_dummy_prefix=False, remove_extra_whitespaces=False,
        normalization_rule_name="identity", hard_vocab_limit=False, minloglevel=2, unk_id=0, bos_id=1, eos_id=2, pad_id=-1)
    processor = spm.SentencePieceProcessor(model_file=str(out / "tokenizer.model"))
    if processor.encode(text) != ids.flatten().tolist():
        sys.exit("tokenizer.model: expected one piece per symbol in the order of SYMBOLS")
    print(f"{out}: {len(text)} symbols held out, {processor.vocab_size()} pieces")


if __name__ == "__main__":
    main()
