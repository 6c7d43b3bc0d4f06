# SPDX-License-Identifier: Apache-2.0
"""The zoo at a glance: the table of README and the charts beside it.

    python zoo.py [--models DIR] [--logs DIR] [--readme README.md] [--chart FILE.svg]

The table and the chart of quality against cost come from what is measured in every model's card.json, the chart of
training from the logs. The table replaces what stands between the two marks in README. Needs matplotlib for the charts.
"""
import argparse
import csv
import json
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent
BEGIN, END = "<!-- zoo: made by resources/training/zoo.py -->", "<!-- zoo: end -->"
WORST_SHOWN = 1.4          # bits per byte; the chart names what lies above and leaves it out
COLOURS = {"prose-vanilla": "#8a8a8a", "prose-recursive-r3": "#4d4d4d", "prose-token-r3": "#c98a2b", "prose-expert-r3": "#2f6fb3",
           "prose-expert-r3-kvshare": "#58a6c4", "prose-expert-r3-auxrouter": "#7a63b8", "prose-expert-r4": "#1f3f78"}
# Where a label would cover its neighbour: its place beside the dot, in points.
PLACES = {"prose-expert-r3": (9, 6), "prose-expert-r3-kvshare": (-10, -5), "prose-expert-r4": (9, -4), "prose-vanilla": (9, -6),
          "prose-token-r3": (-10, -5), "prose-recursive-r3": (9, 0)}


def short(name: str) -> str:
    return name.removeprefix("prose-")


def zoo(models: Path) -> dict[str, dict]:
    """Cards by name of the directory, the best first."""
    cards = {d.name: json.loads((d / "card.json").read_text(encoding="utf-8")) for d in models.iterdir() if (d / "card.json").exists()}
    order = lambda item: (item[0].startswith("hops"), item[1]["measured"].get("bits_per_byte", 0.0), item[0])
    return dict(sorted(((name, card) for name, card in cards.items() if "measured" in card), key=order))


def table(cards: dict[str, dict]) -> list[str]:
    lines = ["| model | parameters, effective | tokens | bits per byte | mean depth | MFLOPs a token | KV bytes a token |",
             "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for name, card in cards.items():
        m = card["measured"]
        if "bits_per_byte" not in m:
            continue
        depth = f"{m['mean_depth']:.2f}" if m["mean_depth"] else "-"
        lines.append(f"| `{name}` | {m['parameters'] / 1e6:.2f} M, {m['effective_parameters'] / 1e6:.2f} M | {m['tokens'] / 1e6:.1f} M "
                     f"| {m['bits_per_byte']:.4f} | {depth} | {m['mflops_token']:.1f} | {m['kv_bytes_token']:,} |")
    return lines


def quality_against_cost(axes: Axes, shown: dict[str, dict]) -> None:
    most = max(m["kv_bytes_token"] for m in shown.values())
    left_out = [name for name, m in shown.items() if m["bits_per_byte"] > WORST_SHOWN]
    for name, m in shown.items():
        if name in left_out:
            continue
        axes.scatter(m["mflops_token"], m["bits_per_byte"], s=260 * m["kv_bytes_token"] / most, color=COLOURS[name], alpha=0.85, linewidths=0)
        x, y = PLACES.get(name, (9, -4))
        axes.annotate(short(name), (m["mflops_token"], m["bits_per_byte"]), (x, y), textcoords="offset points", ha="left" if x > 0 else "right")
    axes.set_xlabel("MFLOPs a token (counted by the engine)")
    axes.set_ylabel("bits per byte, held-out text")
    axes.set_xlim(9.0, 15.4)
    axes.margins(y=0.15)
    note = "".join(f"; {short(name)} lies above at {shown[name]['bits_per_byte']:.2f}" for name in left_out)
    axes.set_title(f"Lower is better, left is cheaper; area: KV bytes a token{note}", fontsize=10, loc="left")


def validations(log: Path) -> tuple[list[float], list[float]]:
    """Millions of tokens, and nats per token on the held-out windows under the rule that generation uses."""
    with open(log, newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    column = "validation_threshold" if "validation_threshold" in rows[0] else "validation"
    due = [row for row in rows if row[column]]
    return [int(row["tokens"]) / 1e6 for row in due], [float(row[column]) for row in due]


def training(axes: Axes, names: list[str], logs: Path) -> None:
    curves = {name: validations(logs / f"{name}.csv") for name in names if (logs / f"{name}.csv").exists()}
    for name, (tokens, nats) in sorted(curves.items(), key=lambda item: -item[1][1][-1]):
        change = 100 * (nats[-1] / nats[0] - 1)
        axes.plot(tokens, nats, color=COLOURS[name], linewidth=1.6, label=f"{short(name)} {change:+.1f} %")
        axes.plot([tokens[0], tokens[-1]], [nats[0], nats[-1]], "o", color=COLOURS[name], markersize=4)
    axes.set_xlabel("million tokens")
    axes.set_ylabel("nats per token, 16 held-out windows")
    axes.set_title("One more round of training: held-out loss, and its change", fontsize=10, loc="left")
    axes.legend(frameon=False, fontsize=9)


def chart(cards: dict[str, dict], logs: Path, file: Path) -> None:
    plt.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "morscope", "font.family": "sans-serif", "font.size": 11})
    shown = {name: card["measured"] for name, card in cards.items() if "bits_per_byte" in card["measured"]}
    logged = [name for name, m in shown.items() if m["bits_per_byte"] <= WORST_SHOWN]
    figure, (left, right) = plt.subplots(1, 2, figsize=(12.6, 4.6), width_ratios=(3, 2), constrained_layout=True)
    quality_against_cost(left, shown)
    training(right, logged, logs)
    for axes in (left, right):
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, metadata={"Date": None, "Creator": None})
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("\n", "\n<!-- SPDX-License-Identifier: Apache-2.0 -->\n", 1), encoding="utf-8")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--models", type=Path, default=ROOT / "resources" / "models")
    arguments.add_argument("--logs", type=Path, default=ROOT / "resources" / "training" / "logs")
    arguments.add_argument("--readme", type=Path, default=ROOT / "README.md")
    arguments.add_argument("--chart", type=Path, default=ROOT / "resources" / "pictures" / "zoo.svg")
    options = arguments.parse_args()

    cards = zoo(options.models)
    text = options.readme.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise SystemExit(f"{options.readme}: expected the lines {BEGIN} and {END}, got neither or one")
    head, tail = text.split(BEGIN)[0], text.split(END)[1]
    options.readme.write_text(head + "\n".join([BEGIN, "", *table(cards), "", END]) + tail, encoding="utf-8")
    chart(cards, options.logs, options.chart)
    print(f"{len(cards)} models; {options.readme}, {options.chart}: written")


if __name__ == "__main__":
    main()
