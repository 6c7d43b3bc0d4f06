# SPDX-License-Identifier: Apache-2.0
"""Turns what the official Mixture-of-Recursions trainer saves into a model directory that Morscope opens.

    pip install torch==2.15.0 safetensors==0.8.0 PyYAML==6.0.3
    python import_official.py SAVEDIR CONFIG.yaml OUTDIR [--tokenizer DIR] [--bf16] [--title NAME] [--summary SENTENCE]

SAVEDIR holds config.json and the weights: pytorch_model.bin or model.safetensors, in one file or sharded with an index.
CONFIG.yaml is the configuration of the training run. Writes config.json, mor.json, model.safetensors, card.json and the
tokenizer's files (from SAVEDIR or DIR). Tensors that only repeat their owner's are left out, names and shapes are held
against the official layout, and what is not understood is refused before anything is written.
"""
import argparse
import json
import shutil
import sys
from pathlib import Path

import torch
import yaml
from safetensors.torch import load_file, save_file

from official_layout import BUFFERS, Refused, Slot, check_sections, expect, slots

TOKENIZER_FILES = ("tokenizer.model", "tokenizer.json", "tokenizer_config.json", "chat_template.json")
TYPES = (torch.float32, torch.float16, torch.bfloat16)


def read_json(path: Path) -> dict:
    value = json.loads(path.read_text(encoding="utf-8"))
    expect(isinstance(value, dict), str(path), "an object", type(value).__name__)
    return value


def load_weights(path: Path) -> dict[str, torch.Tensor]:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)     # nothing in the file is executed
    except Exception as problem:        # on a broken file both libraries raise whatever they stumble over
        reason = (str(problem).splitlines() or [type(problem).__name__])[0]
        raise Refused(f"{path}: expected a file of tensors, got something else ({reason})") from problem
    expect(isinstance(state, dict) and all(isinstance(t, torch.Tensor) for t in state.values()), str(path), "tensors by name",
           type(state).__name__)
    return state


def read_weights(folder: Path) -> dict[str, torch.Tensor]:
    """All tensors of the save; safetensors go first where both kinds are there."""
    for name in ("model.safetensors", "pytorch_model.bin"):
        if (folder / name).is_file():
            return load_weights(folder / name)
        index = folder / f"{name}.index.json"
        if not index.is_file():
            continue
        tensors: dict[str, torch.Tensor] = {}
        for shard in sorted(set(read_json(index)["weight_map"].values())):
            expect(Path(shard).name == shard, str(index), "file names without folders", shard)
            part = load_weights(folder / shard)
            expect(not part.keys() & tensors.keys(), shard, "every tensor in one shard", sorted(part.keys() & tensors.keys())[:3])
            tensors |= part
        return tensors
    raise Refused(f"{folder}: expected model.safetensors, pytorch_model.bin or an index of shards, got none of them")


def check_tensor(name: str, tensor: torch.Tensor, slot: Slot) -> None:
    fits = len(tensor.shape) == len(slot.shape) and all(want in (None, n) for n, want in zip(tensor.shape, slot.shape))
    expect(fits, name, f"shape {slot.shape}", tuple(tensor.shape))
    expect(tensor.dtype in TYPES, name, "float32, float16 or bfloat16", tensor.dtype)
    expect(bool(torch.isfinite(tensor).all()), name, "finite numbers", "infinity or NaN")


def select(tensors: dict[str, torch.Tensor], layout: dict[str, Slot]) -> tuple[dict[str, torch.Tensor], int]:
    """The tensors to keep, and how many only repeated their owner's."""
    kept, repeated = {}, 0
    for name, slot in layout.items():
        if name not in tensors:
            expect(slot.owner in tensors, name, "a tensor", "nothing")
            continue
        check_tensor(name, tensors[name], slot)
        owner = tensors.get(slot.owner)
        if name != slot.owner and owner is not None and torch.equal(tensors[name], owner):
            repeated += 1
        else:
            kept[name] = tensors[name].contiguous().clone()
    unknown = [n for n in tensors if n not in layout and not n.endswith(BUFFERS)]
    expect(not unknown, "tensors", "names of the official layout", f"{len(unknown)} others, the first {unknown[:3]}")
    return kept, repeated


def check_routers(kept: dict[str, torch.Tensor]) -> None:
    """The two matrices of an MLP router must fit each other."""
    for name, inner in kept.items():
        if name.endswith("mor_router.router.0.weight"):
            outer = kept[name.replace("router.0.weight", "router.2.weight")]
            expect(outer.shape[1] == inner.shape[0], name, f"{outer.shape[1]} rows", inner.shape[0])


def write_json(path: Path, value: dict) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def convert(save: Path, settings_file: Path, out: Path, options: argparse.Namespace) -> str:
    config = read_json(save / "config.json")
    settings = check_sections(yaml.safe_load(settings_file.read_text(encoding="utf-8")))
    kept, repeated = select(read_weights(save), slots(config, settings))
    check_routers(kept)
    if options.bf16:
        # routers compute in float32 and decide: they keep what they have
        kept = {name: t if "router" in name else t.to(torch.bfloat16) for name, t in kept.items()}
    out.mkdir(parents=True, exist_ok=True)
    save_file(kept, out / "model.safetensors", metadata={"format": "pt"})
    write_json(out / "config.json", config | ({"torch_dtype": "bfloat16"} if options.bf16 else {}))
    write_json(out / "mor.json", settings)
    write_json(out / "card.json", {"name": options.title or save.name,
                                   "summary": options.summary or f"Imported from an official save, {settings_file.name}."})
    for name in TOKENIZER_FILES:
        source = (options.tokenizer or save) / name
        if source.is_file():
            shutil.copyfile(source, out / name)
    return f"{out}: {len(kept)} tensors, {repeated} repeated ones left out"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("savedir", type=Path)
    parser.add_argument("config", type=Path)
    parser.add_argument("outdir", type=Path)
    parser.add_argument("--tokenizer", type=Path, help="where the tokenizer's files are (SAVEDIR)")
    parser.add_argument("--bf16", action="store_true", help="round weights, but not routers, to bf16")
    parser.add_argument("--title")
    parser.add_argument("--summary", help="one sentence for lists of models")
    options = parser.parse_args(arguments)
    try:
        print(convert(options.savedir, options.config, options.outdir, options))
    except (Refused, OSError, ValueError, KeyError, yaml.YAMLError) as problem:
        missing = "a key is missing: " if isinstance(problem, KeyError) else ""
        sentence = " ".join(f"{missing}{problem}".split())      # YAML's complaints have several lines
        print(f"import_official.py: {options.savedir}: {sentence}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
