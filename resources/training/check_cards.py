# SPDX-License-Identifier: Apache-2.0
"""Holds the figures of every bundled prose model's card against the engine.

    python check_cards.py WORKDIR --cli MORSCOPE-CLI [--models DIR]

WORKDIR holds heldout.txt (corpus.py). Runs `morscope-cli perplexity` on it for each model, under its own rule, and demands
that bits per byte and mean depth are the card's within 0.5 %. Exits 1 when one is not.
"""
import argparse
import json
import subprocess
import sys
from pathlib import Path

TOLERANCE = 0.005
HERE = Path(__file__).resolve().parent


def measured(model: Path) -> dict:
    return json.loads((model / "card.json").read_text(encoding="utf-8")).get("measured", {})


def perplexity(cli: Path, model: Path, text: Path) -> dict:
    done = subprocess.run([cli, "perplexity", model, "--text", text, "--json", "--device", "cpu"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"check_cards.py: {done.stderr.strip()}")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("workdir", type=Path)
    arguments.add_argument("--cli", type=Path, required=True)
    arguments.add_argument("--models", type=Path, default=HERE.parent / "models")
    options = arguments.parse_args()

    bad = checked = 0
    for model in sorted(options.models.iterdir()):
        card = measured(model)
        if "bits_per_byte" not in card:
            continue
        engine = perplexity(options.cli, model, options.workdir / "heldout.txt")
        for figure in ("bits_per_byte", "mean_depth"):
            difference = abs(engine[figure] - card[figure]) / max(card[figure], 1e-9) if card[figure] or engine[figure] else 0.0
            bad += difference > TOLERANCE
            print(f"{'ok ' if difference <= TOLERANCE else 'BAD'} {model.name:26} {figure:14} card {card[figure]:.4f} "
                  f"engine {engine[figure]:.4f} ({difference:.3%})", flush=True)
        checked += 1
    print(f"{checked} models checked, {bad} figures off")
    sys.exit(bad > 0 or checked == 0)


if __name__ == "__main__":
    main()
