# SPDX-License-Identifier: Apache-2.0
"""What the trainer measures on the held-out excerpt with exported weights: what tst_perplexity holds the engine against.

    python heldout_figures.py [--models DIR] [--data tests/data/heldout] [NAME...]

Writes DATA/expected.json for the models named there already, or for those named here: SHA-256 of the weights, and under each
selection rule that the kind has the figures of evaluate.py.
"""
import argparse
import hashlib
import json
from pathlib import Path

from batches import rules_of
from evaluate import evaluate, load

ROOT = Path(__file__).resolve().parent.parent.parent
FIGURES = ["nats_per_token", "bits_per_byte", "mean_depth", "tokens", "depth_shares"]


def figures(directory: Path, text: str) -> dict:
    model, processor = load(directory)
    rules = ["threshold", "topk"] if len(rules_of(model.c.kind)) > 1 else ["threshold"]
    measured = {rule: evaluate(model, processor, text, rule) for rule in rules}
    return {"sha256": hashlib.sha256((directory / "model.safetensors").read_bytes()).hexdigest(),
            **{rule: {figure: report[figure] for figure in FIGURES} for rule, report in measured.items()}}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("names", nargs="*")
    arguments.add_argument("--models", type=Path, default=ROOT / "resources" / "models")
    arguments.add_argument("--data", type=Path, default=ROOT / "tests" / "data" / "heldout")
    options = arguments.parse_args()

    file = options.data / "expected.json"
    names = options.names or list(json.loads(file.read_text(encoding="utf-8")))
    text = (options.data / "excerpt.txt").read_text(encoding="utf-8")
    expected = {name: figures(options.models / name, text) for name in names}
    file.write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")
    print(f"{file}: {', '.join(names)}")


if __name__ == "__main__":
    main()
