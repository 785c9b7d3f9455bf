"""What both trainings keep of a run: how far it is, its best score, and all that is needed to go on."""

from collections.abc import Mapping
from typing import Any

import torch

from edge_arseg.network.checkpoint.safetensors_file import safetensors_from_network
from edge_arseg.network.network import Network
from edge_arseg.training.averaged import AveragedWeights
from edge_arseg.training.run_folder import BEST, LAST, RunFolder


class TrainingRun:
    """The part of a training that does not depend on what is trained.

    Attributes:
        step: of the optimizer, counted from the start of the run.
        best: held-back mIoU of the best weights yet, per cent; -1 before the first score.
    """

    network: Network
    average: AveragedWeights
    optimizer: torch.optim.Optimizer
    folder: RunFolder
    step: int
    best: float

    def _restore(self) -> None:
        """Go on from the folder's state, or start where it holds none."""
        self.step, self.best = 0, -1.0
        if (state := self.folder.load_state()) is not None:
            self.step, self.best = int(state["step"]), float(state["best"])
            self.network.load_state_dict(state["network"])
            self.average.load(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            torch.set_rng_state(state["random"])
        self.folder.forget_after(self.step)

    def _keep(self, miou: float, record: Mapping[str, Any]) -> None:
        """Write the average, where it is the best yet as such; log ``record`` with the score; save the state."""
        if miou > self.best:
            self.best = miou
            safetensors_from_network(self.average.network, self.folder.path / BEST)
        safetensors_from_network(self.average.network, self.folder.path / LAST)
        self.folder.log({"step": self.step, **record, "miou": miou, "best": self.best})
        self.folder.save_state(
            {
                "step": self.step,
                "best": self.best,
                "network": self.network.state_dict(),
                "average": self.average.state(),
                "optimizer": self.optimizer.state_dict(),
                "random": torch.get_rng_state(),
            }
        )
