"""The moving average of a network's weights, which scores better than any single step's."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from edge_arseg.network.network import Network


def average_from_network(network: Network, decay: float) -> AveragedModel:
    """Start an exponential moving average of all floating-point weights and statistics at those of ``network``.

    Returns:
        ``module`` is a copy of the network that holds the average, in ``eval`` mode; ``update_parameters`` takes in the
        weights of a step.
    """
    average = AveragedModel(network, multi_avg_fn=_ramped(decay), use_buffers=True)
    average.update_parameters(network)  # the first call copies, the next ones average
    return average.eval().requires_grad_(False)


def restore_average(average: AveragedModel, state: Mapping[str, Any]) -> None:
    """Continue from the ``state_dict`` of an average, or from what 0.1.0 wrote: ``weights``, and ``steps`` taken in."""
    if "steps" in state:
        weights = {f"module.{name}": value for name, value in state["weights"].items()}
        state = {"n_averaged": torch.tensor(int(state["steps"]) + 1), **weights}
    average.load_state_dict(state)


def _ramped(decay: float) -> Callable[..., None]:
    """Averaging by ``decay``, but short early on, so that the average soon leaves the start."""

    @torch.no_grad()
    def take_in(averages: list[Tensor], values: list[Tensor], count: Tensor) -> None:
        steps = int(count)
        share = 1.0 - min(decay, (1 + steps) / (10 + steps))
        if averages[0].is_floating_point():
            torch._foreach_lerp_(averages, values, share)
        else:
            torch._foreach_copy_(averages, values)

    return take_in
