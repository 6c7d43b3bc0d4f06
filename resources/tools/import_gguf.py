# SPDX-License-Identifier: Apache-2.0
"""Turns a Llama GGUF with a byte-level BPE tokenizer (SmolLM2) into a model directory that Morscope opens.

    python import_gguf.py FILE.gguf OUTDIR [--title NAME] [--summary SENTENCE]

writes OUTDIR/config.json, model.safetensors (bf16), tokenizer.json, tokenizer_config.json, card.json, and
chat_template.json where the file has a chat template. Needs `pip install -r requirements.txt` of this folder. What it
does not understand it refuses, before anything is written.
"""
import argparse
import json
import sys
from pathlib import Path

import numpy as np
from gguf import GGUFReader
from gguf.quants import dequantize

from chat_template import chat_parts
from gguf_llama import (Llama, Refused, config_json, expect, expected_shapes, hugging_face_name, in_hugging_face_order,
                        read_architecture)
from gguf_tokenizer import tokenizer_config, tokenizer_json
from safetensors_file import to_bf16, write_bf16


def read_tensors(reader: GGUFReader, c: Llama) -> dict[str, np.ndarray]:
    """Every tensor under its Hugging Face name, as bf16 bits."""
    shapes = expected_shapes(c)
    tensors = {}
    for tensor in reader.tensors:
        name = hugging_face_name(tensor.name)
        shape = tuple(int(n) for n in reversed(tensor.shape))       # GGUF names the fastest dimension first
        wanted = shapes.get(name) if name != "lm_head.weight" else shapes["model.embed_tokens.weight"]
        expect(shape == wanted, f"tensor {tensor.name}", f"shape {wanted}", shape)
        expect(name not in tensors, f"tensor {tensor.name}", "every tensor once", "it twice")
        weight = dequantize(tensor.data, tensor.tensor_type).astype(np.float32).reshape(shape)
        expect(bool(np.isfinite(weight).all()), f"tensor {tensor.name}", "finite numbers", "infinity or NaN")
        tensors[name] = to_bf16(in_hugging_face_order(name, weight, c))
    missing = shapes.keys() - tensors.keys()
    expect(not missing, "tensors", "all of a Llama", f"none for {sorted(missing)[:3]}")
    return tensors


def write_json(path: Path, value: dict) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def convert(file: Path, out: Path, title: str | None, summary: str | None) -> str:
    reader = GGUFReader(file)
    values = {key: field.contents() for key, field in reader.fields.items()}
    architecture = read_architecture(values)
    tokenizer = tokenizer_json(values)
    settings = tokenizer_config(values, architecture.context)
    names = {key: value for key, value in settings.items() if key.endswith("_token") and isinstance(value, str)}
    chat = chat_parts(settings["chat_template"], names) if "chat_template" in settings else None
    tensors = read_tensors(reader, architecture)

    out.mkdir(parents=True, exist_ok=True)
    size = write_bf16(out / "model.safetensors", tensors)
    write_json(out / "config.json", config_json(architecture, values, "lm_head.weight" not in tensors))
    write_json(out / "tokenizer.json", tokenizer)
    write_json(out / "tokenizer_config.json", settings)
    if chat:
        write_json(out / "chat_template.json", chat)
    title = title or values.get("general.name", file.stem)
    licence = values.get("general.license", "unknown")
    write_json(out / "card.json", {"name": title, "license": licence, "source": file.name,
                                   "summary": summary or f"A Llama of {architecture.layers} layers, imported from {file.name}."})
    return f"{out}: {len(tensors)} tensors, {size:,} bytes of weights, {architecture.vocab} tokens of vocabulary"


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("file", type=Path)
    arguments.add_argument("outdir", type=Path)
    arguments.add_argument("--title")
    arguments.add_argument("--summary", help="one sentence for lists of models")
    options = arguments.parse_args()
    try:
        print(convert(options.file, options.outdir, options.title, options.summary))
    except (Refused, OSError, ValueError, KeyError) as problem:
        missing = "a key is missing: " if isinstance(problem, KeyError) else ""
        print(f"import_gguf.py: {options.file}: {missing}{problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
