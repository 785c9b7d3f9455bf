"""Training of the LR branch and CReFF on pairs of frames, taught by a finished HR branch."""

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from edge_arseg.network.network import Network
from edge_arseg.spec.frame import Branch
from edge_arseg.training.hr.train import to_channels_last
from edge_arseg.training.lr.ablation import FUSION_CHOICES
from edge_arseg.training.lr.augmentation import PairAugmentation
from edge_arseg.training.lr.distances import DISTANCE_CHOICES
from edge_arseg.training.lr.fst import SUPERVISIONS, FstLosses, PairBatch, Recipe, fst_losses
from edge_arseg.training.lr.fusion_start import FusionStart
from edge_arseg.training.lr.pairs import LrPairs
from edge_arseg.training.lr.score import HeldBackPairs
from edge_arseg.training.lr.views import PairViews, batches
from edge_arseg.training.run.average import AveragedWeights
from edge_arseg.training.run.folder import RunFolder
from edge_arseg.training.run.loop import TrainingRun
from edge_arseg.training.run.losses import task_loss
from edge_arseg.training.run.optimizer import learning_rate
from edge_arseg.training.run.step_precision import AUTO, BFLOAT16


@dataclass(frozen=True, slots=True)
class LrSettings:
    """The recipe of a run.

    Attributes:
        lr_scale: size of the LR branch's image.
        steps: of the optimizer (AdamW).
        batch: pairs a step.
        rate: largest learning rate; see ``learning_rate``.
        warmup: steps until it is reached.
        weight_decay: of the LR branch's convolutions; CReFF, normalisation and biases have none.
        averaging: decay of the averaged weights, a step.
        supervision: a name in ``SUPERVISIONS``.
        overlap: factor of the overlap loss beside the cross entropy.
        feature_weight: factor of the feature loss (the paper's lambda).
        fusion: a name in ``FUSION_CHOICES``.
        distances: a name in ``DISTANCE_CHOICES``.
        unlabelled_share: of the pairs that the HR branch labels, where there are labelled ones too.
        confidence: least probability for such a label.
        score_every: steps between scores on what is held back.
        precision: that the branches multiply in: ``bfloat16``, ``float32``, or ``auto`` for the faster of them here.
            Sums are float32 in both.
        seed: of all views.
        start: of the fusion.
        augmentation: of the views.
    """

    lr_scale: float = 0.5
    steps: int = 6000
    batch: int = 8
    rate: float = 1e-3
    warmup: int = 100
    weight_decay: float = 0.02
    averaging: float = 0.998
    supervision: str = "full"
    overlap: float = 0.5
    feature_weight: float = 1.0
    fusion: str = "full"
    distances: str = "random"
    unlabelled_share: float = 0.5
    confidence: float = 0.9
    score_every: int = 250
    precision: str = AUTO
    seed: int = 1
    start: FusionStart = field(default_factory=FusionStart)
    augmentation: PairAugmentation = field(default_factory=PairAugmentation)

    def record(self) -> dict[str, Any]:
        """All values, as plain containers."""
        return dataclasses.asdict(self)

    def recipe(self, weights: Tensor) -> Recipe:
        """How a step is taken, with ``weights [classes]`` of the classes."""
        supervision = SUPERVISIONS[self.supervision]
        if supervision.feature_loss is not None:
            loss = dataclasses.replace(supervision.feature_loss, weight=self.feature_weight)
            supervision = dataclasses.replace(supervision, feature_loss=loss)
        return Recipe(
            self.lr_scale,
            supervision,
            FUSION_CHOICES[self.fusion],
            partial(task_loss, weights=weights, overlap=self.overlap),
            self.confidence,
        )


class LrTraining(TrainingRun):
    """A run: network, optimizer and average, in a folder. ``run`` it to the end, or stop it and go on later.

    The network is at its start already (``lr_start``); where the folder holds a state, that is loaded over it.
    """

    def __init__(
        self,
        network: Network,
        pairs: LrPairs,
        settings: LrSettings,
        folder: RunFolder,
        *,
        device: torch.device,
        workers: int = 1,
    ):
        self.settings, self.folder, self.device, self.workers = settings, folder, device, workers
        self.pairs = pairs
        self.recipe = settings.recipe(pairs.weights.to(device))
        self.network = network.to(device)
        network.trained = (Branch.HR, Branch.LR)
        to_channels_last(network)
        self.held_back = HeldBackPairs(network, pairs.held_back, device)
        self.recipe.fusion.prepare(network.creff)
        self.average = AveragedWeights(network, settings.averaging)
        self.trained = self._freeze()
        self.optimizer = _optimizer(network, self.trained, settings)
        self._restore()

    def run(self, progress: Callable[[int, float, float], None] = lambda step, loss, miou: None) -> None:
        """Train to the last step.

        Args:
            progress: called each step with the step, its loss and the latest held-back mIoU.
        """
        settings, views = self.settings, self._views()
        if len(views) and self.precision is None:
            self.settle_precision()
        miou, sums, started, since = float("nan"), torch.zeros(3), time.monotonic(), self.step
        for batch in batches(views, settings.batch, workers=self.workers):
            losses = self._step(batch.to(self.device))
            sums += torch.stack([losses.total.detach(), losses.task, losses.feature]).cpu()
            self.step += 1
            if self.step % settings.score_every == 0 or self.step == settings.steps:
                miou = self._score(sums / (self.step - since), time.monotonic() - started)
                sums, started, since = torch.zeros(3), time.monotonic(), self.step
            progress(self.step, float(losses.total.detach()), miou)

    def _views(self) -> PairViews:
        """Return the views of the steps that are left."""
        settings = self.settings
        return PairViews(
            self.pairs.labelled,
            self.pairs.unlabelled,
            unlabelled_share=settings.unlabelled_share,
            distance=DISTANCE_CHOICES[settings.distances],
            augmentation=settings.augmentation,
            seed=settings.seed,
            first=self.step * settings.batch,
            last=settings.steps * settings.batch,
        )

    def _wanted_precision(self) -> str:
        return self.settings.precision

    def _try_step(self) -> Callable[[], object]:
        batch = next(iter(batches(self._views(), self.settings.batch, workers=0)))
        return lambda: self._step(batch.to(self.device))

    def _freeze(self) -> list[nn.Parameter]:
        """Let gradients reach what is trained, and nothing else."""
        trained = [*self.network.lr.parameters(), *self.recipe.fusion.parameters(self.network.creff)]
        if not self.recipe.supervision.shared_decoder:
            trained += self.network.lr_head.parameters()
        self.network.requires_grad_(False)
        for parameter in trained:
            parameter.requires_grad_(True)
        return trained

    def _step(self, batch: PairBatch) -> FstLosses:
        settings = self.settings
        rate = learning_rate(self.step, steps=settings.steps, peak=settings.rate, warmup=settings.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.network.eval()
        self.network.lr.train()
        recipe = dataclasses.replace(self.recipe, bfloat16=self.precision == BFLOAT16)
        losses = fst_losses(self.network, batch, recipe)
        self.optimizer.zero_grad(set_to_none=True)
        losses.total.backward()
        nn.utils.clip_grad_norm_(self.trained, 5.0)
        self.optimizer.step()
        self.average.update(self.network)
        return losses

    def _score(self, losses: Tensor, seconds: float) -> float:
        """Score the average, keep it where it is the best yet, and save the state."""
        by_distance = self.held_back.miou_by_distance(
            self.average.network, self.recipe.fusion, self.settings.lr_scale, self.device
        )
        miou = sum(by_distance.values()) / max(1, len(by_distance))
        total, task, feature = losses.tolist()
        parts = {"loss": total, "task": task, "feature": feature}
        self._keep(miou, parts | {"miou_by_distance": by_distance, "seconds": seconds})
        return miou


def _optimizer(network: Network, trained: list[nn.Parameter], settings: LrSettings) -> torch.optim.Optimizer:
    """AdamW; weight decay for the LR branch's kernels only, since zero is not where CReFF's should go."""
    kernels = {id(parameter) for parameter in network.lr.parameters() if parameter.ndim > 1}
    decayed = [parameter for parameter in trained if id(parameter) in kernels]
    plain = [parameter for parameter in trained if id(parameter) not in kernels]
    groups = [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=settings.rate)
