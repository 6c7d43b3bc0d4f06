# SPDX-License-Identifier: Apache-2.0
"""A small Mixture-of-Recursions language model with expert-choice routing, for training.

Written from the paper's formulas ("Mixture-of-Recursions", 2025). Shapes: B sequences, T tokens, k tokens taken,
H hidden. Parameter names are the exporter's business (export.py); sharing is MiddleCycle: a first layer, one shared
block of layers applied R times, a last layer.

One recursion r, on the tokens taken in recursion r - 1 (r = 0: all tokens):
    z = router_r(x)                     router logit, float32
    g = alpha * sigmoid(z)              gate
    x <- x + g * Block(x)               for the tokens taken; the others keep their state and go to the last layer
TopK takes the max(1, int(capacity_r * T)) best candidates of the whole sequence; Threshold takes z >= 0, in every
recursion. The auxiliary loss is the binary cross-entropy between z and "was among the best".
"""
import math
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass
class Config:
    vocab: int = 4096
    context: int = 512
    hidden: int = 256
    heads: int = 4
    kv_heads: int = 2
    ffn: int = 704
    block_layers: int = 2              # layers of the shared block
    recursions: int = 3
    capacity: list[float] = field(default_factory=lambda: [1.0, 0.667, 0.333])
    alpha: float = 0.1
    rope_theta: float = 10000.0
    norm_eps: float = 1e-5


@dataclass
class Routing:
    """What the routers did in one forward pass."""
    auxiliary_loss: Tensor             # scalar, summed over recursions
    depth: Tensor                      # [B, T] recursions applied
    agreement: list[Tensor]            # per recursion: share of candidates on which TopK and Threshold agree


class RMSNorm(nn.Module):
    def __init__(self, size: int, eps: float):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x.float(), (x.shape[-1],), self.weight, self.eps)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary embedding of x [B, heads, T, D]; cos and sin [B or 1, 1, T, D]."""
    a, b = x.chunk(2, dim=-1)
    return x * cos.to(x.dtype) + torch.cat((-b, a), dim=-1) * sin.to(x.dtype)


class Layer(nn.Module):
    """A Llama layer: attention and SwiGLU, each with its own residual."""

    def __init__(self, c: Config):
        super().__init__()
        self.c = c
        self.head_dim = c.hidden // c.heads
        self.attention_norm = RMSNorm(c.hidden, c.norm_eps)
        self.ffn_norm = RMSNorm(c.hidden, c.norm_eps)
        self.qkv = nn.Linear(c.hidden, (c.heads + 2 * c.kv_heads) * self.head_dim, bias=False)
        self.out = nn.Linear(c.heads * self.head_dim, c.hidden, bias=False)
        self.gate_up = nn.Linear(c.hidden, 2 * c.ffn, bias=False)
        self.down = nn.Linear(c.ffn, c.hidden, bias=False)

    def forward(self, x: Tensor, rope: tuple[Tensor, Tensor], mask: Tensor | None) -> Tensor:
        """x [B, n, H], tokens in position order. mask [B, 1, n, n] or None for causal over the n tokens."""
        c, (b, n, _) = self.c, x.shape
        h = self.qkv(self.attention_norm(x)).view(b, n, -1, self.head_dim).transpose(1, 2)
        q, k, v = h.split((c.heads, c.kv_heads, c.kv_heads), dim=1)
        q, k = rotate(q, *rope), rotate(k, *rope)
        group = c.heads // c.kv_heads
        k, v = k.repeat_interleave(group, dim=1), v.repeat_interleave(group, dim=1)
        a = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None)
        x = x + self.out(a.transpose(1, 2).reshape(b, n, -1))
        gate, up = self.gate_up(self.ffn_norm(x)).chunk(2, dim=-1)
        return x + self.down(F.silu(gate) * up)


class MoR(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.c = c
        self.embed = nn.Embedding(c.vocab, c.hidden)
        self.first, self.last = Layer(c), Layer(c)
        self.block = nn.ModuleList(Layer(c) for _ in range(c.block_layers))
        self.routers = nn.ParameterList(nn.Parameter(torch.empty(1, c.hidden)) for _ in range(c.recursions))
        self.norm = RMSNorm(c.hidden, c.norm_eps)
        self.initialise()
        head_dim = c.hidden // c.heads
        frequency = c.rope_theta ** -(torch.arange(0, head_dim, 2) / head_dim)
        angle = torch.outer(torch.arange(c.context), frequency).repeat(1, 2)          # [context, head_dim]
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)

    def initialise(self) -> None:
        for parameter in self.parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.02)
        executed = 2 + self.c.block_layers * self.c.recursions
        for layer in (self.first, self.last, *self.block):      # residual branches shrink with the layers executed
            for linear in (layer.out, layer.down):
                nn.init.normal_(linear.weight, std=0.02 / math.sqrt(2 * executed))

    def forward(self, ids: Tensor, rule: str = "topk") -> tuple[Tensor, Routing]:
        """ids [B, T] -> logits [B, T, vocab] float32 and what the routers did. rule: "topk" or "threshold"."""
        t = ids.shape[1]
        rope = (self.cos[None, None, :t], self.sin[None, None, :t])
        x = self.first(self.embed(ids), rope, None)
        x, routing = (self.topk if rule == "topk" else self.threshold)(x, rope)
        x = self.norm(self.last(x, rope, None))
        return F.linear(x, self.embed.weight).float(), routing

    def router_logits(self, r: int, x: Tensor) -> Tensor:
        with torch.autocast("cpu", enabled=False):              # decisions are made in float32
            return F.linear(x.float(), self.routers[r]).squeeze(-1)

    def apply_block(self, x: Tensor, rope: tuple[Tensor, Tensor], mask: Tensor | None) -> Tensor:
        for layer in self.block:
            x = layer(x, rope, mask)
        return x

    def topk(self, x: Tensor, rope: tuple[Tensor, Tensor]) -> tuple[Tensor, Routing]:
        c, (b, t, h) = self.c, x.shape
        taken = torch.arange(t).expand(b, t)                    # positions of the candidates, ascending
        depth = torch.zeros(b, t, dtype=torch.long)
        loss, agreement = x.new_zeros((), dtype=torch.float32), []
        for r in range(c.recursions):
            candidates = x if r == 0 else x.gather(1, taken[..., None].expand(-1, -1, h))
            z = self.router_logits(r, candidates)               # [B, candidates]
            k = min(z.shape[1], max(1, int(c.capacity[r] * t)))
            best = z.topk(k, dim=1).indices.sort(dim=1).values
            target = torch.zeros_like(z).scatter_(1, best, 1.0)
            loss = loss + F.binary_cross_entropy_with_logits(z, target)
            agreement.append(((z >= 0) == (target > 0)).float().mean().detach())
            taken = taken.gather(1, best)
            depth.scatter_(1, taken, r + 1)
            gate = (c.alpha * torch.sigmoid(z.gather(1, best)))[..., None]
            if k == t:
                x = x + gate * self.apply_block(x, rope, None)
                continue
            index = taken[..., None].expand(-1, -1, h)
            own = tuple(a[0, 0][taken][:, None] for a in rope)  # [B, 1, k, D]: each token's own position
            x = x.scatter_add(1, index, gate * self.apply_block(x.gather(1, index), own, None))
        return x, Routing(loss, depth, agreement)

    def threshold(self, x: Tensor, rope: tuple[Tensor, Tensor]) -> tuple[Tensor, Routing]:
        """Dense with masks: every token is computed and those not taken are thrown away. Evaluation only."""
        c, (b, t, _) = self.c, x.shape
        causal = torch.ones(t, t, dtype=torch.bool).tril()
        diagonal = torch.eye(t, dtype=torch.bool)               # keeps the softmax of dropped rows defined
        active = torch.ones(b, t, dtype=torch.bool)
        depth = torch.zeros(b, t, dtype=torch.long)
        for r in range(c.recursions):
            z = self.router_logits(r, x)
            active = active & (z >= 0)
            mask = ((causal & active[:, None, :]) | diagonal)[:, None]
            gate = (c.alpha * torch.sigmoid(z) * active)[..., None]
            x = x + gate * self.apply_block(x, rope, mask)
            depth = depth + active
        return x, Routing(x.new_zeros(()), depth, [])
