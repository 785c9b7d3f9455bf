"""Training of the LR branch and CReFF on pairs of frames, taught by a finished HR branch."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from edge_arseg.errors import OptionError
from edge_arseg.network.network import Network
from edge_arseg.spec.frame import Branch
from edge_arseg.spec.progress import Announce, no_announcement
from edge_arseg.training.lr.ablation import FUSION_CHOICES
from edge_arseg.training.lr.distances import DISTANCE_CHOICES
from edge_arseg.training.lr.fst import SUPERVISIONS, PairBatch, Recipe, fst_losses
from edge_arseg.training.lr.pairs import LrPairs, pairs_from_stores, spread_pairs
from edge_arseg.training.lr.score import HeldBackPairs
from edge_arseg.training.lr.settings import SCORED_PAIRS as USUAL_SCORED_PAIRS
from edge_arseg.training.lr.settings import LrSettings, LrStart
from edge_arseg.training.lr.start import keep_teacher, start_network
from edge_arseg.training.lr.views import PairViews, pair_batches
from edge_arseg.training.run.encoder import check_encoder, rate_shares, train_backbone
from edge_arseg.training.run.folder import BEGUN_FROM, DATA, SCORED_PAIRS, RunFolder
from edge_arseg.training.run.loop import StepProgress, TrainedBranch, TrainingRun, no_progress
from edge_arseg.training.run.losses import task_loss
from edge_arseg.training.run.place import HERE, RunPlace
from edge_arseg.training.trained import PICTURES, trained_from_name


def train_lr(
    model: str | Path,
    output: str | Path,
    settings: LrSettings | None = None,
    *,
    pairs: str | Path | None = None,
    unlabelled: Sequence[str | Path] = (),
    backbone: str | None = None,
    start: LrStart = LrStart.HR,
    scored_pairs: int = USUAL_SCORED_PAIRS,
    place: RunPlace = HERE,
    say: Announce = no_announcement,
    progress: StepProgress = no_progress,
) -> TrainedBranch:
    """Train the LR branch and the fusion on pairs of frames, taught by the HR branch of a model.

    Args:
        model: the folder of a run, a ``.safetensors`` file, or a bundle; see ``trained_from_name``.
        output: the folder of this run.
        settings: the recipe; ``None`` for ``LrSettings()``.
        pairs: a store of labelled pairs.
        unlabelled: stores of pairs that the HR branch labels. At least one store of either kind is needed.
        backbone: see ``network_from_safetensors``.
        start: where the LR branch and the fusion come from.
        scored_pairs: how many held-back pairs are scored, at most.
        place: device, threads, and whether a run continues; see ``RunPlace``.
        say: called with a line for people: what the run multiplies in, and why; and another LR scale
            than before.
        progress: see ``StepProgress``.

    Raises:
        OptionError: no pairs; a value out of range; a start from an LR branch that was never trained; a run in
            ``output`` that is not continued, or one of other settings that does.
        DataError: stores that do not fit, all faults in one message; or the run's state is damaged, or of another
            network.
        CheckpointError: not a model that can be read.
        EnvironmentUnfitError: no such GPU.
        SinkError: ``output`` cannot be written, or another process trains in it.
    """
    settings = settings or LrSettings()
    if pairs is None and not unlabelled:
        raise OptionError("nothing to train on: give --pairs STORE, --unlabelled STORE, or both")
    place.begin(settings.seed)
    trained = trained_from_name(model)
    network = trained.network(backbone=backbone)
    check_encoder(network.lr, settings)
    so_far = place.weights_so_far(output)
    keep_teacher(network, so_far)
    device = place.torch_device()
    network.to(device)
    data = pairs_from_stores(
        network,
        Path(pairs) if pairs is not None else None,
        [Path(store) for store in unlabelled],
        lr_scale=settings.lr_scale,
        score_pairs=scored_pairs,
    )
    record = {
        "model": network.model.name,
        "backbone": network.model.backbone,
        "clips": data.count,
        DATA: data.sha256,
        BEGUN_FROM: start.value,
        SCORED_PAIRS: scored_pairs,
    }
    if start is not LrStart.HR and network.lr_scale not in (None, settings.lr_scale):
        say(f"the LR branch was trained at LR scale {network.lr_scale:g}, and continues at {settings.lr_scale:g}")
    if not so_far:
        trained.spread(network, (pair.frame for pair in spread_pairs(data.source, PICTURES)), settings.lr_scale)
    start_network(network, data, settings, start)
    with place.folder(output, record | settings.record()) as folder:
        training = LrTraining(network, data, settings, folder, device=device, workers=place.workers)
        if training.step < settings.steps:
            say(training.settle_precision())
        return training.run(progress)


class LrTraining(TrainingRun[PairBatch]):
    """The LR branch and the fusion, trained; nothing of the HR branch is.

    Args:
        network: at its start already (``start_network``).
        pairs: to train and to score on.
    """

    settings: LrSettings

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
        self.name = f"LR branch at {settings.lr_scale:g}"
        self.pairs = pairs
        self.recipe = recipe_from_settings(settings, pairs.weights.to(device))
        network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        network.trained, network.lr_scale = (Branch.HR, Branch.LR), settings.lr_scale
        self.held_back = HeldBackPairs(network, pairs.held_back, device)
        self.recipe.fusion.prepare(network.creff)
        trained = [*network.lr.parameters(), *self.recipe.fusion.parameters(network.creff)]
        if not self.recipe.supervision.shared_classifier:
            trained += network.lr_head.parameters()
        network.requires_grad_(False)
        for parameter in trained:
            parameter.requires_grad_(True)
        # Zero is not where CReFF's weights should go: it starts as something that works.
        kernels = [parameter for parameter in network.lr.parameters() if parameter.ndim > 1]
        super().__init__(
            network,
            settings,
            folder,
            device=device,
            workers=workers,
            trained=trained,
            decayed=kernels,
            shares=rate_shares(network.lr, settings),
        )

    def batches(self, *, workers: int) -> Iterable[PairBatch]:
        """Return batches of pairs."""
        settings = self.settings
        views = PairViews(
            self.pairs.labelled,
            self.pairs.unlabelled,
            unlabelled_share=settings.unlabelled_share,
            distance=DISTANCE_CHOICES[settings.distances],
            augmentation=settings.augmentation,
            seed=settings.seed,
            first=self.step * settings.batch,
            last=settings.steps * settings.batch,
        )
        return pair_batches(views, settings.batch, workers=workers)

    def loss(self, batch: PairBatch) -> Mapping[str, Tensor]:
        """Return the losses of FST."""
        self.network.eval()
        train_backbone(self.network.lr, self.settings)
        losses = fst_losses(
            self.network, batch.to(self.device), dataclasses.replace(self.recipe, bfloat16=self.bfloat16)
        )
        return {"loss": losses.total, "task": losses.task, "feature": losses.feature}

    def score(self) -> Mapping[str, Any]:
        """Score the fused feature on whole frames, by distance."""
        by_distance = self.held_back.miou_by_distance(
            self.averaged, self.recipe.fusion, self.settings.lr_scale, self.device
        )
        return {"miou_by_distance": by_distance, "miou": sum(by_distance.values()) / max(1, len(by_distance))}


def recipe_from_settings(settings: LrSettings, weights: Tensor) -> Recipe:
    """Say how a step is taken, with ``weights [classes]`` of the classes."""
    supervision = SUPERVISIONS[settings.supervision]
    if supervision.feature_loss is not None:
        loss = dataclasses.replace(supervision.feature_loss, weight=settings.feature_weight)
        supervision = dataclasses.replace(supervision, feature_loss=loss)
    return Recipe(
        settings.lr_scale,
        supervision,
        FUSION_CHOICES[settings.fusion],
        partial(task_loss, weights=weights, overlap=settings.overlap),
        settings.confidence,
    )
