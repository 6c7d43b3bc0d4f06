# SPDX-License-Identifier: Apache-2.0
"""The byte-level BPE tokenizer inside a GGUF, as Hugging Face's tokenizer.json and tokenizer_config.json."""
from gguf_llama import expect

NORMAL, CONTROL = 1, 3           # token types of GGUF
# tokenizer.ggml.pre -> the pre-tokenizer's steps before ByteLevel
PRE_TOKENIZERS = {"smollm": [{"type": "Digits", "individual_digits": True}], "gpt-2": []}
KNOWN_KEYS = {
    "model", "pre", "tokens", "token_type", "merges", "bos_token_id", "eos_token_id", "unknown_token_id",
    "padding_token_id", "add_bos_token", "add_space_prefix",
}


def check_keys(values: dict) -> None:
    for key in values:
        if key.startswith("tokenizer."):
            known = key == "tokenizer.chat_template" or key.removeprefix("tokenizer.ggml.") in KNOWN_KEYS
            expect(known, key, "no key of this name (it is not understood)", "one")


def tokenizer_json(values: dict) -> dict:
    check_keys(values)
    ggml = {key.removeprefix("tokenizer.ggml."): value for key, value in values.items()}
    expect(ggml.get("model") == "gpt2", "tokenizer.ggml.model", "gpt2 (byte-level BPE)", ggml.get("model"))
    expect(ggml.get("pre") in PRE_TOKENIZERS, "tokenizer.ggml.pre", " or ".join(PRE_TOKENIZERS), ggml.get("pre"))
    expect(not ggml.get("add_space_prefix", False), "tokenizer.ggml.add_space_prefix", "false", True)
    tokens, types = ggml["tokens"], ggml["token_type"]
    expect(len(set(tokens)) == len(tokens), "tokenizer.ggml.tokens", "every token once", "repeated tokens")
    expect(len(types) == len(tokens), "tokenizer.ggml.token_type", f"{len(tokens)} types", len(types))
    expect(set(types) <= {NORMAL, CONTROL}, "tokenizer.ggml.token_type", "only 1 (normal) and 3 (control)", set(types))
    vocabulary = {token: id for id, token in enumerate(tokens)}
    merges = [merge.split(" ") for merge in ggml["merges"]]
    for rank, merge in enumerate(merges):
        known = len(merge) == 2 and {*merge, "".join(merge)} <= vocabulary.keys()
        expect(known, f"tokenizer.ggml.merges[{rank}]", "two tokens that give a token", merge)
    added = [{"id": id, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
              "special": True} for id, (token, kind) in enumerate(zip(tokens, types)) if kind == CONTROL]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [*PRE_TOKENIZERS[ggml["pre"]], byte_level]},
        "post_processor": None, "decoder": {**byte_level, "add_prefix_space": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                  "vocab": vocabulary, "merges": merges},
    }


def tokenizer_config(values: dict, context: int) -> dict:
    tokens = values["tokenizer.ggml.tokens"]
    config = {
        "add_bos_token": bool(values.get("tokenizer.ggml.add_bos_token", False)), "add_prefix_space": False,
        "clean_up_tokenization_spaces": False, "model_max_length": context, "tokenizer_class": "PreTrainedTokenizerFast",
    }
    for name, key in (("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("pad", "padding")):
        id = values.get(f"tokenizer.ggml.{key}_token_id")
        if id is not None:
            expect(0 <= id < len(tokens), f"tokenizer.ggml.{key}_token_id", f"0 to {len(tokens) - 1}", id)
            config[f"{name}_token"] = tokens[id]
    if "tokenizer.chat_template" in values:
        config["chat_template"] = values["tokenizer.chat_template"]
    return config
