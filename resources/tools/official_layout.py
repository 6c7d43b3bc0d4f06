# SPDX-License-Identifier: Apache-2.0
"""Tensor names and shapes of the official Mixture-of-Recursions checkpoints, from config.json and the configuration.

A shared tensor may stand under its owner's name only, or once more under the name of every recursion that uses it.
"""
from dataclasses import dataclass

SECTIONS = {
    "recursive": {"enable", "base_depth", "num_recursion", "sharing", "ln_share", "initialization"},
    "kv_sharing": {"enable", "base_depth", "num_recursion", "sharing", "update_cache"},
    "relaxation": None,     # refused when enabled, whatever it holds
    "mor": {"enable", "type", "capacity", "rand_router", "router_type", "z_loss", "z_coeff", "temp", "expert", "token"},
}
EXPERT_KEYS = {"cap_warmup_step", "router_func", "alpha", "sampling", "include_first", "coeff", "gating"}
TOKEN_KEYS = {"bal_warmup_step", "router_func", "alpha", "balancing", "coeff", "u", "gating"}
SHARING = ("cycle", "sequence", "middle_cycle", "middle_sequence")
BUFFERS = ("rotary_emb.inv_freq",)      # computed from the configuration, saved by older versions


class Refused(Exception):
    """The save is not what this importer understands."""


def expect(condition, what: str, expected, got) -> None:
    if not condition:
        raise Refused(f"{what}: expected {expected}, got {got}")


@dataclass(frozen=True)
class Slot:
    """A name that may hold a tensor, and the owner whose tensor it is when the name is missing."""
    shape: tuple[int | None, ...]       # None: any size
    owner: str


def check_sections(settings: dict) -> dict:
    """The sections that say how the model computes; everything else in the configuration is about training."""
    expect(isinstance(settings, dict), "configuration", "a mapping", type(settings).__name__)
    chosen = {name: settings[name] for name in SECTIONS if settings.get(name) is not None}
    expect("recursive" in chosen, "recursive", "a section", "nothing")
    for name, section in chosen.items():
        expect(isinstance(section, dict), name, "a section", type(section).__name__)
        unknown = set() if SECTIONS[name] is None else section.keys() - SECTIONS[name]
        expect(not unknown, name, "known keys", f"{sorted(unknown)}, which are not understood")
        expect(isinstance(section.get("enable"), bool), f"{name}.enable", "true or false", section.get("enable"))
    for name, known in (("expert", EXPERT_KEYS), ("token", TOKEN_KEYS)):
        unknown = (chosen.get("mor", {}).get(name) or {}).keys() - known
        expect(not unknown, f"mor.{name}", "known keys", f"{sorted(unknown)}, which are not understood")
    expect(not chosen.get("relaxation", {}).get("enable"), "relaxation.enable", "false (LoRA relaxation is not implemented)", True)
    expect(not chosen.get("kv_sharing", {}).get("update_cache"), "kv_sharing.update_cache", "false", True)
    return chosen


def layer_shapes(c: dict) -> dict[str, tuple[int, ...]]:
    hidden, ffn, heads = c["hidden_size"], c["intermediate_size"], c["num_attention_heads"]
    head_dim = c.get("head_dim") or hidden // heads
    q, kv = heads * head_dim, c.get("num_key_value_heads", heads) * head_dim
    return {
        "input_layernorm.weight": (hidden,), "post_attention_layernorm.weight": (hidden,),
        "self_attn.q_proj.weight": (q, hidden), "self_attn.k_proj.weight": (kv, hidden),
        "self_attn.v_proj.weight": (kv, hidden), "self_attn.o_proj.weight": (hidden, q),
        "mlp.gate_proj.weight": (ffn, hidden), "mlp.up_proj.weight": (ffn, hidden), "mlp.down_proj.weight": (hidden, ffn),
    }


def layer_prefixes(layers: int, settings: dict) -> list[tuple[str, str]]:
    """(name, owner) of every executed layer."""
    if not settings["recursive"]["enable"]:
        return [(f"model.layers.{i}.",) * 2 for i in range(layers)]
    sharing, recursions = settings["recursive"].get("sharing"), settings["recursive"].get("num_recursion")
    expect(sharing in SHARING, "recursive.sharing", " or ".join(SHARING), sharing)
    expect(isinstance(recursions, int) and recursions > 0, "recursive.num_recursion", "a number above 0", recursions)
    first = 1 if sharing.startswith("middle") else 0
    shared = layers - 2 * first
    expect(shared > 0 and shared % recursions == 0, "num_hidden_layers",
           f"{2 * first} and a multiple of {recursions} recursions", layers)
    depth = shared // recursions
    kind = settings["mor"].get("type") if settings.get("mor", {}).get("enable") else None
    expect(kind in (None, "expert", "token"), "mor.type", "expert or token", kind)
    if kind is None:
        def owner(j):
            return first + (j // recursions * recursions if sharing.endswith("sequence") else j % depth)
        middle = [(f"model.layers.{first + j}.", f"model.layers.{owner(j)}.") for j in range(shared)]
        last = f"model.layers.{layers - 1}."
    else:
        allowed = ("cycle", "middle_cycle") if kind == "expert" else ("middle_cycle",)
        expect(sharing in allowed, "recursive.sharing", f"{' or '.join(allowed)} with mor.type {kind}", sharing)
        block = (lambda r: f"model.layers.{first + r}.block.") if kind == "expert" else (lambda r: f"model.layers.1.block_list.{r}.")
        middle = [(f"{block(r)}{l}.", f"{block(0)}{l}.") for r in range(recursions) for l in range(depth)]
        last = f"model.layers.{first + (recursions if kind == 'expert' else 1)}."
    return [("model.layers.0.",) * 2, *middle, (last, last)] if first else middle


def router_slots(hidden: int, settings: dict) -> dict[str, Slot]:
    mor = settings.get("mor", {})
    if not (settings["recursive"]["enable"] and mor.get("enable")):
        return {}
    recursions = settings["recursive"]["num_recursion"]
    first = 1 if settings["recursive"]["sharing"].startswith("middle") else 0
    expert = mor["type"] == "expert"
    modules = [f"model.layers.{first + r}." for r in range(recursions)] if expert else ["model.layers.1."]
    outputs = 1 if expert else recursions
    shape = mor.get("router_type") or "linear"
    expect(shape in ("linear", "mlp", "wide_mlp"), "mor.router_type", "linear, mlp or wide_mlp", shape)
    shapes = {"mor_router.router.weight": (outputs, hidden)}
    if shape != "linear":
        shapes = {"mor_router.router.0.weight": (None, hidden), "mor_router.router.2.weight": (outputs, None)}
    if expert and mor.get("expert", {}).get("sampling") == "aux_router":
        shapes["mlp_router.router.weight"] = (1, hidden)
    if not expert and mor.get("token", {}).get("balancing") == "loss_free":
        shapes["router_bias"] = (recursions,)
    return {module + name: Slot(size, module + name) for module in modules for name, size in shapes.items()}


def slots(config: dict, settings: dict) -> dict[str, Slot]:
    """Every name a save of this configuration may have. A name that is its own owner must be there, lm_head aside."""
    vocab, hidden = config["vocab_size"], config["hidden_size"]
    embedding = "model.embed_tokens.weight"
    result = {embedding: Slot((vocab, hidden), embedding), "lm_head.weight": Slot((vocab, hidden), embedding),
              "model.norm.weight": Slot((hidden,), "model.norm.weight")}
    for name, owner in layer_prefixes(config["num_hidden_layers"], settings):
        result |= {name + part: Slot(shape, owner + part) for part, shape in layer_shapes(config).items()}
    return result | router_slots(hidden, settings)
