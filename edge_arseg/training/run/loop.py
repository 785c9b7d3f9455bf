"""What both trainings keep of a run: how far it is, its best score, and all that is needed to go on."""

import copy
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from edge_arseg.errors import OptionError
from edge_arseg.network.checkpoint.safetensors_file import safetensors_from_network
from edge_arseg.network.network import Network
from edge_arseg.training.run.average import AveragedWeights
from edge_arseg.training.run.folder import BEST, LAST, RunFolder
from edge_arseg.training.run.step_precision import AUTO, PRECISIONS, step_times


class TrainingRun(ABC):
    """The part of a training that does not depend on what is trained.

    Attributes:
        step: of the optimizer, counted from the start of the run.
        best: held-back mIoU of the best weights yet, per cent; -1 before the first score.
        precision: that the branches multiply in, a name in ``PRECISIONS``; ``None`` before ``settle_precision``.
    """

    network: Network
    average: AveragedWeights
    optimizer: torch.optim.Optimizer
    folder: RunFolder
    device: torch.device
    step: int
    best: float
    precision: str | None = None

    @abstractmethod
    def _wanted_precision(self) -> str:
        """Return what the settings say: ``auto``, or a name in ``PRECISIONS``."""

    @abstractmethod
    def _try_step(self) -> Callable[[], object]:
        """Return a step on the run's next batch, which is made here and not timed."""

    def settle_precision(self, *, clock: Callable[[], float] = time.perf_counter) -> str:
        """Decide what to multiply in, once a run, and return a line that says what and why.

        A run that goes on keeps what it began with. Else the settings decide; where they say ``auto``, a few real steps
        of each precision are timed and undone, and the faster one is kept in the run's folder.

        Args:
            clock: seconds, for tests.

        Raises:
            OptionError: no such precision.
            SinkError: the folder cannot be written.
        """
        wanted, kept = self._wanted_precision(), self.folder.settings().get("precision")
        if wanted not in (AUTO, *PRECISIONS):
            raise OptionError(f"precision {wanted!r} seen, expected {AUTO}, {' or '.join(PRECISIONS)}")
        if kept in PRECISIONS:
            self.precision = kept
            return f"multiplying in {kept}, {'as asked' if wanted == kept else 'as this run began'}"
        if wanted != AUTO:
            self.precision = wanted
            return f"multiplying in {wanted}, as asked"
        with self._undone():
            try_step = self._try_step()

            def step(precision: str) -> None:
                self.precision = precision
                try_step()
                if self.device.type == "cuda":
                    torch.cuda.synchronize(self.device)

            times = step_times(step, clock=clock)
        self.precision = times.faster
        self.folder.keep_precision(times)
        return f"multiplying in {self.precision}, the faster one here: {times}"

    @contextmanager
    def _undone(self) -> Iterator[None]:
        """Bring back weights, statistics, optimizer and random numbers at the end, as if nothing had been done."""
        network, average, optimizer = copy.deepcopy(
            (self.network.state_dict(), self.average.state(), self.optimizer.state_dict())
        )
        gpus = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=gpus):
            try:
                yield
            finally:
                self.network.load_state_dict(network)
                self.average.load(average)
                self.optimizer.load_state_dict(optimizer)
                self.optimizer.zero_grad(set_to_none=True)

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
