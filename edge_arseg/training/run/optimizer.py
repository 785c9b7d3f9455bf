"""The optimizer of both trainings, and its learning rate over a run."""

import math
from collections.abc import Collection, Iterable, Mapping

import torch
from torch import nn

RATE_SHARE = "rate_share"
"""Entry of a group of parameters: its learning rate over that of the run; 1 where it is absent."""


def optimizer_from_parameters(
    trained: Iterable[nn.Parameter],
    decayed: Iterable[nn.Parameter],
    *,
    weight_decay: float,
    shares: Mapping[nn.Parameter, float] | None = None,
) -> torch.optim.Optimizer:
    """AdamW over ``trained``.

    Args:
        trained: what steps change.
        decayed: those among them that have weight decay.
        weight_decay: of them.
        shares: learning rate of a parameter over that of the run, where it is not 1.
    """
    with_decay = {id(parameter) for parameter in decayed}
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {(1.0, True): [], (1.0, False): []}
    for parameter in trained:
        share = (shares or {}).get(parameter, 1.0)
        groups.setdefault((share, True), [])
        groups.setdefault((share, False), [])
        groups[share, id(parameter) in with_decay].append(parameter)
    return torch.optim.AdamW(
        [
            {"params": members, "weight_decay": weight_decay if decays else 0.0, RATE_SHARE: share}
            for (share, decays), members in groups.items()
        ]
    )


def take_step(
    optimizer: torch.optim.Optimizer, loss: torch.Tensor, trained: Collection[nn.Parameter], *, rate: float
) -> None:
    """Move the trained parameters down the gradient of ``loss``, whose norm is cut off at 5."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get(RATE_SHARE, 1.0)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(trained, 5.0)
    optimizer.step()


def learning_rate(step: int, *, steps: int, peak: float, warmup: int) -> float:
    """Rate of a step: a linear rise over ``warmup`` steps, then half a cosine down to 0 (Loshchilov, Hutter 2017).

    Args:
        step: counts from 0.
        steps: of the whole run.
        peak: the largest rate.
        warmup: steps of the rise.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * 0.5 * (1.0 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))
