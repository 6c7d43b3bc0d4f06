# SPDX-License-Identifier: Apache-2.0
"""One training step: loss, gradients, optimiser. Plain on a CPU; on a GPU recorded once and replayed, because a step of
models this small is a thousand short kernels, and launching them one by one takes longer than running them."""
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model import MoR, Routing

CLIP = 1.0                             # largest norm of the gradients
WARM_UP = 3                            # steps before recording, so that libraries have made their plans


@dataclass
class Result:
    """Of one step; tensors on the model's device, the graph's overwritten by the next one."""
    loss: Tensor                       # mean cross-entropy in nats, weighted
    routing: Routing


def losses(model: MoR, inputs: Tensor, targets: Tensor, weights: Tensor) -> tuple[Tensor, Routing]:
    """inputs and targets [B, T]; weights of the targets [B, T]."""
    with torch.autocast(inputs.device.type, torch.bfloat16):
        logits, routing = model(inputs)
    each = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    return (each * weights.flatten()).sum() / weights.sum(), routing


def optimiser(model: MoR, settings: dict, device: str) -> torch.optim.Optimizer:
    routers = {id(p) for p in (*model.routers, *model.auxiliary_routers)}
    decayed = [p for p in model.parameters() if p.dim() == 2 and id(p) not in routers]
    others = [p for p in model.parameters() if p.dim() < 2 or id(p) in routers]
    groups = [{"params": decayed, "weight_decay": settings["weight_decay"]}, {"params": others, "weight_decay": 0.0}]
    recorded = device == "cuda"        # a recorded step reads its learning rate from memory
    rate = torch.tensor(settings["learning_rate"], device=device) if recorded else settings["learning_rate"]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, settings["beta2"]), fused=True, capturable=recorded)


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


class PlainStep:
    """Computes at once."""

    def __init__(self, model: MoR, optimizer: torch.optim.Optimizer, auxiliary_coefficient: float, losses_of=losses):
        self.model, self.optimizer, self.losses_of = model, optimizer, losses_of
        self.auxiliary_coefficient = auxiliary_coefficient

    def __call__(self, inputs: Tensor, targets: Tensor, weights: Tensor) -> Result:
        loss, routing = self.losses_of(self.model, inputs, targets, weights)
        self.optimizer.zero_grad(set_to_none=True)
        (loss + self.auxiliary_coefficient * routing.auxiliary_loss).backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
        self.optimizer.step()
        return Result(loss.detach(), routing)


class RecordedStep:
    """Records the plain step as a CUDA graph and replays it; records anew when the capacities changed, which are part of
    the shapes. Runs on the current stream, which must not be the default one."""

    def __init__(self, plain: PlainStep):
        self.plain, self.graph, self.result = plain, None, None
        self.capacities: list[float] = []
        self.static: list[Tensor] = []

    def __call__(self, *batch: Tensor) -> Result:
        if not self.static:
            self.static = [torch.empty_like(part, device="cuda") for part in batch]
        for target, part in zip(self.static, batch):
            target.copy_(part.pin_memory(), non_blocking=True)
        capacities = list(self.plain.model.c.capacity)
        if self.graph is None or self.capacities != capacities:
            self.record()
            self.capacities = capacities
        self.graph.replay()
        return self.result

    def record(self) -> None:
        """The warm-up changes parameters and the optimiser's state, so both are put back."""
        model, optimizer = self.plain.model, self.plain.optimizer
        before = [p.detach().clone() for p in model.parameters()]
        state = {p: {key: value.clone() for key, value in entry.items()} for p, entry in optimizer.state.items()}
        for _ in range(WARM_UP):
            self.plain(*self.static)
        with torch.no_grad():
            for parameter, value in zip(model.parameters(), before):
                parameter.copy_(value)
            for p, entry in optimizer.state.items():
                for key, value in entry.items():
                    value.copy_(state[p][key]) if p in state else value.zero_()
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph, stream=torch.cuda.current_stream()):
            self.result = self.plain(*self.static)
