# SPDX-License-Identifier: Apache-2.0
"""What a Llama GGUF holds, in Hugging Face's words: configuration and tensor names, shapes and row order.

Everything that is not known here is refused, because ignoring it could change what the model computes.
"""
import re
from dataclasses import dataclass

import numpy as np

LAYER_TENSORS = {
    "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}
TOP_TENSORS = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}
ARCHITECTURE_KEYS = {
    "block_count", "context_length", "embedding_length", "feed_forward_length", "attention.head_count",
    "attention.head_count_kv", "attention.key_length", "attention.value_length", "attention.layer_norm_rms_epsilon",
    "rope.freq_base", "rope.dimension_count", "vocab_size",
}
# These describe the file and change nothing.
OTHER_KEYS = re.compile(r"GGUF\..*|general\.(?!architecture$).*|general\.architecture|tokenizer\..*|quantize\.imatrix\..*")


class Refused(Exception):
    """The file is not what this importer understands."""


def expect(condition: bool, what: str, expected, got) -> None:
    if not condition:
        raise Refused(f"{what}: expected {expected}, got {got}")


@dataclass(frozen=True)
class Llama:
    layers: int
    hidden: int
    ffn: int
    heads: int
    kv_heads: int
    head_dim: int
    vocab: int
    context: int
    rms_norm_eps: float
    rope_theta: float


def read_architecture(values: dict) -> Llama:
    """`values`: every key of the file with its value."""
    architecture = values.get("general.architecture")
    expect(architecture == "llama", "general.architecture", "llama", architecture)
    for key in values:
        known = key.removeprefix("llama.") in ARCHITECTURE_KEYS if key.startswith("llama.") else OTHER_KEYS.fullmatch(key)
        expect(bool(known), key, "no key of this name (it is not understood)", values[key])

    def number(key: str, default=None):
        value = values.get("llama." + key, default)
        expect(isinstance(value, (int, float)) and value > 0, "llama." + key, "a number above 0", value)
        return value

    hidden, heads = number("embedding_length"), number("attention.head_count")
    kv_heads = number("attention.head_count_kv", heads)
    expect(hidden % heads == 0, "llama.embedding_length", f"a multiple of {heads} heads", hidden)
    expect(heads % kv_heads == 0, "llama.attention.head_count_kv", f"a divisor of {heads} heads", kv_heads)
    head_dim = number("attention.key_length", hidden // heads)
    for key in ("attention.value_length", "rope.dimension_count"):
        expect(number(key, head_dim) == head_dim, "llama." + key, f"the head's size {head_dim}", number(key, head_dim))
    tokens = len(values["tokenizer.ggml.tokens"])
    expect(number("vocab_size", tokens) == tokens, "llama.vocab_size", f"{tokens}, the number of tokens", values.get("llama.vocab_size"))
    return Llama(
        layers=number("block_count"), hidden=hidden, ffn=number("feed_forward_length"), heads=heads, kv_heads=kv_heads,
        head_dim=head_dim, vocab=tokens, context=number("context_length"),
        # stored as float32: 1e-5 comes back as 9.999999747378752e-06
        rms_norm_eps=float(f"{number('attention.layer_norm_rms_epsilon'):.6g}"), rope_theta=number("rope.freq_base", 10000.0))


def expected_shapes(c: Llama) -> dict[str, tuple[int, ...]]:
    """Hugging Face names -> shapes, without lm_head, which a tied model does not have."""
    q, kv = c.heads * c.head_dim, c.kv_heads * c.head_dim
    layer = {
        "input_layernorm": (c.hidden,), "post_attention_layernorm": (c.hidden,),
        "self_attn.q_proj": (q, c.hidden), "self_attn.k_proj": (kv, c.hidden), "self_attn.v_proj": (kv, c.hidden),
        "self_attn.o_proj": (c.hidden, q), "mlp.gate_proj": (c.ffn, c.hidden), "mlp.up_proj": (c.ffn, c.hidden),
        "mlp.down_proj": (c.hidden, c.ffn),
    }
    shapes = {f"model.layers.{i}.{name}.weight": shape for i in range(c.layers) for name, shape in layer.items()}
    return shapes | {"model.embed_tokens.weight": (c.vocab, c.hidden), "model.norm.weight": (c.hidden,)}


def hugging_face_name(name: str) -> str:
    if name in TOP_TENSORS:
        return TOP_TENSORS[name]
    match = re.fullmatch(r"blk\.(\d+)\.(\w+)\.weight", name)
    expect(match is not None and match[2] in LAYER_TENSORS, f"tensor {name}", "a tensor of a Llama", "an unknown name")
    return f"model.layers.{match[1]}.{LAYER_TENSORS[match[2]]}.weight"


def unpermute(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows of q or k in Hugging Face's order.

    GGUF stores the two numbers that a rotary position turns next to each other (0, 1, 2, ...); Hugging Face pairs row i
    with row i + head_dim / 2. Left as it is, the model still writes text, at twice the perplexity.
    """
    rows, columns = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def in_hugging_face_order(name: str, weight: np.ndarray, c: Llama) -> np.ndarray:
    if name.endswith("q_proj.weight"):
        return unpermute(weight, c.heads)
    if name.endswith("k_proj.weight"):
        return unpermute(weight, c.kv_heads)
    return weight


def config_json(c: Llama, values: dict, tied: bool) -> dict:
    special = {f"{name}_token_id": values.get(f"tokenizer.ggml.{key}_token_id")
               for name, key in (("bos", "bos"), ("eos", "eos"), ("pad", "padding"))}
    return {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": c.vocab, "hidden_size": c.hidden,
        "intermediate_size": c.ffn, "num_hidden_layers": c.layers, "num_attention_heads": c.heads,
        "num_key_value_heads": c.kv_heads, "head_dim": c.head_dim, "hidden_act": "silu",
        "max_position_embeddings": c.context, "rms_norm_eps": c.rms_norm_eps, "rope_theta": c.rope_theta,
        "rope_scaling": None, "attention_bias": False, "mlp_bias": False, "tie_word_embeddings": tied,
        "torch_dtype": "bfloat16", "use_cache": True, **special,
    }
