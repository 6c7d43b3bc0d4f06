# SPDX-License-Identifier: Apache-2.0
"""What a Mixture-of-Recursions checkpoint computes, as plainly as PyTorch can say it (float32, one text).

There is no cache and no decoding step: the whole text goes through the model at once and causality comes from masks.
The engine does the opposite, token by token with caches, so agreement between the two means something. Formulas as in
reference/README.md. Needs torch and safetensors; `make_vectors.py --check` compares it with the reference vectors.

Shapes: T tokens, H hidden, R recursions, V vocabulary, n rows of some tokens.
"""
import json
import math
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file


@dataclass
class Routed:
    """What the router of one recursion saw and chose (expert choice)."""

    candidates: torch.Tensor  # [n] positions offered
    logits: torch.Tensor  # [n] raw router output
    aux_logits: torch.Tensor | None  # [n] auxiliary router, if there is one
    selected: torch.Tensor  # [k] positions taken, ascending
    weights: torch.Tensor  # [k] factor on the block's output
    margin: float  # distance of the closest decision from going the other way, in the logit


@dataclass
class Result:
    logits: torch.Tensor = None  # [T, V]
    embed: torch.Tensor = None  # [T, H]
    final: torch.Tensor = None  # [T, H] before the last norm
    final_norm: torch.Tensor = None  # [T, H]
    first: torch.Tensor = None  # [T, H] after the own first layer, where there is one
    states: list = field(default_factory=list)  # R x [T, H] after each recursion; token choice: ungated block state
    combined: torch.Tensor = None  # [T, H] token choice: after the gated sum
    expert: list = field(default_factory=list)  # R x Routed
    token_logits: torch.Tensor = None  # [T, R] token choice
    depth: torch.Tensor = None  # [T] recursions applied, for routed models
    token_weights: torch.Tensor = None  # [T] token choice: factor on the block's output
    token_margin: float = math.inf  # best minus second-best depth, in probability / alpha


def layer_owners(layers, sharing, recursions):
    """For every executed layer: (layer that owns its weights, recursion or None)."""
    if sharing is None:
        return [(i, None) for i in range(layers)]
    own = 1 if sharing.startswith("middle_") else 0
    depth = (layers - 2 * own) // recursions
    plan = [(0, None)] * own
    for j in range(depth * recursions):
        if sharing.endswith("cycle"):  # a b | a b | a b
            plan.append((own + j % depth, j // depth))
        else:  # a a a | b b b
            plan.append((own + j // recursions * recursions, j % recursions))
    return plan + [(layers - 1, None)] * own


class Reference:
    def __init__(self, directory):
        directory = Path(directory)
        self.config = c = json.loads((directory / "config.json").read_text())
        mor_file = directory / "mor.json"
        mor = json.loads(mor_file.read_text()) if mor_file.exists() else None
        self.tensors = {k: v.float() for k, v in load_file(directory / "model.safetensors").items()}
        self.heads, self.kv_heads = c["num_attention_heads"], c["num_key_value_heads"]
        self.head_dim = c.get("head_dim") or c["hidden_size"] // self.heads
        self.eps = c["rms_norm_eps"]
        half = torch.arange(0, self.head_dim, 2, dtype=torch.float32)
        self.inv_freq = 1.0 / (c["rope_theta"] ** (half / self.head_dim))
        recursive = mor["recursive"] if mor else {"enable": False}
        self.sharing = recursive["sharing"] if recursive["enable"] else None
        self.R = recursive["num_recursion"] if self.sharing else 0
        self.mor = mor["mor"] if mor and mor["mor"]["enable"] else None
        self.kv_sharing = bool(mor and mor["kv_sharing"]["enable"])
        self.own = 1 if self.sharing and self.sharing.startswith("middle_") else 0
        if self.R:
            self.block_layers = (c["num_hidden_layers"] - 2 * self.own) // self.R
        if self.mor and self.mor["type"] == "expert":
            shares = self.mor.get("capacity")
            self.capacity = ([float(s) for s in shares.split(",")] if shares
                             else [(self.R - r) / self.R for r in range(self.R)])

    # ------------------------------------------------------------------------------------------------ weights
    def tensor(self, *names):
        """The first of the names that the file holds; a shared tensor may be stored under its owner's name only."""
        for name in names:
            if name in self.tensors:
                return self.tensors[name]
        raise KeyError(names)

    def block_prefixes(self, recursion, layer):
        """Where layer `layer` of the shared block may be stored for this recursion, in order of preference."""
        first = self.own
        if self.mor["type"] == "expert":
            return [f"model.layers.{first + r}.block.{layer}." for r in (recursion, 0)]
        return [f"model.layers.{first}.block_list.{r}.{layer}." for r in (recursion, 0)]

    def last_prefix(self):
        return f"model.layers.{self.own + (self.R if self.mor['type'] == 'expert' else 1)}."

    def route(self, prefix, x):
        """Router logits [n, outputs] of states [n, H]."""
        if prefix + "router.weight" in self.tensors:
            return x @ self.tensor(prefix + "router.weight").T
        inner = F.gelu(x @ self.tensor(prefix + "router.0.weight").T)  # the exact GELU
        return inner @ self.tensor(prefix + "router.2.weight").T

    # ------------------------------------------------------------------------------------------------ one layer
    def norm(self, x, weight):
        return weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps))

    def rotate(self, x, positions):
        """RoPE on [n, heads, head_dim], pairs (i, i + head_dim / 2)."""
        angles = positions[:, None].float() * self.inv_freq
        cos, sin = (torch.cat([f(angles)] * 2, -1)[:, None] for f in (torch.cos, torch.sin))
        a, b = x.chunk(2, -1)
        return x * cos + torch.cat([-b, a], -1) * sin

    def layer(self, prefixes, x, positions, kv=None):
        """x [n, H] at `positions`. kv: (K, V, their positions) to attend to instead of the rows' own.
        Returns the output and (K, V, positions)."""
        w = lambda name: self.tensor(*[p + name + ".weight" for p in prefixes])
        n = x.shape[0]
        h = self.norm(x, w("input_layernorm"))
        q = self.rotate((h @ w("self_attn.q_proj").T).view(n, self.heads, self.head_dim), positions)
        if kv is None:
            k = self.rotate((h @ w("self_attn.k_proj").T).view(n, self.kv_heads, self.head_dim), positions)
            kv = (k, (h @ w("self_attn.v_proj").T).view(n, self.kv_heads, self.head_dim), positions)
        k, v = (t.repeat_interleave(self.heads // self.kv_heads, dim=1) for t in kv[:2])
        scores = torch.einsum("qhd,khd->hqk", q, k) / math.sqrt(self.head_dim)
        scores = scores.masked_fill(kv[2][None, None, :] > positions[None, :, None], -math.inf)
        x = x + torch.einsum("hqk,khd->qhd", scores.softmax(-1), v).reshape(n, -1) @ w("self_attn.o_proj").T
        h = self.norm(x, w("post_attention_layernorm"))
        gated = F.silu(h @ w("mlp.gate_proj").T) * (h @ w("mlp.up_proj").T)
        return x + gated @ w("mlp.down_proj").T, kv

    # ------------------------------------------------------------------------------------------------ the model
    @torch.no_grad()
    def forward(self, ids, rule):
        """rule: "topk" or "threshold"; only expert choice knows the difference."""
        out = Result()
        x = out.embed = self.tensor("model.embed_tokens.weight")[torch.as_tensor(ids)]
        positions = torch.arange(len(ids))
        if self.mor is None:
            x = self.unrouted(x, positions, out)
        else:
            if self.own:
                x, _ = self.layer(["model.layers.0."], x, positions)
                out.first = x
            x = (self.expert if self.mor["type"] == "expert" else self.token)(x, positions, rule, out)
            if self.own:
                x, _ = self.layer([self.last_prefix()], x, positions)
        out.final, out.final_norm = x, self.norm(x, self.tensor("model.norm.weight"))
        out.logits = out.final_norm @ self.tensor("lm_head.weight", "model.embed_tokens.weight").T
        return out

    def unrouted(self, x, positions, out):
        owners = layer_owners(self.config["num_hidden_layers"], self.sharing, self.R)
        stored = {}  # owner -> K, V of recursion 0
        ends_recursion = self.sharing is not None and self.sharing.endswith("cycle")
        for i, (owner, recursion) in enumerate(owners):
            shared = stored.get(owner) if self.kv_sharing and recursion not in (None, 0) else None
            x, kv = self.layer([f"model.layers.{i}.", f"model.layers.{owner}."], x, positions, shared)
            stored.setdefault(owner, kv)
            if ends_recursion and recursion is not None and (i + 1 == len(owners) or owners[i + 1][1] != recursion):
                out.states.append(x)
        return x

    def block(self, recursion, x, positions, shared):
        """The shared block over some rows. `shared` holds recursion 0's K/V by layer, under KV sharing."""
        for layer in range(self.block_layers):
            x, kv = self.layer(self.block_prefixes(recursion, layer), x, positions, shared.get(layer))
            if self.kv_sharing:
                shared[layer] = kv
        return x

    def gate(self, z):
        expert = self.mor["expert"]
        if expert.get("gating", "weighted") != "weighted":
            return torch.ones_like(z)
        function = expert["router_func"]
        return z if function is None else expert["alpha"] * {"sigmoid": torch.sigmoid, "tanh": torch.tanh}[function](z)

    def select(self, rule, recursion, deciding, z, tokens):
        """Which candidates are taken [n], and the smallest margin of it."""
        if rule == "threshold":
            return deciding >= 0, float(deciding.abs().min())
        k = min(len(z), max(1, int(self.capacity[recursion] * tokens)))
        order = torch.argsort(z, descending=True, stable=True)
        taken = torch.zeros(len(z), dtype=torch.bool)
        taken[order[:k]] = True
        return taken, float(z[order[k - 1]] - z[order[k]]) if k < len(z) else math.inf

    def expert(self, x, positions, rule, out):
        candidates, shared, tokens = positions, {}, len(positions)
        out.depth = torch.zeros(tokens, dtype=torch.long)
        for r in range(self.R):
            prefix = f"model.layers.{self.own + r}."
            z = self.route(prefix + "mor_router.", x[candidates] / self.mor["temp"])[:, 0]
            aux = None
            if self.mor["expert"]["sampling"] == "aux_router":
                aux = self.route(prefix + "mlp_router.", x[candidates])[:, 0]
            if len(candidates) == 0:
                taken, margin = torch.zeros(0, dtype=torch.bool), math.inf
            else:
                taken, margin = self.select(rule, r, z if aux is None else aux, z, tokens)
            selected, gates = candidates[taken], self.gate(z[taken])
            everyone = self.kv_sharing and r == 0  # K/V of every token are kept, outputs of tokens that leave are not
            rows = positions if everyone else selected
            if len(rows):
                y = self.block(r, x[rows], rows, shared)
                x = x.clone()
                x[selected] += gates[:, None] * (y[selected] if everyone else y)
            out.states.append(x)
            out.expert.append(Routed(candidates, z, aux, selected, gates, margin))
            out.depth[selected] = r + 1
            candidates = selected
        return x

    def token(self, x, positions, rule, out):
        token, prefix = self.mor["token"], f"model.layers.{self.own}."
        z = self.route(prefix + "mor_router.", x / self.mor["temp"])
        sigmoid = token.get("router_func") == "sigmoid"
        alpha = token.get("alpha") or (0.1 if sigmoid else 1.0)
        p = alpha * (torch.sigmoid(z) if sigmoid else z.softmax(-1))
        choice = p + self.tensor(prefix + "router_bias") if token.get("balancing") == "loss_free" else p
        last = choice.argmax(-1)  # zero-based: depth - 1
        best = choice.sort(-1, descending=True).values
        if self.R > 1:
            out.token_margin = float(((best[:, 0] - best[:, 1]) / alpha).min())
        out.token_logits, out.depth = z, last + 1
        gates = p.gather(1, last[:, None])[:, 0]
        out.token_weights = gates if token.get("gating", "weighted") == "weighted" else torch.ones_like(gates)
        y, shared = x.clone(), {}
        for r in range(self.R):
            rows = positions[out.depth > r]
            if len(rows):
                y = y.clone()
                y[rows] = self.block(r, y[rows], rows, shared)
            out.states.append(y)
        out.combined = x + out.token_weights[:, None] * y
        return out.combined
