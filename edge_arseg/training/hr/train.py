"""Training of the HR branch on labelled stills."""

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from edge_arseg.network.network import Network
from edge_arseg.spec.frame import Branch
from edge_arseg.training.hr.augmentation import StillAugmentation
from edge_arseg.training.hr.score import hr_miou
from edge_arseg.training.hr.stills import Still, StillViews, batches
from edge_arseg.training.run.average import AveragedWeights
from edge_arseg.training.run.folder import RunFolder
from edge_arseg.training.run.loop import TrainingRun
from edge_arseg.training.run.losses import class_weights, task_loss
from edge_arseg.training.run.optimizer import learning_rate
from edge_arseg.training.run.step_precision import AUTO, BFLOAT16


@dataclass(frozen=True, slots=True)
class HrSettings:
    """The recipe of a run.

    Attributes:
        steps: of the optimizer (AdamW).
        batch: views a step.
        rate: largest learning rate; see ``learning_rate``.
        warmup: steps until it is reached.
        weight_decay: of the convolutions; normalisation and biases have none.
        dropout: share of the feature's channels that are left out of a view.
        averaging: decay of the averaged weights, a step.
        overlap: factor of the overlap loss beside the cross entropy.
        rendered_share: share of views that show the synthetic street.
        score_every: steps between scores on what is held back.
        precision: that convolutions multiply in: ``bfloat16``, ``float32``, or ``auto`` for the faster of them here.
            Sums are float32 in both.
        seed: of weights and views.
        augmentation: of the views.
    """

    steps: int = 8000
    batch: int = 8
    rate: float = 2e-3
    warmup: int = 200
    weight_decay: float = 0.05
    dropout: float = 0.1
    averaging: float = 0.998
    overlap: float = 0.5
    rendered_share: float = 0.08
    score_every: int = 250
    precision: str = AUTO
    seed: int = 1
    augmentation: StillAugmentation = field(default_factory=StillAugmentation)

    def record(self) -> dict[str, Any]:
        """All values, as plain containers."""
        return dataclasses.asdict(self)


class HrTraining(TrainingRun):
    """A run: network, optimizer and average, in a folder. ``run`` it to the end, or stop it and go on later."""

    def __init__(
        self,
        network: Network,
        stills: Sequence[Still],
        rendered: Sequence[Still],
        held_back: Sequence[Still],
        settings: HrSettings,
        folder: RunFolder,
        *,
        device: torch.device,
        workers: int = 1,
    ):
        self.settings, self.folder, self.device, self.workers = settings, folder, device, workers
        self.stills, self.rendered, self.held_back = stills, rendered, held_back
        self.network = network.to(device)
        network.trained = (Branch.HR,)  # the LR branch keeps its random weights
        self.branch = nn.ModuleList([network.hr, network.hr_head])
        to_channels_last(self.branch)
        self.average = AveragedWeights(network, settings.averaging)
        self.optimizer = _optimizer(self.branch, settings)
        self.weights = class_weights((still.label for still in stills), len(network.model.classes)).to(device)
        self._restore()

    def run(self, progress: Callable[[int, float, float], None] = lambda step, loss, miou: None) -> None:
        """Train to the last step.

        Args:
            progress: called each step with the step, its loss and the latest held-back mIoU.
        """
        settings, views = self.settings, self._views()
        if len(views) and self.precision is None:
            self.settle_precision()
        miou, losses, started = float("nan"), [], time.monotonic()
        for rgb, label in batches(views, settings.batch, workers=self.workers):
            loss = self._step(rgb.to(self.device), label.to(self.device))
            losses.append(loss)
            self.step += 1
            if self.step % settings.score_every == 0 or self.step == settings.steps:
                miou = self._score(sum(losses) / len(losses), time.monotonic() - started)
                losses, started = [], time.monotonic()
            progress(self.step, loss, miou)

    def _views(self) -> StillViews:
        """Return the views of the steps that are left."""
        settings = self.settings
        return StillViews(
            self.stills,
            self.rendered,
            settings.augmentation,
            rendered_share=settings.rendered_share,
            seed=settings.seed,
            first=self.step * settings.batch,
            last=settings.steps * settings.batch,
        )

    def _wanted_precision(self) -> str:
        return self.settings.precision

    def _try_step(self) -> Callable[[], object]:
        rgb, label = next(iter(batches(self._views(), self.settings.batch, workers=0)))
        return lambda: self._step(rgb.to(self.device), label.to(self.device))

    def _step(self, rgb: Tensor, label: Tensor) -> float:
        settings = self.settings
        rate = learning_rate(self.step, steps=settings.steps, peak=settings.rate, warmup=settings.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.branch.train()
        image = self.network.images_from_frames(rgb).contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == BFLOAT16):
            feature = self.network.hr(image)
            feature = nn.functional.dropout2d(feature, settings.dropout)
            scores = self.network.hr_head.scores(feature, None)
        loss = task_loss(scores, label.long(), self.weights, overlap=settings.overlap)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.branch.parameters(), 5.0)
        self.optimizer.step()
        self.average.update(self.network)
        return float(loss.detach())

    def _score(self, loss: float, seconds: float) -> float:
        """Score the average, keep it where it is the best yet, and save the state."""
        miou = hr_miou(self.average.network, self.held_back, self.device)
        self._keep(miou, {"loss": loss, "seconds": seconds})
        return miou


def to_channels_last(module: nn.Module) -> None:
    """Lay out all kernels in channels-last order, which convolutions on CPUs and tensor cores prefer."""
    for parameter in module.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)


def _optimizer(branch: nn.Module, settings: HrSettings) -> torch.optim.Optimizer:
    """AdamW; weight decay for matrices and kernels only."""
    decayed = [p for p in branch.parameters() if p.ndim > 1]
    plain = [p for p in branch.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=settings.rate)
