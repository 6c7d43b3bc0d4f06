# SPDX-License-Identifier: Apache-2.0
"""Writes MODEL_CARD.md beside an exported model, from measurements, and their sums into its card.json.

    python card.py NAME WORKDIR MODELDIR --cli MORSCOPE-CLI [--threads N]

Measures the exported model on the whole held-out text (evaluate.py; expert choice under both selection rules, the hops
task with evaluate_hops.py), has the engine write samples at fixed seeds and count their FLOPs and KV bytes, and takes
sizes, tokens and time from WORKDIR.
"""
import argparse
import json
import subprocess
from pathlib import Path

import torch

from evaluate import evaluate, load
from evaluate_hops import evaluate_hops
from model import MoR
from task_hops import HELDOUT_TEXTS, HOPS
from train import recipe

SOURCES = {
    "austen": "Jane Austen's six novels, from the Debian package r-cran-janeaustenr",
    "melville": "Herman Melville, Moby Dick, from r-cran-tokenizers",
    "bible": "a modern English Bible, from sword-text-web; its quotation marks and dashes were changed to ASCII, "
             "so it may no longer carry its trademarked name",
}


PROMPTS = {
    "prose": ["The king said to his servant,", "It was a truth", "She walked into the garden and"],
    "hops": ["g=7;x=k;k=3;m=x;?g7;?m", "a=b;c=2;b=c;?a"],
}
SEEDS = (1, 2)
SAMPLE_TOKENS = {"prose": 60, "hops": 1}
RULES = {"topk": "TopK", "threshold": "Threshold"}


def percentages(shares: list[float]) -> str:
    return " / ".join(f"{100 * share:.1f} %" for share in shares)


def table(header: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (header, ["---"] * len(header), *rows)]


def parameters(model: MoR) -> tuple[int, int]:
    """Unique, and effective: the shared block counted once per recursion."""
    sizes = {name: tensor.numel() for name, tensor in model.state_dict().items()}
    block = sum(size for name, size in sizes.items() if name.startswith("block."))
    return sum(sizes.values()), sum(sizes.values()) + (model.c.recursions - 1) * block


def kind_of(model: MoR) -> str:
    """One phrase for people."""
    c = model.c
    if c.kind == "vanilla":
        return "A plain transformer, the yardstick of its relatives: every layer has weights of its own"
    cache = "recursive KV sharing" if c.kv_sharing else "recursion-wise KV cache"
    how = {"recursive": "A recursive transformer without routers",
           "expert": "A Mixture-of-Recursions language model: expert choice with the auxiliary "
                     + ("router" if c.sampling == "aux_router" else "loss"),
           "token": "A Mixture-of-Recursions language model: token choice"}[c.kind]
    return f"{how}, {c.recursions} recursions, MiddleCycle sharing, {cache}"


def about(settings: dict, model: MoR) -> list[str]:
    c = model.c
    unique, effective = parameters(model)
    middle = f"{c.block_layers} x {c.recursions}" if c.recursions > 1 else f"{c.block_layers}"
    rows = [
        ["layers", f"1 + {middle} + 1"],
        ["hidden size, heads, KV heads, MLP", f"{c.hidden}, {c.heads}, {c.kv_heads}, {c.ffn}"],
        ["vocabulary, context", (f"{c.vocab} symbols" if settings["task"] == "hops" else
                                 f"{c.vocab} SentencePiece BPE pieces with byte fallback") + f", {c.context} tokens"],
        ["parameters", f"{unique:,} unique; {effective:,} effective (a shared block counted once per recursion)"],
        ["weights", "bf16, tied embedding"],
    ]
    if c.kind == "expert":
        rows.append(["capacities", ", ".join(map(str, c.capacity))])
    purpose = "It knows one puzzle and nothing else." if settings["task"] == "hops" else (
        "It was trained from scratch to be looked at, not to be relied on: its text has the right grammar and register and no "
        "meaning, it may repeat the views of its sources, and it knows nothing else.")
    return [settings["summary"], "", f"{kind_of(model)}. {purpose}", "", *table(["", ""], rows)]


def data(settings: dict, workdir: Path) -> list[str]:
    if settings["task"] == "hops":
        return [f"Every text is made up on the spot (`task_hops.py`): definitions such as `x=k;` in any order, and questions such as "
                f"`?x`, whose answer is the digit at the end of a chain of one to {HOPS} definitions. `zoo.toml` says which texts training saw; "
                f"the last ones are made like those measured on. The {HELDOUT_TEXTS} texts of the measurements come from a seed that training never uses."]
    corpus = json.loads((workdir / "corpus.json").read_text())
    rows = [[SOURCES[name], f"{count:,}"] for name, count in corpus["characters"].items()]
    files = [f"`{name}` {entry['bytes']:,} bytes, SHA-256 `{entry['sha256']}`" for name, entry in corpus["files"].items()]
    return [
        *table(["text", "characters"], rows),
        "",
        "All three texts are in the public domain. Every 25th chunk of about 16,000 characters is held out. "
        "No end-of-text token was seen in training, so the model never ends a text by itself.",
        "",
        *[f"- {line}" for line in files],
    ]


def wall_clock(run: dict) -> str:
    device = run.get("device", "CPU")
    return f"{run['seconds'] / 60:.0f} minutes of wall clock on {'the CPU' if device.upper() == 'CPU' else 'one ' + device}"


def rounds(settings: dict, before: dict | None) -> str:
    """How the learning rate went, and where the last round's weights came from when that was another run."""
    parts = settings["rounds"]
    falls = f"linear decay over the last {100 * parts[0]['decay']:.0f} %"
    if len(parts) == 1:
        return falls
    more = " and ".join(f"{part['tokens']:,} tokens with decay over {100 * part['decay']:.0f} %" for part in parts[1:])
    end = (f". That round began with the weights of the one before in bf16 ({before['bits_per_byte']:.4f} bits per byte, "
           f"{wall_clock(before)}) and a new state of AdamW" if before else "")
    return f"{falls} of {parts[0]['tokens']:,} tokens, then anew: {more}{end}"


def training(settings: dict, run: dict) -> list[str]:
    routed = settings["kind"] in ("expert", "token")
    coefficient = f"auxiliary coefficient {settings['auxiliary_coefficient']}, " if routed else ""
    start = (f"The weights of `{settings['start']}`, whose block then gets routers and a gate (`start_from` in `model.py`), and after them "
             if "start" in settings else "")
    before = run.get("before")
    return [
        f"{start}{run['tokens']:,} tokens in windows of {settings['context']}, {settings['batch']} windows a step; "
        f"{wall_clock(run)}{' for the last round' if before else ''}. "
        f"AdamW (0.9, {settings['beta2']}), weight decay {settings['weight_decay']}{' (routers 0)' if routed else ''}, {coefficient}"
        f"seed {settings['seed']}, bf16 autocast{' with float32 routers' if routed else ''}. Learning rate {settings['learning_rate']}, "
        f"{rounds(settings, before)}. The recipe is `resources/training`.",
    ]


def measurements(model: MoR, reports: dict[str, dict]) -> list[str]:
    kind, own = model.c.kind, reports["threshold"]
    routed = kind in ("expert", "token")
    depths = " / ".join(map(str, range(len(own["depth_shares"]))))
    header = ["selection rule"] * (kind == "expert") + ["bits per byte", "nats per token"]
    header += ["mean depth", f"tokens of depth {depths}"] * routed
    rows = []
    for rule, r in reports.items():
        row = [RULES[rule]] * (kind == "expert") + [f"{r['bits_per_byte']:.4f}", f"{r['nats_per_token']:.4f}"]
        rows.append(row + [f"{r['mean_depth']:.3f}", percentages(r["depth_shares"])] * routed)
    lines = [
        f"On the whole held-out text, {own['tokens']:,} predicted tokens in disjoint windows, bf16 weights computed in float32 "
        "(`evaluate.py`; `morscope-cli perplexity` gives the same).",
        "",
        *table(header, rows),
    ]
    if kind == "expert":
        lines += ["", "Candidates on which the threshold decides as TopK does, by recursion: "
                  + percentages(reports["topk"]["agreement"]) + "."]
    if routed:
        by_kind = sorted(own["depth_by_kind"].items(), key=lambda item: -item[1]["mean_depth"])
        lines += ["", "Which tokens go deep; depth follows the kind of token and says little about difficulty:", "",
                  *table(["kind of token", "share", "mean depth"],
                         [[name, f"{100 * e['share']:.1f} %", f"{e['mean_depth']:.2f}"] for name, e in by_kind])]
    return lines


def hops_measurements(report: dict) -> list[str]:
    counts = range(1, len(report["accuracy"]) + 1)
    rows = [["its own depths" if "depth_of_answering" in report else "all recursions", *map("{:.1%}".format, report["accuracy"])]]
    if "depth_of_answering" in report:
        rows.append(["TopK", *map("{:.1%}".format, report["accuracy_topk"])])
        rows += [[f"depth {depth} for every token", *map("{:.1%}".format, accuracy)]
                 for depth, accuracy in report["accuracy_at_depth"].items()]
    header = ["answers that are right", *(f"{n} look-up{'s' if n > 1 else ''}" for n in counts)]
    lines = [f"On {report['texts']} texts that training never saw (`evaluate_hops.py`). Guessing a digit is right in 10 %.", "",
             *table(header, rows)]
    if "depth_of_answering" not in report:
        return lines
    roles = sorted(report["depth_by_role"].items(), key=lambda item: -item[1]["mean_depth"])
    return [*lines, "",
            f"Mean depth of all tokens: {sum(e['share'] * e['mean_depth'] for e in report['depth_by_role'].values()):.2f} of {len(report['accuracy_at_depth'])}. "
            "Of the token that has to answer, by look-ups: " + " / ".join(f"{d:.2f}" for d in report["depth_of_answering"])
            + ". As deep as there are look-ups: " + percentages(report["exact_depth"]) + ".", "",
            *table(["token", "share", "mean depth"],
                   [[name, f"{e['share']:.1%}", f"{e['mean_depth']:.2f}"] for name, e in roles])]


def engine_runs(cli: Path, modeldir: Path, task: str) -> tuple[list[str], dict]:
    """Samples as lines, and what they cost per token and as shares of the vanilla reference (KV bytes: bf16)."""
    lines, gates, flops, vanilla_flops, kv, vanilla_kv, tokens = [], {}, 0, 0, 0, 0, 0
    for prompt in PROMPTS[task]:
        for seed in SEEDS[:1] if task == "hops" else SEEDS:
            sampling = [] if task == "hops" else ["--temperature", "0.8", "--top-k", "40", "--seed", str(seed)]
            done = subprocess.run([cli, "generate", modeldir, "--prompt", prompt, *sampling, "--kv-type", "bf16", "--json",
                                   "--device", "cpu", "--max-tokens", str(SAMPLE_TOKENS[task])],
                                  check=True, capture_output=True, encoding="utf-8")
            records = [record for record in map(json.loads, done.stdout.splitlines()) if record["type"] == "token"]
            text = prompt + "".join(r["piece"] for r in records if not r.get("prompt"))
            lines.append(f"- seed {seed}: {' '.join(text.split())}" if task == "prose" else f"- `{text}`")
            for record in records:
                for recursion, decision in enumerate(record.get("recursions", [])):
                    if decision.get("gate") is not None:
                        gates.setdefault(recursion, []).append(decision["gate"])
            flops += sum(r["flops"] for r in records)
            vanilla_flops += sum(r["flops_vanilla"] for r in records)
            kv += sum(records[-1]["kv"]["used"])
            vanilla_kv += records[-1]["kv"]["vanilla"]
            tokens += len(records)
    sampling = "" if task == "hops" else "--temperature 0.8 --top-k 40 --seed S "
    lines += ["", f"Made with `morscope-cli generate {modeldir.name} --prompt TEXT {sampling}--max-tokens {SAMPLE_TOKENS[task]}`."]
    return lines, {"flops": flops / vanilla_flops, "flops_token": flops / tokens, "flops_token_vanilla": vanilla_flops / tokens,
                   "kv": kv / vanilla_kv, "kv_token": kv / tokens, "kv_token_vanilla": vanilla_kv / tokens,
                   "gates": [sum(values) / len(values) for _, values in sorted(gates.items())]}


def gate_lines(gates: list[float], alpha: float) -> list[str]:
    """How much of what a recursion computed reaches the token, and where that is next to nothing."""
    if not gates:
        return []
    off = [str(r + 1) for r, gate in enumerate(gates) if gate < 0.1 * alpha]
    verdict = (f" Next to nothing of what recursion {' and '.join(off)} computes reaches the tokens: the main router has learned to "
               "switch it off, wherever the other one sends them." if off else "")
    return ["", "Mean gate of the tokens taken, by recursion: " + " / ".join(f"{gate:.4f}" for gate in gates) + f".{verdict}"]


def cost(costs: dict, alpha: float) -> list[str]:
    return [
        "Counted by the engine while it wrote the samples below; vanilla is a plain transformer of as many executed layers.", "",
        *table(["per token", "this model", "vanilla", "share"], [
            ["KV bytes in use (bf16)", f"{costs['kv_token']:,.0f}", f"{costs['kv_token_vanilla']:,.0f}", f"{costs['kv']:.1%}"],
            ["MFLOPs", f"{costs['flops_token'] / 1e6:,.1f}", f"{costs['flops_token_vanilla'] / 1e6:,.1f}", f"{costs['flops']:.1%}"]]),
        *gate_lines(costs["gates"], alpha)]


def remember(modeldir: Path, run: dict, model: MoR, costs: dict, quality: dict) -> None:
    """The figures that tables of several models are made of."""
    unique, effective = parameters(model)
    seconds = run["seconds"] + (run["before"]["seconds"] if run.get("before") else 0)
    card = json.loads((modeldir / "card.json").read_text(encoding="utf-8"))
    card["measured"] = {"parameters": unique, "effective_parameters": effective, "tokens": run["tokens"],
                        "seconds": round(seconds), "device": run.get("device", "CPU"), "flops_share": round(costs["flops"], 4),
                        "kv_share": round(costs["kv"], 4), "mflops_token": round(costs["flops_token"] / 1e6, 1),
                        "kv_bytes_token": round(costs["kv_token"]), **quality}
    (modeldir / "card.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("name")
    arguments.add_argument("workdir", type=Path)
    arguments.add_argument("modeldir", type=Path)
    arguments.add_argument("--cli", type=Path, required=True)
    arguments.add_argument("--threads", type=int, default=1)
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)

    settings = recipe(options.name)
    run = torch.load(options.workdir / "runs" / options.name / "model.pt", weights_only=True)
    model, processor = load(options.modeldir)
    samples, costs = engine_runs(options.cli, options.modeldir, settings["task"])
    if settings["task"] == "hops":
        report = evaluate_hops(model)
        measured, quality = hops_measurements(report), {"accuracy": round(report["accuracy_all"], 4)}
    else:
        text = (options.workdir / "heldout.txt").read_text(encoding="utf-8")
        rules = RULES if model.c.kind == "expert" else ["threshold"]
        reports = {rule: evaluate(model, processor, text, rule) for rule in rules}
        measured = measurements(model, reports)
        quality = {"bits_per_byte": round(reports["threshold"]["bits_per_byte"], 4),
                   "mean_depth": round(reports["threshold"]["mean_depth"], 3)}

    sections = {"Data": data(settings, options.workdir), "Training": training(settings, run), "Measured": measured,
                "Cost": cost(costs, model.c.alpha), "Samples": samples,
                "Licence": ["The weights are licensed under Apache-2.0." + (
                    "" if settings["task"] == "hops" else " The texts they were trained on are in the public domain.")]}
    lines = ["<!-- SPDX-License-Identifier: Apache-2.0 -->", f"# {settings['title']}", "", *about(settings, model)]
    for heading, body in sections.items():
        lines += ["", f"## {heading}", "", *body]
    (options.modeldir / "MODEL_CARD.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    remember(options.modeldir, run, model, costs, quality)
    print(f"{options.modeldir / 'MODEL_CARD.md'}: written")


if __name__ == "__main__":
    main()
