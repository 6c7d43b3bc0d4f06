# SPDX-License-Identifier: Apache-2.0
"""Trains the SentencePiece vocabulary of the corpus and encodes both texts.

    python tokenizer.py WORKDIR

writes WORKDIR/tokenizer.model (BPE, 4096 pieces, byte fallback), WORKDIR/train.bin and WORKDIR/heldout.bin
(one unsigned 16-bit id per token, little endian).
"""
import contextlib
import hashlib
import sys
from pathlib import Path

import numpy as np
import sentencepiece as spm

VOCABULARY = 4096
# The frozen vocabulary. Every model of the zoo reads and writes exactly these pieces.
EXPECTED_SHA256 = "323f37e3d0912d744cfdb75be2991a6dba6738169607d7bc2bbf951309b3ea8d"


def check_frozen(model: bytes) -> None:
    digest = hashlib.sha256(model).hexdigest()
    if digest != EXPECTED_SHA256:
        sys.exit(f"tokenizer.model: expected SHA-256 {EXPECTED_SHA256}, got {digest}: this is not the frozen vocabulary; "
                 "copy tokenizer.model of a bundled model (resources/models) into the work folder, which is authoritative")


def train(work: Path) -> None:
    with contextlib.chdir(work):                     # the paths are stored in the model: keep them relative
        spm.SentencePieceTrainer.train(
            input="train.txt", model_prefix="tokenizer", vocab_size=VOCABULARY,
            model_type="bpe", byte_fallback=True, character_coverage=0.9999, split_digits=True,
            user_defined_symbols=["\n"],             # a paragraph break is a token of its own
            normalization_rule_name="identity", remove_extra_whitespaces=False,
            max_sentence_length=20_000, num_threads=1, minloglevel=2,
            unk_id=0, bos_id=1, eos_id=2, pad_id=-1)


def main() -> None:
    work = Path(sys.argv[1])
    if not (work / "tokenizer.model").exists():
        train(work)
    check_frozen((work / "tokenizer.model").read_bytes())
    processor = spm.SentencePieceProcessor(model_file=str(work / "tokenizer.model"))
    for name in ("train", "heldout"):
        text = (work / f"{name}.txt").read_text(encoding="utf-8")
        ids = np.array(processor.encode(text), dtype="<u2")
        ids.tofile(work / f"{name}.bin")
        size = len(text.encode())
        print(f"{name}: {size} bytes, {len(ids)} tokens, {size / len(ids):.3f} bytes per token")


if __name__ == "__main__":
    main()
