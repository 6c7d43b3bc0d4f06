# SPDX-License-Identifier: Apache-2.0
"""A task whose work per token is known: following chains of variables.

    g=7;k=g;x=k;?x:7;?g:7;

`x=k;` defines x as whatever k is, and `?x:` asks for a digit, which is the next symbol. A variable of hop count h is h
look-ups away from its digit; the token `:` has to make them, one after the other. Every other token needs none. Chains
are trees: WIDTH variables for each hop count, each pointing to one of the level below. Definitions come in any order, so
that nothing can be resolved while it is defined; a question comes once its chain is complete.

    python task_hops.py WORKDIR

writes WORKDIR/hops/tokenizer.model (one piece per symbol) and WORKDIR/hops/heldout.txt, which no training step sees.
"""
import string
import sys
from pathlib import Path

import numpy as np
import sentencepiece as spm
import torch
from torch import Tensor

SYMBOLS = string.ascii_lowercase + string.digits + "=;?:"
FIRST_ID = 3                           # after <unk>, <s>, </s>
VOCABULARY = FIRST_ID + len(SYMBOLS)
IDS = {symbol: FIRST_ID + i for i, symbol in enumerate(SYMBOLS)}

HOPS = 4                               # look-ups of the longest chain
WIDTH = 4                              # variables of each hop count
QUESTIONS = 4                          # about each hop count
LENGTH = HOPS * (4 * WIDTH + 5 * QUESTIONS)   # tokens of one text; "x=k;" has 4, "?x:7;" has 5
HELDOUT_SEED = 1_000_003               # training uses (seed, step)
HELDOUT_TEXTS = 256


def text_of(rng: np.random.Generator) -> tuple[str, np.ndarray]:
    """One text of LENGTH symbols, and for each symbol the hop count that it has to follow: 0, and h at each ':'."""
    variables = HOPS * WIDTH                                     # numbered by level: i // WIDTH + 1 is the hop count
    names = [string.ascii_lowercase[i] for i in rng.permutation(26)[:variables]]
    parents, sources, digits, ready = [], [], [], []
    place = rng.permutation(variables)                           # place in the order of definitions
    for i in range(variables):
        if i < WIDTH:
            parents.append(-1)
            digits.append(str(rng.integers(10)))
            sources.append(digits[i])
            ready.append(place[i])
        else:
            parent = (i // WIDTH - 1) * WIDTH + int(rng.integers(WIDTH))
            parents.append(parent)
            digits.append(digits[parent])
            sources.append(names[parent])
            ready.append(max(place[i], ready[parent]))
    items = [(place[i], 0.0, f"{names[i]}={sources[i]};", 0) for i in range(variables)]
    for level in range(HOPS):
        for i in level * WIDTH + rng.integers(WIDTH, size=QUESTIONS):
            after = rng.integers(ready[i], variables)            # asked behind this definition
            items.append((after, float(rng.random()) + 1.0, f"?{names[i]}:{digits[i]};", level + 1))
    items.sort()
    hops = [np.array([0, 0, hop, 0, 0]) if hop else np.zeros(4, dtype=np.int64) for _, _, _, hop in items]
    return "".join(part for _, _, part, _ in items), np.concatenate(hops)


def batch_of(rng: np.random.Generator, texts: int) -> tuple[np.ndarray, np.ndarray]:
    """Ids and hop counts, [texts, LENGTH] each."""
    made = [text_of(rng) for _ in range(texts)]
    return np.array([[IDS[symbol] for symbol in text] for text, _ in made]), np.stack([hops for _, hops in made])


class HopBatches:
    """Fresh texts for each step; a function of the step alone."""

    def __init__(self, settings: dict):
        self.settings = settings

    def __call__(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Inputs and targets [B, T], and weights: answers count, what cannot be predicted hardly does."""
        ids, hops = batch_of(np.random.default_rng((self.settings["seed"], step)), self.settings["batch"])
        weights = np.where(hops > 0, 1.0, self.settings["other_weight"])
        weights[:, -1] = 0.0                                     # nothing follows
        return torch.from_numpy(ids), torch.from_numpy(np.roll(ids, -1, axis=1)), torch.from_numpy(weights).float()


def heldout() -> tuple[np.ndarray, np.ndarray]:
    return batch_of(np.random.default_rng(HELDOUT_SEED), HELDOUT_TEXTS)


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
