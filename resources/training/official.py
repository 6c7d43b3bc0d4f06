# SPDX-License-Identifier: Apache-2.0
"""The official checkpoint layout: tensor names, config.json and mor.json of one model, in both directions.

model.py fuses q, k, v and gate, up into one matrix each; the official layout has them apart. Shapes, [out, in]:
q [heads D, H], k and v [kv_heads D, H], gate and up [ffn, H]. Every tensor is stored once: the shared block under
its first owner, the head under the embedding it is tied to.
"""
import torch
from torch import Tensor

from model import Config

EOS, BOS = 2, 1
# Parameters that a layer has in both layouts under different names.
RENAMED = {
    "attention_norm.weight": "input_layernorm.weight",
    "ffn_norm.weight": "post_attention_layernorm.weight",
    "out.weight": "self_attn.o_proj.weight",
    "down.weight": "mlp.down_proj.weight",
}
QKV = [f"self_attn.{x}_proj.weight" for x in "qkv"]
GATE_UP = ["mlp.gate_proj.weight", "mlp.up_proj.weight"]


def layer_prefixes(c: Config) -> dict[str, str]:
    """Prefix in model.py -> official prefix, for every layer that owns weights.

    Without routers a layer is numbered as it is executed. Expert choice has one module per recursion between the first
    layer and the last, token choice one for all recursions."""
    block, last = {"expert": ("1.block.", 1 + c.recursions), "token": ("1.block_list.0.", 2)}.get(c.kind, ("", c.executed - 1))
    layers = {f"block.{i}.": f"model.layers.{block}{i}." if block else f"model.layers.{1 + i}." for i in range(c.block_layers)}
    return {"first.": "model.layers.0.", **layers, "last.": f"model.layers.{last}."}


def router_names(c: Config) -> dict[str, str]:
    """Router parameter in model.py -> official name."""
    modules = {"expert": c.recursions, "token": 1}.get(c.kind, 0)
    names = {f"routers.{r}": f"model.layers.{1 + r}.mor_router.router.weight" for r in range(modules)}
    if c.sampling == "aux_router":
        names |= {f"auxiliary_routers.{r}": f"model.layers.{1 + r}.mlp_router.router.weight" for r in range(modules)}
    return names


def to_official(state: dict[str, Tensor], c: Config) -> dict[str, Tensor]:
    head_dim = c.hidden // c.heads
    result = {"model.embed_tokens.weight": state["embed.weight"], "model.norm.weight": state["norm.weight"]}
    for ours, theirs in layer_prefixes(c).items():
        for a, b in RENAMED.items():
            result[theirs + b] = state[ours + a]
        rows = [c.heads * head_dim, c.kv_heads * head_dim, c.kv_heads * head_dim]
        result |= zip((theirs + name for name in QKV), state[ours + "qkv.weight"].split(rows))
        result |= zip((theirs + name for name in GATE_UP), state[ours + "gate_up.weight"].split(c.ffn))
    result |= {theirs: state[ours] for ours, theirs in router_names(c).items()}
    return {name: tensor.contiguous() for name, tensor in result.items()}


def from_official(tensors: dict[str, Tensor], c: Config) -> dict[str, Tensor]:
    """The inverse of to_official, in float32."""
    tensors = {name: tensor.float() for name, tensor in tensors.items()}
    state = {"embed.weight": tensors["model.embed_tokens.weight"], "norm.weight": tensors["model.norm.weight"]}
    for ours, theirs in layer_prefixes(c).items():
        for a, b in RENAMED.items():
            state[ours + a] = tensors[theirs + b]
        state[ours + "qkv.weight"] = torch.cat([tensors[theirs + name] for name in QKV])
        state[ours + "gate_up.weight"] = torch.cat([tensors[theirs + name] for name in GATE_UP])
    return state | {ours: tensors[theirs] for ours, theirs in router_names(c).items()}


def config_json(c: Config) -> dict:
    routed = c.kind in ("expert", "token")
    return {
        "architectures": ["MoRLlamaForCausalLM" if routed else "LlamaForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": BOS,
        "eos_token_id": EOS,
        "head_dim": c.hidden // c.heads,
        "hidden_act": "silu",
        "hidden_size": c.hidden,
        "initializer_range": 0.02,
        "intermediate_size": c.ffn,
        "max_position_embeddings": c.context,
        "mlp_bias": False,
        "model_type": "llama",
        "num_attention_heads": c.heads,
        "num_hidden_layers": c.executed,
        "num_key_value_heads": c.kv_heads,
        "pretraining_tp": 1,
        "rms_norm_eps": c.norm_eps,
        "rope_scaling": None,
        "rope_theta": c.rope_theta,
        "tie_word_embeddings": True,
        "torch_dtype": "bfloat16",
        "use_cache": True,
        "vocab_size": c.vocab,
    }


def mor_json(c: Config, auxiliary_coefficient: float) -> dict | None:
    """The sections of the official configuration that say how the model computes; None for vanilla, which has none.

    What a kind does not read has the official default."""
    if c.kind == "vanilla":
        return None
    is_expert, is_token = c.kind == "expert", c.kind == "token"
    kv_sharing = {"enable": c.kv_sharing, "base_depth": None, "num_recursion": c.recursions if c.kv_sharing else None,
                  "sharing": "middle_cycle" if c.kv_sharing else None, "update_cache": False}
    expert = {"cap_warmup_step": 0, "router_func": "sigmoid", "alpha": c.alpha if is_expert else 0.1, "sampling": c.sampling,
              "include_first": True, "coeff": auxiliary_coefficient if is_expert else 0.001, "gating": "weighted"}
    token = {"bal_warmup_step": 0, "router_func": "softmax", "alpha": c.alpha if is_token else 1.0, "balancing": "loss",
             "coeff": auxiliary_coefficient if is_token else 0.1, "u": 0.001, "gating": "weighted"}
    return {
        "recursive": {"enable": True, "base_depth": None, "num_recursion": c.recursions, "sharing": "middle_cycle",
                      "ln_share": True, "initialization": None},
        "kv_sharing": kv_sharing,
        "relaxation": {"enable": False},
        "mor": {"enable": is_expert or is_token, "type": "token" if is_token else "expert",
                "capacity": ",".join(map(str, c.capacity)) if is_expert else None, "rand_router": False,
                "router_type": "linear", "z_loss": False, "z_coeff": 0.001, "temp": 1.0, "expert": expert, "token": token},
    }


def config_of_files(config: dict, mor: dict | None) -> Config:
    """What config.json and mor.json of an exported model say, as model.py's configuration."""
    sizes = {"vocab": config["vocab_size"], "context": config["max_position_embeddings"], "hidden": config["hidden_size"],
             "heads": config["num_attention_heads"], "kv_heads": config["num_key_value_heads"],
             "ffn": config["intermediate_size"], "rope_theta": config["rope_theta"], "norm_eps": config["rms_norm_eps"]}
    inner = config["num_hidden_layers"] - 2
    if mor is None:
        return Config(kind="vanilla", block_layers=inner, recursions=1, **sizes)
    if mor["recursive"]["sharing"] != "middle_cycle":
        raise ValueError("mor.json: expected middle_cycle, which is all that model.py computes")
    recursions, routing = mor["recursive"]["num_recursion"], mor["mor"]
    kind = routing["type"] if routing["enable"] else "recursive"
    more = {"kind": kind, "recursions": recursions, "block_layers": inner // recursions,
            "kv_sharing": mor["kv_sharing"]["enable"]}
    if kind == "expert":
        more |= {"sampling": routing["expert"]["sampling"], "alpha": routing["expert"]["alpha"],
                 "capacity": [float(share) for share in routing["capacity"].split(",")]}
    if kind == "token":
        if (routing["token"]["router_func"], routing["token"]["balancing"]) != ("softmax", "loss"):
            raise ValueError("mor.json: expected softmax and a balancing loss, which is all that model.py computes")
        more |= {"alpha": routing["token"]["alpha"]}
    return Config(**more, **sizes)
