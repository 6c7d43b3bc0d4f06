# SPDX-License-Identifier: Apache-2.0
"""Trains the SentencePiece vocabulary of the corpus and encodes both texts.

    python tokenizer.py WORKDIR

writes WORKDIR/tokenizer.model (BPE, 4096 pieces, byte fallback), WORKDIR/train.bin and WORKDIR/heldout.bin
(one unsigned 16-bit id per token, little endian).
"""
import sys
from pathlib import Path

import numpy as np
import sentencepiece as spm

VOCABULARY = 4096


def train(work: Path) -> None:
    spm.SentencePieceTrainer.train(
        input=str(work / "train.txt"), model_prefix=str(work / "tokenizer"), vocab_size=VOCABULARY,
        model_type="bpe", byte_fallback=True, character_coverage=0.9999, split_digits=True,
        user_defined_symbols=["\n"],                 # a paragraph break is a token of its own
        normalization_rule_name="identity", remove_extra_whitespaces=False,
        max_sentence_length=20_000, num_threads=1, minloglevel=2,
        unk_id=0, bos_id=1, eos_id=2, pad_id=-1)


def main() -> None:
    work = Path(sys.argv[1])
    train(work)
    processor = spm.SentencePieceProcessor(model_file=str(work / "tokenizer.model"))
    for name in ("train", "heldout"):
        text = (work / f"{name}.txt").read_text(encoding="utf-8")
        ids = np.array(processor.encode(text), dtype="<u2")
        ids.tofile(work / f"{name}.bin")
        size = len(text.encode())
        print(f"{name}: {size} bytes, {len(ids)} tokens, {size / len(ids):.3f} bytes per token")


if __name__ == "__main__":
    main()
