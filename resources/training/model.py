# SPDX-License-Identifier: Apache-2.0
"""A small Mixture-of-Recursions language model and its relatives, for training.

Written from the paper's formulas ("Mixture-of-Recursions", 2025). Shapes: B sequences, T tokens, k tokens taken,
H hidden, R recursions. Every kind has a first layer, something in the middle, and a last layer:

vanilla     block_layers layers of its own, executed once.
recursive   one shared block of block_layers layers, executed R times on every token.
expert      recursion r looks at the tokens taken in recursion r - 1 (r = 0: all tokens):
                z = router_r(x)                   router logit, float32
                g = alpha * sigmoid(z)            gate
                x <- x + g * Block(x)             for the tokens taken; the others keep their state and go to the last layer
            TopK takes the max(1, int(capacity_r * T)) best candidates of the whole sequence; Threshold takes s >= 0 in every
            recursion, where s is z (sampling "aux_loss") or the logit of a second router ("aux_router"). The auxiliary
            loss is the binary cross-entropy between s and "was among the best".
token       the router decides once: p = alpha * softmax(router(x)), d = argmax p; y = Block applied d + 1 times without
            skip or gate in between; x <- x + p_d * y. The auxiliary loss, R * sum(share_d * mean p_d / alpha), is
            smallest when all depths are equally frequent.

Attention in recursion r is among the tokens taken there. With kv_sharing it is over the keys and values of recursion 0,
where every token has some, up to the token's own position.
"""
import math
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

ATTENTION_ROWS = 128                   # query rows computed at once
PADDING = 128                      # token choice: rows of a recursion are rounded up to a multiple of this


@dataclass
class Config:
    kind: str = "expert"               # vanilla, recursive, expert or token
    vocab: int = 4096
    context: int = 512
    hidden: int = 256
    heads: int = 4
    kv_heads: int = 2
    ffn: int = 704
    block_layers: int = 2              # layers between the first and the last; the shared block's, where it is shared
    recursions: int = 3                # 1 for vanilla
    kv_sharing: bool = False
    sampling: str = "aux_loss"         # expert choice: aux_loss or aux_router
    capacity: list[float] = field(default_factory=lambda: [1.0, 0.667, 0.333])
    alpha: float = 0.1
    rope_theta: float = 10000.0
    norm_eps: float = 1e-5

    @property
    def executed(self) -> int:
        """Layers that a token of full depth goes through."""
        return 2 + self.block_layers * self.recursions


@dataclass
class Routing:
    """What the routers did in one forward pass."""
    auxiliary_loss: Tensor             # scalar, summed over recursions
    depth: Tensor                      # [B, T] recursions applied
    agreement: list[Tensor] = field(default_factory=list)  # TopK, per recursion: share of candidates decided as by Threshold


class RMSNorm(nn.Module):
    def __init__(self, size: int, eps: float):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x.float(), (x.shape[-1],), self.weight, self.eps)


Rope = tuple[Tensor, Tensor]           # cos and sin, [B or 1, 1, T, D]


def rotate(x: Tensor, rope: Rope) -> Tensor:
    """Rotary embedding of x [B, heads, T, D]."""
    a, b = x.chunk(2, dim=-1)
    return x * rope[0].to(x.dtype) + torch.cat((-b, a), dim=-1) * rope[1].to(x.dtype)


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    """q [B, heads, n, D]; k, v [B, heads, m, D]; mask [B or 1, 1, n, m] of what is seen, or None for causal (n = m).

    On a CPU a few query rows at a time with plain products: in bf16 twice as fast as PyTorch's own kernel, because
    what lies above the diagonal is hardly computed."""
    if q.is_cuda:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None)
    parts, n = [], q.shape[2]
    for at in range(0, n, ATTENTION_ROWS):
        end = min(at + ATTENTION_ROWS, n)
        seen = k.shape[2] if mask is not None else end
        hidden = ~mask[:, :, at:end] if mask is not None else torch.ones(end - at, end, dtype=torch.bool).triu(at + 1)
        score = (q[:, :, at:end] @ k[:, :, :seen].transpose(-1, -2)).float() / math.sqrt(q.shape[-1])
        parts.append(score.masked_fill(hidden, -torch.inf).softmax(-1).to(v.dtype) @ v[:, :, :seen])
    return torch.cat(parts, dim=2)


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

    def project(self, x: Tensor, rope: Rope, kv: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor, Tensor]:
        """q [B, heads, n, D] rotated; k and v [B, kv_heads, m, D]: those given, or x's own with k rotated."""
        c, h = self.c, self.attention_norm(x)
        if kv is not None:
            q = F.linear(h, self.qkv.weight[:c.heads * self.head_dim]).unflatten(-1, (-1, self.head_dim)).transpose(1, 2)
            return rotate(q, rope), *kv
        q, k, v = self.qkv(h).unflatten(-1, (-1, self.head_dim)).transpose(1, 2).split((c.heads, c.kv_heads, c.kv_heads), dim=1)
        return rotate(q, rope), rotate(k, rope), v

    def forward(self, x: Tensor, rope: Rope, mask: Tensor | None = None,
                kv: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """x [B, n, H] in position order -> x [B, n, H] and the k and v used. mask [B, 1, n, m]; None is causal over x."""
        q, k, v = self.project(x, rope, kv)
        group = self.c.heads // self.c.kv_heads
        a = attention(q, k.repeat_interleave(group, dim=1), v.repeat_interleave(group, dim=1), mask)
        x = x + self.out(a.transpose(1, 2).flatten(2))
        gate, up = self.gate_up(self.ffn_norm(x)).chunk(2, dim=-1)
        return x + self.down(F.silu(gate) * up), (k, v)


def rows(x: Tensor, index: Tensor) -> Tensor:
    """x [B, T, H] at index [B, k] -> [B, k, H]."""
    return x.gather(1, index[..., None].expand(-1, -1, x.shape[-1]))


class MoR(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.c = c
        self.embed = nn.Embedding(c.vocab, c.hidden)
        self.first, self.last = Layer(c), Layer(c)
        self.block = nn.ModuleList(Layer(c) for _ in range(c.block_layers))
        self.norm = RMSNorm(c.hidden, c.norm_eps)
        one_each = [1] * c.recursions if c.kind == "expert" else []
        shapes = [c.recursions] if c.kind == "token" else one_each
        self.routers = nn.ParameterList(nn.Parameter(torch.empty(n, c.hidden)) for n in shapes)
        shapes = one_each if c.sampling == "aux_router" else []
        self.auxiliary_routers = nn.ParameterList(nn.Parameter(torch.empty(n, c.hidden)) for n in shapes)
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
        for layer in (self.first, self.last, *self.block):      # residual branches shrink with the layers executed
            for linear in (layer.out, layer.down):
                nn.init.normal_(linear.weight, std=0.02 / math.sqrt(2 * self.c.executed))

    def forward(self, ids: Tensor, rule: str = "topk", forced: int | None = None) -> tuple[Tensor, Routing]:
        """ids [B, T] -> logits [B, T, vocab] float32 and what the routers did. rule, for expert choice only: "topk" or
        "threshold". forced, not under TopK: every token gets that many recursions; it replaces the decision, never the gate."""
        rope = self.rope(torch.arange(ids.shape[1], device=ids.device)[None])
        x, _ = self.first(self.embed(ids), rope)
        if self.c.kind == "expert":
            x, routing = self.topk(x, rope) if rule == "topk" else self.threshold(x, rope, forced)
        elif self.c.kind == "token":
            x, routing = self.token_choice(x, rope, forced)
        else:
            x, routing = self.unrouted(x, rope)
        x = self.norm(self.last(x, rope)[0])
        return F.linear(x, self.embed.weight).float(), routing

    def rope(self, positions: Tensor) -> Rope:
        """positions [B, n] -> cos and sin [B, 1, n, D]."""
        return self.cos[positions][:, None], self.sin[positions][:, None]

    def router_logits(self, weight: Tensor, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):      # decisions are made in float32
            return F.linear(x.float(), weight)

    def apply_block(self, x: Tensor, rope: Rope, mask: Tensor | None = None, shared: list | None = None) -> tuple[Tensor, list]:
        """The block once; shared: per layer the k and v of recursion 0, to be read instead of x's own."""
        used = []
        for i, layer in enumerate(self.block):
            x, kv = layer(x, rope, mask, shared[i] if shared else None)
            used.append(kv)
        return x, used

    def unrouted(self, x: Tensor, rope: Rope) -> tuple[Tensor, Routing]:
        c, shared = self.c, None
        for _ in range(c.recursions):
            x, kv = self.apply_block(x, rope, None, shared)
            shared = kv if c.kv_sharing else None
        depth = torch.full(x.shape[:2], c.recursions if c.kind == "recursive" else 0, device=x.device)
        return x, Routing(x.new_zeros((), dtype=torch.float32), depth)

    def topk(self, x: Tensor, rope: Rope) -> tuple[Tensor, Routing]:
        c, (b, t, _) = self.c, x.shape
        positions = torch.arange(t, device=x.device)
        taken = positions.expand(b, t)                          # positions of the candidates, ascending
        depth = torch.zeros_like(taken)
        loss, agreement, shared = x.new_zeros((), dtype=torch.float32), [], None
        for r in range(c.recursions):
            candidates = x if r == 0 else rows(x, taken)
            z = self.router_logits(self.routers[r], candidates)[..., 0]                       # [B, candidates]
            score = z if c.sampling == "aux_loss" else self.router_logits(self.auxiliary_routers[r], candidates.detach())[..., 0]
            k = min(z.shape[1], max(1, int(c.capacity[r] * t)))
            best = z.topk(k, dim=1).indices.sort(dim=1).values
            target = torch.zeros_like(z).scatter_(1, best, 1.0)
            loss = loss + F.binary_cross_entropy_with_logits(score, target)
            agreement.append(((score >= 0) == (target > 0)).float().mean().detach())
            taken = taken.gather(1, best)
            depth = depth.scatter(1, taken, r + 1)
            gate = (c.alpha * torch.sigmoid(z.gather(1, best)))[..., None]
            if r == 0 and (c.kv_sharing or k == t):             # every token runs: it is taken, or its k and v are needed
                y, shared = self.apply_block(x, rope)
                y = y if k == t else rows(y, taken)
            else:
                mask = (taken[:, :, None] >= positions)[:, None] if c.kv_sharing else None    # [B, 1, k, T]
                y, _ = self.apply_block(rows(x, taken), self.rope(taken), mask, shared if c.kv_sharing else None)
            x = x + gate * y if k == t else x.scatter_add(1, taken[..., None].expand_as(y), gate * y)
        return x, Routing(loss, depth, agreement)

    def threshold(self, x: Tensor, rope: Rope, forced: int | None) -> tuple[Tensor, Routing]:
        """Dense with masks: every token is computed and those not taken are thrown away. Evaluation only."""
        c, (b, t, _) = self.c, x.shape
        causal = torch.ones(t, t, dtype=torch.bool, device=x.device).tril()
        diagonal = torch.eye(t, dtype=torch.bool, device=x.device)         # keeps the softmax of dropped rows defined
        active = torch.ones(b, t, dtype=torch.bool, device=x.device)
        depth, shared = torch.zeros(b, t, dtype=torch.long, device=x.device), None
        for r in range(c.recursions):
            z = self.router_logits(self.routers[r], x)[..., 0]
            score = z if c.sampling == "aux_loss" else self.router_logits(self.auxiliary_routers[r], x)[..., 0]
            active = active & (score >= 0 if forced is None else r < forced)
            seen = causal.expand(b, t, t) if c.kv_sharing else (causal & active[:, None, :]) | diagonal
            y, kv = self.apply_block(x, rope, seen[:, None], shared)
            shared = kv if c.kv_sharing and r == 0 else shared
            x = x + (c.alpha * torch.sigmoid(z) * active)[..., None] * y
            depth = depth + active
        return x, Routing(x.new_zeros(()), depth)

    def token_choice(self, x: Tensor, rope: Rope, forced: int | None) -> tuple[Tensor, Routing]:
        """Each recursion runs its own tokens, in front and in position order; those behind them only fill the rectangle
        of B rows, are not seen by the others (causal attention) and are thrown away."""
        c, (b, t, _) = self.c, x.shape
        p = self.router_logits(self.routers[0], x).softmax(-1)  # [B, T, R]
        chosen = p.argmax(-1) if forced is None else torch.full((b, t), forced - 1, device=x.device)
        share = F.one_hot(chosen, c.recursions).float().mean((0, 1))
        gate = c.alpha * p.gather(-1, chosen[..., None])
        y, shared = x, None
        for r in range(c.recursions):
            active = chosen >= r
            count = t if x.is_cuda else int(active.sum(1).max())    # reading the number would wait for a GPU
            if count == 0:
                break
            n = min(t, -(-count // PADDING) * PADDING)
            index = (~active).to(torch.uint8).sort(dim=1, stable=True).indices[:, :n]
            if r == 0:
                y, kv = self.apply_block(x, rope)
                shared = kv if c.kv_sharing else None
                continue
            mask = (index[:, :, None] >= torch.arange(t, device=x.device))[:, None] if c.kv_sharing else None
            output, _ = self.apply_block(rows(y, index), self.rope(index), mask, shared)
            kept = active.gather(1, index)[..., None]
            y = y.scatter(1, index[..., None].expand_as(output), torch.where(kept, output, rows(y, index)).to(y.dtype))
        return x + gate * y, Routing(c.recursions * (share * p.mean((0, 1))).sum(), chosen + 1)
