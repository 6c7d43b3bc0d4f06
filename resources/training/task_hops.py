# SPDX-License-Identifier: Apache-2.0
"""A task whose work per token is known: following chains of variables.

    g=7;x=k;?g:7;k=3;?x:3;

`x=k;` defines x as whatever k is, and `?x:` asks for a digit, which is the next symbol. In a chain of h definitions the
last variable is h look-ups away from its digit; the token `:` has to make them, one after the other. Every other token
needs none. A text has CHAINS chains of each length up to HOPS, with no variable in common, and asks about each once, so that
no answer given earlier helps. Definitions come in any order; a question comes at any place behind its chain. Nothing but
following the chain tells how long it is.

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

from batches import rules_of
from model import MoR

SYMBOLS = string.ascii_lowercase + string.digits + "=;?:"
FIRST_ID = 3                           # after <unk>, <s>, </s>
VOCABULARY = FIRST_ID + len(SYMBOLS)
IDS = {symbol: FIRST_ID + i for i, symbol in enumerate(SYMBOLS)}

HOPS = 4                               # look-ups of the longest chain
CHAINS = 2                             # of each length
VARIABLES = CHAINS * HOPS * (HOPS + 1) // 2
LENGTH = 4 * VARIABLES + 5 * CHAINS * HOPS   # tokens of one text; "x=k;" has 4, "?x:7;" has 5
HELDOUT_SEED = 1_000_003               # training uses (seed, step)
HELDOUT_TEXTS = 256


def text_of(rng: np.random.Generator) -> tuple[str, np.ndarray]:
    """One text of LENGTH symbols, and for each symbol the hop count that it has to follow: 0, and h at each ':'."""
    names = iter(string.ascii_lowercase[i] for i in rng.permutation(26)[:VARIABLES])
    places = iter(rng.permutation(VARIABLES))                    # in the order of definitions
    items = []                                                   # (place, tie-breaker, text, hop count)
    for hop in np.repeat(np.arange(1, HOPS + 1), CHAINS):
        source = digit = str(rng.integers(10))
        ready = 0
        for _ in range(hop):
            name, place = next(names), int(next(places))
            items.append((place, 0.0, f"{name}={source};", 0))
            source, ready = name, max(ready, place)
        after = int(rng.integers(ready, VARIABLES))              # asked behind this definition
        items.append((after, 1.0 + rng.random(), f"?{source}:{digit};", int(hop)))
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
