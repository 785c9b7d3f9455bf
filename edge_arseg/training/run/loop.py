"""The loop of both trainings: steps, scores, the best weights, and all that is needed to continue after any stop."""

import copy
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Generic, TypeVar, cast

import torch
from torch import Tensor, nn

from edge_arseg.errors import DataError, OptionError
from edge_arseg.network.network import Network
from edge_arseg.training.run.average import average_from_network, restore_average
from edge_arseg.training.run.folder import BEST, LAST, STATE, RunFolder
from edge_arseg.training.run.optimizer import learning_rate, optimizer_from_parameters, take_step
from edge_arseg.training.run.settings import RunSettings
from edge_arseg.training.run.step_precision import AUTO, BFLOAT16, PRECISIONS, step_times

Batch = TypeVar("Batch")

StepProgress = Callable[[int, float, float], None]
"""Called after each step with its number from 1, its loss, and the latest held-back mIoU: per cent, NaN before one."""


def no_progress(step: int, loss: float, miou: float) -> None:
    """Say nothing."""


@dataclass(frozen=True, slots=True)
class TrainedBranch:
    """What a training leaves.

    Attributes:
        weights: the file of the best weights; of the last ones where nothing is held back.
        model: its name.
        branch: what was trained, for people.
        steps: of the optimizer, all of them.
        miou: of the best weights on what is held back, per cent; ``None`` where nothing is.
    """

    weights: Path
    model: str
    branch: str
    steps: int
    miou: float | None


class TrainingRun(ABC, Generic[Batch]):
    """A network in training, in a folder. ``run`` it to the end, or stop it at any time and continue later.

    A training says what is trained: ``name``, ``batches``, ``loss`` and ``score``. All else is here. Where the folder
    holds a state, the run continues from there, and on a CPU it ends with the bits of a run that was never stopped.

    Attributes:
        name: what is trained, for people.
        step: of the optimizer, counted from the start of the run.
        best: held-back mIoU of the best weights yet, per cent; -1 before the first score.
        precision: that the branches multiply in, a name in ``PRECISIONS``; ``None`` before ``settle_precision``.

    Args:
        network: on ``device``, laid out and frozen as it will be trained.
        settings: the recipe.
        folder: of the run.
        device: that steps are taken on.
        workers: processes that make batches ahead.
        trained: the parameters that steps change; ``decayed``: those among them that have weight decay.
        shares: learning rate of a parameter over that of the run, where it is not 1.
    """

    name: str
    settings: RunSettings

    def __init__(
        self,
        network: Network,
        settings: RunSettings,
        folder: RunFolder,
        *,
        device: torch.device,
        workers: int,
        trained: Sequence[nn.Parameter],
        decayed: Iterable[nn.Parameter],
        shares: Mapping[nn.Parameter, float] | None = None,
    ):
        self.network, self.settings, self.folder = network, settings, folder
        self.device, self.workers, self.parameters = device, workers, trained
        self.average = average_from_network(network, settings.averaging)
        self.optimizer = optimizer_from_parameters(trained, decayed, weight_decay=settings.weight_decay, shares=shares)
        self.step, self.best = 0, -1.0
        self.precision: str | None = None
        self._restore()

    @abstractmethod
    def batches(self, *, workers: int) -> Iterable[Batch]:
        """Return the batches of the steps that are left, made ahead in ``workers`` processes."""

    @abstractmethod
    def loss(self, batch: Batch) -> Mapping[str, Tensor]:
        """Return scalars for the log. The one called ``loss`` is minimised."""

    @abstractmethod
    def score(self) -> Mapping[str, Any]:
        """Score ``averaged`` on what is held back; return ``miou``, per cent, and what else the log is to hold.

        Where nothing is held back there is no ``miou``, and the last weights count as the best.
        """

    @property
    def averaged(self) -> Network:
        """The network with the averaged weights, in ``eval`` mode."""
        return cast(Network, self.average.module)

    @property
    def bfloat16(self) -> bool:
        """Whether the branches multiply in bfloat16."""
        return self.precision == BFLOAT16

    def run(self, progress: StepProgress = no_progress) -> TrainedBranch:
        """Train to the last step, and draw the curves.

        Args:
            progress: see ``StepProgress``.

        Raises:
            OptionError: no such precision; or the loss is no longer a number.
            SinkError: the folder cannot be written.
        """
        steps, score_every = self.settings.steps, self.settings.score_every
        if self.step < steps and self.precision is None:
            self.settle_precision()
        miou, unscored, start = math.nan, list[dict[str, float]](), time.monotonic()
        for batch in self.batches(workers=self.workers):
            losses = self._step(batch)
            unscored.append(losses)
            self.step += 1
            self._check_finite(losses["loss"])
            if self.step % score_every == 0 or self.step == steps:
                means = {name: fmean(step[name] for step in unscored) for name in losses}
                miou = self._keep(means, seconds=time.monotonic() - start)
                unscored, start = [], time.monotonic()
            progress(self.step, losses["loss"], miou)
        self.folder.draw_curves()
        best = self.best if self.best >= 0 else None
        return TrainedBranch(self.folder.path / BEST, self.network.model.name, self.name, self.step, best)

    def settle_precision(self, *, clock: Callable[[], float] = time.perf_counter) -> str:
        """Decide what to multiply in, once a run, and return a line that says what and why.

        A run that continues keeps what it began with. Else the settings decide. Where they say ``auto``, a few real
        steps of each precision are timed and undone, and the faster one is kept in the run's folder.

        Args:
            clock: seconds, for tests.

        Raises:
            OptionError: no such precision.
            SinkError: the folder cannot be written.
        """
        asked, begun = self.settings.precision, self.folder.settings().get("precision")
        if asked not in (AUTO, *PRECISIONS):
            raise OptionError(f"precision {asked!r} seen, expected {AUTO}, {' or '.join(PRECISIONS)}")
        if begun in PRECISIONS:
            self.precision = begun
            return f"multiplying in {begun}, {'as asked' if asked == begun else 'as this run began'}"
        if asked != AUTO:
            self.precision = asked
            return f"multiplying in {asked}, as asked"
        with self._undone():
            batch = next(iter(self.batches(workers=0)))

            def step(precision: str) -> None:
                self.precision = precision
                self._step(batch)
                if self.device.type == "cuda":
                    torch.cuda.synchronize(self.device)

            times = step_times(step, clock=clock)
        self.precision = times.faster
        self.folder.keep_precision(times)
        return f"multiplying in {self.precision}, the faster one here: {times}"

    def _check_finite(self, loss: float) -> None:
        """Refuse weights that no further step makes good: what was saved before stays.

        Raises:
            OptionError: the loss is not a number.
        """
        if not math.isfinite(loss):
            best = self.folder.path / BEST
            kept = f"The best weights until then are in {best}. Start a new run, in another folder,"
            if self.folder.leave_nothing():
                kept = "Nothing was saved before it, and nothing is left. Start again, in the same folder or another,"
            factors = "".join(f", {option}" for option in self.settings.raised())
            raise OptionError(
                f"step {self.step}: the loss is {loss}, and stays so; mostly the steps were too large. {kept} with "
                f"less than --rate {self.settings.rate:g}{factors}, or in --precision float32"
            )

    def _step(self, batch: Batch) -> dict[str, float]:
        """Take one step; return what ``loss`` gave, as numbers."""
        settings, losses = self.settings, self.loss(batch)
        rate = learning_rate(self.step, steps=settings.steps, peak=settings.rate, warmup=settings.warmup)
        take_step(self.optimizer, losses["loss"], self.parameters, rate=rate)
        self.average.update_parameters(self.network)
        values = torch.stack([value.detach().float() for value in losses.values()]).tolist()
        return dict(zip(losses, values, strict=True))

    @contextmanager
    def _undone(self) -> Iterator[None]:
        """Bring back weights, statistics, optimizer and random numbers at the end, as if nothing had been done."""
        parts: tuple[Any, ...] = (self.network, self.average, self.optimizer)
        states = copy.deepcopy([part.state_dict() for part in parts])
        gpus = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=gpus):
            try:
                yield
            finally:
                for part, state in zip(parts, states, strict=True):
                    part.load_state_dict(state)
                self.optimizer.zero_grad(set_to_none=True)

    def _restore(self) -> None:
        """Continue from the folder's state, or start where it holds none.

        Raises:
            DataError: the state is damaged, or of another network.
        """
        if (state := self.folder.load_state()) is not None:
            try:
                self.step, self.best = int(state["step"]), float(state["best"])
                self.network.load_state_dict(state["network"])
                restore_average(self.average, state["average"])
                self.optimizer.load_state_dict(state["optimizer"])
                torch.set_rng_state(state["random"])
            except (KeyError, ValueError, TypeError, AttributeError, RuntimeError, IndexError) as error:
                raise DataError(
                    f"{self.folder.path / STATE}: not the state of this run ({type(error).__name__}); start a new run"
                ) from error
        self.folder.forget_after(self.step)

    def _keep(self, losses: Mapping[str, float], *, seconds: float) -> float:
        """Score the average; write it, where it is the best yet as such; log the score; save the state."""
        score = self.score()
        miou = score.get("miou")
        if miou is None or miou > self.best:
            self.best = self.best if miou is None else miou
            self.folder.keep_weights(self.averaged, BEST)
        self.folder.keep_weights(self.averaged, LAST)
        best = {} if miou is None else {"best": self.best}
        self.folder.log({"step": self.step, **losses, **score, "seconds": seconds, **best})
        self.folder.save_state(
            {
                "step": self.step,
                "best": self.best,
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "random": torch.get_rng_state(),
            }
        )
        return math.nan if miou is None else miou
