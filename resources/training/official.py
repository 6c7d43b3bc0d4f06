# SPDX-License-Identifier: Apache-2.0
"""The official checkpoint layout: tensor names, config.json and mor.json of one model, in both directions.

model.py fuses q, k, v and gate, up into one matrix each; the official layout has them apart. Shapes, [out, in]:
q [heads D, H], k and v [kv_heads D, H], gate and up [ffn, H]. Every tensor is stored once: the shared block under
the first recursion's module, the head under the embedding it is tied to.
"""
from dataclasses import asdict

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
    """Prefix in model.py -> official prefix, for every layer that owns weights (MiddleCycle)."""
    block = {f"block.{i}.": f"model.layers.1.block.{i}." for i in range(c.block_layers)}
    return {"first.": "model.layers.0.", **block, "last.": f"model.layers.{1 + c.recursions}."}


def router_name(r: int) -> str:
    return f"model.layers.{1 + r}.mor_router.router.weight"


def to_official(state: dict[str, Tensor], c: Config) -> dict[str, Tensor]:
    head_dim = c.hidden // c.heads
    result = {"model.embed_tokens.weight": state["embed.weight"], "model.norm.weight": state["norm.weight"]}
    for ours, theirs in layer_prefixes(c).items():
        for a, b in RENAMED.items():
            result[theirs + b] = state[ours + a]
        rows = [c.heads * head_dim, c.kv_heads * head_dim, c.kv_heads * head_dim]
        result |= zip((theirs + name for name in QKV), state[ours + "qkv.weight"].split(rows))
        result |= zip((theirs + name for name in GATE_UP), state[ours + "gate_up.weight"].split(c.ffn))
    for r in range(c.recursions):
        result[router_name(r)] = state[f"routers.{r}"]
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
    for r in range(c.recursions):
        state[f"routers.{r}"] = tensors[router_name(r)]
    return state


def config_json(c: Config) -> dict:
    return {
        "architectures": ["MoRLlamaForCausalLM"],
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
        "num_hidden_layers": 2 + c.block_layers * c.recursions,
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


def mor_json(c: Config, auxiliary_coefficient: float) -> dict:
    """The sections of the official configuration that say how the model computes."""
    no_sharing = {"enable": False, "base_depth": None, "num_recursion": None, "sharing": None, "update_cache": False}
    expert = {"cap_warmup_step": 0, "router_func": "sigmoid", "alpha": c.alpha, "sampling": "aux_loss",
              "include_first": True, "coeff": auxiliary_coefficient, "gating": "weighted"}
    token = {"bal_warmup_step": 0, "router_func": "softmax", "alpha": 1.0, "balancing": "loss", "coeff": 0.1, "u": 0.001,
             "gating": "weighted"}             # the official defaults; expert choice reads none of them
    return {
        "recursive": {"enable": True, "base_depth": None, "num_recursion": c.recursions, "sharing": "middle_cycle",
                      "ln_share": True, "initialization": None},
        "kv_sharing": no_sharing,
        "relaxation": {"enable": False},
        "mor": {"enable": True, "type": "expert", "capacity": ",".join(map(str, c.capacity)), "rand_router": False,
                "router_type": "linear", "z_loss": False, "z_coeff": 0.001, "temp": 1.0, "expert": expert, "token": token},
    }


def config_of_files(config: dict, mor: dict) -> Config:
    """What config.json and mor.json of an exported model say, as model.py's configuration."""
    recursions = mor["recursive"]["num_recursion"]
    expert = mor["mor"]["expert"]
    if (mor["recursive"]["sharing"], mor["mor"]["type"], expert["sampling"]) != ("middle_cycle", "expert", "aux_loss"):
        raise ValueError("mor.json: expected middle_cycle, expert and aux_loss, which is all that model.py computes")
    return Config(
        vocab=config["vocab_size"], context=config["max_position_embeddings"], hidden=config["hidden_size"],
        heads=config["num_attention_heads"], kv_heads=config["num_key_value_heads"], ffn=config["intermediate_size"],
        block_layers=(config["num_hidden_layers"] - 2) // recursions, recursions=recursions,
        capacity=[float(share) for share in mor["mor"]["capacity"].split(",")], alpha=expert["alpha"],
        rope_theta=config["rope_theta"], norm_eps=config["rms_norm_eps"])


def parameters(state: dict[str, Tensor], c: Config) -> tuple[int, int]:
    """Unique parameters, and effective ones: the shared block counted once per recursion."""
    unique = sum(tensor.numel() for tensor in state.values())
    shared = sum(tensor.numel() for name, tensor in state.items() if name.startswith("block."))
    return unique, unique + (c.recursions - 1) * shared
