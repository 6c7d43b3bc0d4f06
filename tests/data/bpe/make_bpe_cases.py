# SPDX-License-Identifier: Apache-2.0
"""Makes the byte-level BPE cases: hard strings, and the ids that Hugging Face `tokenizers` gives for them.

    pip install tokenizers==0.23.3
    python make_bpe_cases.py [SMOLLM2_DIR]

writes tokenizer.json (trained on ../heldout/excerpt.txt and the strings), cases.json (the strings, and for every variant
a JSON merge patch on tokenizer.json with the ids under it), classes.json (how every code point is classed), and, given a
directory with SmolLM2's tokenizer.json, smollm2.json (its ids).
"""
import copy
import json
import sys
from itertools import count, groupby
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from hard_strings import hard_strings

HERE = Path(__file__).parent
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
UNUSED_BYTES = (0xC0, 0xC1, *range(0xF1, 0x100))       # in no trained token; texts of planes 4 to 16 have F1 to F4
SIZE = 1600
EXTRA = [           # added tokens; "New" is in the vocabulary too
    ("<mask>", {"lstrip": True, "special": True}), ("<sep>", {"rstrip": True}), ("<both>", {"lstrip": True, "rstrip": True}),
    ("New York", {"normalized": True}), ("New", {"normalized": True}), ("<|im_end|>\n", {}), ("n\u00e9", {"normalized": True}),
    ("\U0001F468\u200D", {}),
]


def byte_level(**changes) -> dict:
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True} | changes


def sequence(*steps: dict) -> dict:
    return {"pre_tokenizer": {"type": "Sequence", "pretokenizers": list(steps)}}


def alone(step: dict) -> dict:
    return {"pre_tokenizer": step | {"pretokenizers": None}}        # a patch merges objects; this takes the list away


def added(id: int, content: str, **flags) -> dict:
    return {"id": id, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
            "special": False} | flags


def alphabet() -> list[str]:
    """GPT-2's byte alphabet without the bytes that are to be missing."""
    own = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in own]
    characters = {b: chr(b) for b in own} | {b: chr(256 + i) for i, b in enumerate(others)}
    return [characters[b] for b in range(256) if b not in UNUSED_BYTES]


def train(strings: list[str]) -> dict:
    tokenizer = Tokenizer(models.BPE())
    # with runs of digits, so that there are tokens which single digits must not give
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=False), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    text = (HERE / "../heldout/excerpt.txt").read_text(encoding="utf-8")
    usable = [s for s in strings if not any(ord(c) >= 0x40000 for c in s)]
    trainer = trainers.BpeTrainer(vocab_size=SIZE, special_tokens=SPECIAL, initial_alphabet=alphabet(), show_progress=False)
    tokenizer.train_from_iterator([text, *usable], trainer)
    one_by_one = sequence({"type": "Digits", "individual_digits": True}, byte_level())
    return json.loads(tokenizer.to_str()) | one_by_one


def variants(base: dict) -> dict[str, dict]:
    """Merge patches (RFC 7386) on tokenizer.json."""
    vocabulary = base["model"]["vocab"]
    new = count(len(vocabulary))
    extra = [added(vocabulary[content] if content in vocabulary else next(new), content, **flags) for content, flags in EXTRA]
    pairs = base["model"]["merges"]
    return {
        "digits one by one": {},
        "digit runs": sequence({"type": "Digits", "individual_digits": False}, byte_level()),
        "byte level alone": alone(byte_level()),
        "blank in front": alone(byte_level(add_prefix_space=True)),
        "digits, blank in front": sequence({"type": "Digits", "individual_digits": True}, byte_level(add_prefix_space=True)),
        "split": sequence({"type": "Split", "pattern": {"Regex": GPT2}, "behavior": "Isolated", "invert": False},
                          byte_level(use_regex=False)),
        "no pattern": alone(byte_level(use_regex=False)),
        "added tokens": {"added_tokens": base["added_tokens"] + extra},
        "merges as strings": {"model": {"merges": ["#version: 0.2", *(" ".join(pair) for pair in pairs)]}},
        "ignore merges": {"model": {"ignore_merges": True, "merges": pairs[::2]}},
        "unknown bytes": {"model": {"unk_token": "<|endoftext|>"}},
        "unknown bytes fused": {"model": {"unk_token": "<|endoftext|>", "fuse_unk": True}},
    }


def merge_patch(target, patch):
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


def ids_under(tokenizer: Tokenizer, strings: list[str]) -> list[list[int]]:
    return [tokenizer.encode(s).ids for s in strings]


def classes() -> list[list]:
    """[first, last, class, numeric] of every run of code points: letter L, number N, white space S, other O for
    ByteLevel's pattern; whether Digits cuts it out."""
    words, digits = pre_tokenizers.ByteLevel(add_prefix_space=False), pre_tokenizers.Digits(individual_digits=True)

    def one(cutter, text: str) -> bool:
        return len(cutter.pre_tokenize_str(text)) == 1

    def of(c: str) -> tuple[str, bool]:
        kind = "L" if one(words, f"a{c}a") else "N" if one(words, f"1{c}1") else "O" if one(words, f"!{c}!") else "S"
        return kind, not one(digits, f"a{c}a")

    points = [p for p in range(0x110000) if not 0xD800 <= p < 0xE000]
    runs = []
    for kind, group in groupby(points, key=lambda p: of(chr(p))):
        group = list(group)
        runs.append([group[0], group[-1], *kind])
    return runs


def write(name: str, value, compact: bool = True) -> None:
    separators = (",", ":") if compact else None
    (HERE / name).write_text(json.dumps(value, ensure_ascii=True, separators=separators) + "\n", encoding="utf-8")


def main() -> None:
    strings = hard_strings()
    base = train(strings)
    write("tokenizer.json", base)
    cases = []
    for name, patch in variants(base).items():
        tokenizer = Tokenizer.from_str(json.dumps(merge_patch(base, patch)))
        cases.append({"name": name, "patch": patch, "ids": ids_under(tokenizer, strings)})
    write("cases.json", {"strings": strings, "variants": cases})
    write("classes.json", classes())
    if len(sys.argv) > 1:
        write("smollm2.json", ids_under(Tokenizer.from_file(str(Path(sys.argv[1]) / "tokenizer.json")), strings))
    print(f"{len(strings)} strings, {len(cases)} variants")


if __name__ == "__main__":
    main()
