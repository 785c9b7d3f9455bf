"""The moving average of a network's weights, which scores better than any single step's."""

import copy

import torch

from edge_arseg.network.network import Network


class AveragedWeights:
    """Exponential moving average of all floating-point weights and statistics.

    Attributes:
        network: a copy that holds the average, in ``eval`` mode.
    """

    def __init__(self, network: Network, decay: float):
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self._decay = decay
        self._steps = 0

    @torch.no_grad()
    def update(self, network: Network) -> None:
        """Take in the weights of ``network``. Early on the average is short, so that it soon leaves the start."""
        self._steps += 1
        decay = min(self._decay, (1 + self._steps) / (10 + self._steps))
        mine, theirs = self.network.state_dict(), network.state_dict()
        for name, value in mine.items():
            if value.dtype.is_floating_point:
                value.lerp_(theirs[name].to(value.dtype), 1.0 - decay)
            else:
                value.copy_(theirs[name])

    def state(self) -> dict[str, object]:
        """What ``load`` takes."""
        return {"weights": self.network.state_dict(), "steps": self._steps}

    def load(self, state: dict) -> None:
        """Go on from ``state``."""
        self.network.load_state_dict(state["weights"])
        self._steps = int(state["steps"])
