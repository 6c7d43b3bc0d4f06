# SPDX-License-Identifier: Apache-2.0
"""Makes tests/data/vectors: small random checkpoints and what they compute, for what tests/data/reference leaves out.

    python make_vectors.py --out vectors [CONFIG...]   writes the configurations (all of them by default)
    python make_vectors.py --check reference           compares reference_forward.py with existing vectors

Files and tensors are those of reference/README.md without `block.*`; prompts have 1, 7 and 40 tokens. Seeds are tried
in order until every decision has a margin of 5e-3 and every recursion both takes and leaves tokens, so that the
decisions do not hang on rounding. Needs torch and safetensors.
"""
import argparse
import copy
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from reference_forward import Reference, layer_owners

MARGIN = 5e-3
DECODED = 16
PROMPTS = (1, 7, 40)

LLAMA = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "hidden_size": 32,
    "intermediate_size": 64, "num_hidden_layers": 8, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8,
    "vocab_size": 96, "max_position_embeddings": 128, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "eos_token_id": 0,
    "tie_word_embeddings": True}
RECURSIVE = {"enable": True, "base_depth": None, "num_recursion": 3, "sharing": "middle_cycle"}
NO_SHARING = {"enable": False, "base_depth": None, "num_recursion": None, "sharing": None, "update_cache": False}
EXPERT = {"router_func": "sigmoid", "alpha": 0.1, "sampling": "aux_loss", "gating": "weighted"}
TOKEN = {"router_func": "softmax", "alpha": 1.0, "balancing": "loss", "gating": "weighted"}


def expert(*, llama=None, recursive=None, mor=None, dtype=torch.float32, kv_sharing=False, router_std=0.3, **fields):
    return build("expert", {"expert": EXPERT | fields}, llama, recursive, mor, dtype, kv_sharing, router_std)


def token(*, llama=None, recursive=None, mor=None, dtype=torch.float32, kv_sharing=False, router_std=0.3, **fields):
    return build("token", {"token": TOKEN | fields}, llama, recursive, mor, dtype, kv_sharing, router_std)


def build(kind, section, llama, recursive, mor, dtype, kv_sharing, router_std):
    settings = {"enable": True, "type": kind, "capacity": "1.0,0.667,0.333", "rand_router": False,
                "router_type": "linear", "temp": 1.0}
    return {"llama": LLAMA | (llama or {}),
            "mor": {"recursive": RECURSIVE | (recursive or {}),
                    "kv_sharing": NO_SHARING | {"enable": kv_sharing},
                    "mor": settings | (mor or {}) | section},
            "dtype": dtype, "router_std": router_std}


def unrouted(recursive=None, dtype=torch.float32):
    mor = {"recursive": RECURSIVE | recursive, "kv_sharing": NO_SHARING, "mor": {"enable": False}} if recursive else None
    return {"llama": LLAMA, "mor": mor, "dtype": dtype, "router_std": 0.0}


CONFIGS = {
    "expert_wide_mlp": expert(mor={"router_type": "wide_mlp"}, router_std=0.3),
    "expert_tanh": expert(router_func="tanh", alpha=0.3),
    "expert_null_func": expert(router_func=None, alpha=None, router_std=0.1),
    "expert_ungated": expert(gating=None),
    "expert_temp": expert(mor={"temp": 0.4}, alpha=1.0, router_std=0.15),
    "expert_f16": expert(dtype=torch.float16),
    "expert_bf16": expert(dtype=torch.bfloat16),
    "expert_r4_null_capacity": expert(llama={"num_hidden_layers": 6}, recursive={"num_recursion": 4},
                                      mor={"capacity": None}),
    "expert_auxrouter_kvshare": expert(sampling="aux_router", kv_sharing=True, alpha=0.5),
    "expert_cycle_one_layer": expert(llama={"num_hidden_layers": 3}, recursive={"sharing": "cycle"}),
    "expert_cycle_kvshare_mlp": expert(llama={"num_hidden_layers": 6}, recursive={"sharing": "cycle"},
                                       mor={"router_type": "mlp"}, kv_sharing=True, router_std=0.3),
    "token_ungated": token(gating="none"),
    "token_sigmoid_temp": token(router_func="sigmoid", alpha=0.1, mor={"temp": 2.0}, router_std=0.6),
    "token_wide_mlp_bf16": token(alpha=0.5, mor={"router_type": "wide_mlp"}, dtype=torch.bfloat16, router_std=0.3),
    "token_r2_kvshare": token(llama={"num_hidden_layers": 6}, recursive={"num_recursion": 2}, kv_sharing=True),
    "rec_cycle_f16": unrouted({"sharing": "cycle", "num_recursion": 4}, torch.float16),
    "vanilla_bf16": unrouted(dtype=torch.bfloat16),
}


# ---------------------------------------------------------------------------------------------------- checkpoints
def make_tensors(spec, seed):
    """A random checkpoint in the official layout; shared tensors are stored once, as their owner's."""
    c, generator, tensors = spec["llama"], torch.Generator().manual_seed(seed), {}
    hidden, ffn = c["hidden_size"], c["intermediate_size"]
    q, kv = c["num_attention_heads"] * c["head_dim"], c["num_key_value_heads"] * c["head_dim"]

    def add(name, *shape, std=0.2):
        tensors[name] = std * torch.randn(*shape, generator=generator)

    def add_norm(name):
        tensors[name] = 0.7 + 0.6 * torch.rand(hidden, generator=generator)

    def add_layer(prefix):
        add_norm(prefix + "input_layernorm.weight")
        for name, out in (("q", q), ("k", kv), ("v", kv)):
            add(prefix + f"self_attn.{name}_proj.weight", out, hidden)
        add(prefix + "self_attn.o_proj.weight", hidden, q)
        add_norm(prefix + "post_attention_layernorm.weight")
        add(prefix + "mlp.gate_proj.weight", ffn, hidden)
        add(prefix + "mlp.up_proj.weight", ffn, hidden)
        add(prefix + "mlp.down_proj.weight", hidden, ffn)

    def add_router(prefix, outputs, shape):
        std = spec["router_std"]
        if shape == "linear":
            return add(prefix + "router.weight", outputs, hidden, std=std)
        inner = 2 * hidden if shape == "wide_mlp" else hidden
        add(prefix + "router.0.weight", inner, hidden, std=std)
        add(prefix + "router.2.weight", outputs, inner, std=std)

    add("model.embed_tokens.weight", c["vocab_size"], hidden)
    mor = spec["mor"]
    recursive = mor["recursive"] if mor else {"sharing": None, "num_recursion": 0}
    sharing, recursions = recursive["sharing"], recursive["num_recursion"]
    if not mor or not mor["mor"]["enable"]:
        for owner in dict.fromkeys(owner for owner, _ in layer_owners(c["num_hidden_layers"], sharing, recursions)):
            add_layer(f"model.layers.{owner}.")
    else:
        kind, shape = mor["mor"]["type"], mor["mor"]["router_type"]
        own = 1 if sharing == "middle_cycle" else 0
        block = "block." if kind == "expert" else "block_list.0."
        for layer in range((c["num_hidden_layers"] - 2 * own) // recursions):
            add_layer(f"model.layers.{own}.{block}{layer}.")
        for r in range(recursions if kind == "expert" else 1):
            add_router(f"model.layers.{own + r}.mor_router.", 1 if kind == "expert" else recursions, shape)
            if kind == "expert" and mor["mor"]["expert"]["sampling"] == "aux_router":
                add_router(f"model.layers.{own + r}.mlp_router.", 1, "linear")
        if own:
            add_layer("model.layers.0.")
            add_layer(f"model.layers.{own + (recursions if kind == 'expert' else 1)}.")
    add_norm("model.norm.weight")
    return {name: t.to(spec["dtype"]).contiguous() for name, t in tensors.items()}


# ---------------------------------------------------------------------------------------------------- vectors
def ints(values):
    return torch.as_tensor(values).to(torch.int32).contiguous()


def official_vectors(model, prompts):
    """Tensors of golden.safetensors, and the smallest margin of any decision."""
    tensors, margin = {}, float("inf")
    for p, ids in enumerate(prompts):
        out, suffix = model.forward(ids, "topk"), f".p{p}"
        tensors |= {f"input_ids{suffix}": ints(ids), f"logits{suffix}": out.logits,
                    f"hidden{suffix}.embed": out.embed, f"hidden{suffix}.final_norm": out.final_norm}
        for r, routed in enumerate(out.expert):
            name = f"router{suffix}.r{r}."
            tensors |= {name + "candidates": ints(routed.candidates), name + "logits": routed.logits,
                        name + "selected": ints(routed.selected), name + "weights": routed.weights,
                        f"hidden{suffix}.layer{model.own + r}": out.states[r]}
            if routed.aux_logits is not None:
                tensors[name + "aux_logits"] = routed.aux_logits
            margin = min(margin, routed.margin)
        if out.token_logits is not None:
            tensors |= {f"router{suffix}.logits": out.token_logits, f"router{suffix}.depth": ints(out.depth - 1),
                        f"router{suffix}.weights": out.token_weights, f"hidden{suffix}.layer{model.own}": out.combined}
            margin = min(margin, out.token_margin)
    return tensors, margin


def continue_greedily(model, prompt):
    """The prompt and DECODED greedy tokens, and the smallest lead of the best over the second-best token."""
    ids, lead = list(prompt), float("inf")
    for _ in range(DECODED):
        best = model.forward(ids, "threshold").logits[-1].topk(2)
        ids.append(int(best.indices[0]))
        lead = min(lead, float(best.values[0] - best.values[1]))
    return ids, lead


def causal_routing(model, out, suffix):
    """active, router, aux_router and weight [T, R] of one text; NaN where nothing was evaluated."""
    depth, recursions = out.depth, model.R
    nothing = lambda: torch.full((len(depth), recursions), float("nan"))
    weight, router, aux = nothing(), nothing(), nothing()
    for r, routed in enumerate(out.expert):
        router[routed.candidates, r] = routed.logits
        weight[routed.selected, r] = routed.weights
        if routed.aux_logits is not None:
            aux[routed.candidates, r] = routed.aux_logits
    if out.token_logits is not None:
        router = out.token_logits
        weight[torch.arange(len(depth)), depth - 1] = out.token_weights
    tensors = {f"active{suffix}": ints(depth[:, None] > torch.arange(recursions)), f"depth{suffix}": ints(depth),
               f"router{suffix}": router, f"weight{suffix}": weight}
    if out.expert and out.expert[0].aux_logits is not None:
        tensors[f"aux_router{suffix}"] = aux
    return tensors


def slot_recursions(model):
    """The recursion that owns each K/V store, in the order of execution; -1 outside the recursions."""
    c = model.config
    owners = layer_owners(c["num_hidden_layers"], model.sharing, model.R)
    slots = [-1 if r is None else r for _, r in owners]
    return [r for r in slots if r <= 0] if model.kv_sharing else slots


def kv_vectors(model, depth, tokens, name):
    """Entries and bytes of the cache after `tokens` tokens of a text; depth [T], or None when nothing is routed."""
    c, slots = model.config, slot_recursions(model)
    taken = lambda r: tokens if r < 0 or model.kv_sharing or depth is None else int((depth[:tokens] > r).sum())
    entry = 2 * c["num_key_value_heads"] * c["head_dim"] * 4
    counts = [taken(r) for r in slots]
    tensors = {name + "slot_tokens": ints(counts), name + "total_bytes": ints([sum(counts) * entry])}
    if model.R:
        owned = range(1 if model.kv_sharing else model.R)
        tensors[name + "rec_tokens"] = ints([taken(r) if r in owned else 0 for r in range(model.R)])
        tensors[name + "rec_bytes"] = ints([sum(taken(r) for s in slots if s == r) * entry for r in range(model.R)])
    return tensors


def causal_vectors(model, prompts):
    """Tensors of golden_causal.safetensors, the smallest margin, and the depths of the longest text."""
    tensors, margin, depth = {"kv.slot_recursion": ints(slot_recursions(model))}, float("inf"), None
    for p, prompt in enumerate(prompts):
        ids, lead = continue_greedily(model, prompt)
        out, suffix = model.forward(ids[:-1], "threshold"), f".p{p}"
        margin = min([margin, lead, out.token_margin] + [routed.margin for routed in out.expert])
        depth = out.depth
        tensors |= {f"tokens{suffix}": ints(ids), f"logits{suffix}": out.logits, f"hidden{suffix}.final": out.final}
        tensors |= {f"hidden{suffix}.r{r}": state for r, state in enumerate(out.states)}
        tensors |= kv_vectors(model, depth, len(prompt), f"kv{suffix}.prefill.")
        tensors |= kv_vectors(model, depth, len(ids) - 1, f"kv{suffix}.end.")
        if model.mor:
            tensors |= causal_routing(model, out, suffix)
    return tensors, margin, depth


# ---------------------------------------------------------------------------------------------------- files
def write_model(directory, spec, seed):
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "config.json").write_text(json.dumps(spec["llama"], indent=1) + "\n")
    if spec["mor"]:
        (directory / "mor.json").write_text(json.dumps(spec["mor"] | {"vectors": {"seed": seed}}, indent=1) + "\n")
    save_file(make_tensors(spec, seed), directory / "model.safetensors", metadata={"format": "pt"})


def varied(model, depth):
    """Whether the longest text visits every depth from 0 (expert choice) or 1 (token choice) to R."""
    least = 0 if model.mor and model.mor["type"] == "expert" else 1
    return depth is None or set(range(least, model.R + 1)) == set(depth.tolist())


def make(name, spec, out):
    for seed in range(1, 2000):
        write_model(out / name, spec, seed)
        generator = torch.Generator().manual_seed(seed)
        prompts = [torch.randint(1, spec["llama"]["vocab_size"], (n,), generator=generator).tolist() for n in PROMPTS]
        model = Reference(out / name)
        golden, margin = official_vectors(model, prompts)
        if margin < MARGIN:
            continue
        causal, causal_margin, depth = causal_vectors(model, prompts)
        margin = min(margin, causal_margin)
        if margin < MARGIN or not varied(model, depth):
            continue
        copies = lambda tensors: {k: v.clone().contiguous() for k, v in tensors.items()}
        save_file(copies(golden), out / name / "golden.safetensors")
        save_file(copies(causal), out / name / "golden_causal.safetensors")
        print(f"{name}: seed {seed}, smallest margin {margin:.1e}", flush=True)
        return
    sys.exit(f"{name}: no seed with the margins asked for")


# ---------------------------------------------------------------------------------------------------- check
def largest_difference(expected, got):
    """Of the tensors that both have; infinite when whole numbers or shapes differ. States, whose size is not bounded as
    that of logits is, count relative to their largest element above 1."""
    worst = 0.0
    for name in expected.keys() & got.keys():
        a, b = expected[name].double(), got[name].double()
        if a.shape != b.shape or (a.isnan() != b.isnan()).any():
            return float("inf")
        d = float((a - b).nan_to_num().abs().max()) if a.numel() else 0.0
        if name.startswith("hidden") and a.numel():
            d /= max(1.0, float(a.abs().max()))
        worst = max(worst, d if expected[name].is_floating_point() or d == 0 else float("inf"))
    return worst


def check(directory):
    print(f"{'largest difference':28} official    causal   tensors compared")
    failed = False
    for config in sorted(p.parent for p in directory.glob("*/golden.safetensors")):
        model = Reference(config)
        expected = load_file(config / "golden.safetensors"), load_file(config / "golden_causal.safetensors")
        prompts = [expected[0][f"input_ids.p{p}"].tolist() for p in range(len(PROMPTS))]
        got = official_vectors(model, prompts)[0], causal_vectors(model, prompts)[0]
        worst = [largest_difference(e, g) for e, g in zip(expected, got)]
        compared = sum(len(e.keys() & g.keys()) for e, g in zip(expected, got))
        print(f"{config.name:28}  {worst[0]:.1e}   {worst[1]:.1e}   {compared}")
        failed |= max(worst) > 2e-4
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="directory that receives the configurations")
    parser.add_argument("--check", type=Path, help="directory of vectors to compare with")
    parser.add_argument("configs", nargs="*", help="names of configurations, all by default")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.check:
        sys.exit(check(args.check))
    if not args.out:
        parser.error("give --out or --check")
    for name in args.configs or CONFIGS:
        make(name, copy.deepcopy(CONFIGS[name]), args.out)


if __name__ == "__main__":
    main()
