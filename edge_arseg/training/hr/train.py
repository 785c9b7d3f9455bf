"""Training of the HR branch on labelled stills."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from edge_arseg.errors import OptionError
from edge_arseg.network.backbones.registry import short_name
from edge_arseg.network.network import Network
from edge_arseg.runtime.device.host_memory import host_memory
from edge_arseg.spec.frame import Branch
from edge_arseg.spec.geometry.swapped_size import swap_meant
from edge_arseg.spec.model import CAMVID_11, Model
from edge_arseg.spec.progress import Announce, no_announcement
from edge_arseg.training.datasets.classes import normalisation_of
from edge_arseg.training.datasets.layouts import dataset_from_folder
from edge_arseg.training.hr.score import hr_miou
from edge_arseg.training.hr.settings import MOST_BALANCE, USUAL_BACKBONE, HrSettings
from edge_arseg.training.hr.start import start_encoder, start_from
from edge_arseg.training.hr.stills import (
    Still,
    StillViews,
    check_memory,
    checked_crop,
    stills_from_images,
    stills_from_street,
)
from edge_arseg.training.hr.teacher import Teacher, teacher_from_trained
from edge_arseg.training.run.encoder import check_encoder, rate_shares, train_backbone
from edge_arseg.training.run.folder import DATA, TEACHER, RunFolder
from edge_arseg.training.run.loop import StepProgress, TrainedBranch, TrainingRun, no_progress
from edge_arseg.training.run.losses import class_weights, task_loss
from edge_arseg.training.run.place import HERE, RunPlace
from edge_arseg.training.run.views import batches
from edge_arseg.training.trained import PICTURES, trained_from_name

_log = logging.getLogger(__name__)


def train_hr(
    dataset: str | Path,
    output: str | Path,
    settings: HrSettings | None = None,
    *,
    layout: str = "auto",
    start: str | Path | None = None,
    weights: str | Path | None = None,
    teacher: str | Path | None = None,
    place: RunPlace = HERE,
    say: Announce = no_announcement,
    progress: StepProgress = no_progress,
) -> TrainedBranch:
    """Train the HR branch on the labelled images of a folder, and leave weights, log and curves in another.

    Args:
        dataset: the folder of the images; see ``dataset_from_folder``.
        output: the folder of the run.
        settings: the recipe; ``None`` for ``HrSettings()``.
        layout: of ``dataset``.
        start: weights to start from, which may be of other classes: a run, a file or a bundle; see
            ``trained_from_name`` and ``start_from``. ``None`` for random ones.
        weights: published weights that the encoder starts from; see ``load_encoder``. ``None`` for random ones.
        teacher: a trained network that teaches beside the labels; see ``teacher_from_trained``. ``None`` for none.
        place: device, threads, and whether a run continues; see ``RunPlace``.
        say: called with a line for people: what the run multiplies in, and why.
        progress: see ``StepProgress``.

    Raises:
        OptionError: a value out of range; ``start`` and ``weights`` at once, or a backbone without an encoder; a run in
            ``output`` that is not resumed; or one of other settings that is.
        DataError: bad images or labels, all of them in one message; or a state that is damaged or of another network.
        CheckpointError: ``start``, ``weights`` or ``teacher`` does not fit.
        EnvironmentUnfitError: no such GPU, or no x264 for the views.
        SinkError: ``output`` cannot be written, or another process trains in it.
        MemoryExhaustedError: the pictures, or a batch of views, are more than the machine's memory holds.
    """
    settings = settings or HrSettings()
    checked_crop(settings.augmentation.crop)
    if not 0.0 <= settings.class_balance <= MOST_BALANCE:
        raise OptionError(f"--class-balance {settings.class_balance:g}: expected 0 to {MOST_BALANCE:g}")
    images = dataset_from_folder(dataset, layout)
    if settings.street and images.classes != CAMVID_11:
        raise OptionError(f"--street has CamVid's 11 classes, {images.name} has others; type --street 0")
    place.begin(settings.seed)
    if start is not None and weights is not None:
        raise OptionError(
            "--from has the weights of the whole branch, --weights those of its encoder; type one of them"
        )
    begun = trained_from_name(start) if start is not None else None
    backbone = settings.backbone or (begun.backbone if begun is not None else USUAL_BACKBONE)
    settings = replace(settings, backbone=backbone)
    name = f"{images.name}-{short_name(backbone)}"
    network = _network(Model(name, backbone, images.classes, normalisation_of(images.name)))
    check_encoder(network.hr, settings)
    given = start is not None or weights is not None
    fresh = given and not place.weights_so_far(output)  # a run may have been stopped before its first state
    if begun is not None:
        some = images.train[:: max(1, len(images.train) // PICTURES)][:PICTURES]
        if (told := start_from(network, begun, lambda: (image.read()[0] for image in some))) and fresh:
            say(told)
    if weights is not None and fresh:
        say(start_encoder(network, Path(weights)))
    teaching = trained_from_name(teacher) if teacher is not None else None
    taught_by = teacher_from_trained(teaching, network, settings) if teaching is not None else None
    device = place.torch_device()
    trained_on = [*images.train, *(images.held_back if settings.all_images else ())]
    scored_on = () if settings.all_images else images.held_back
    size = trained_on[0].read()[1].shape
    if told := swap_meant(settings.augmentation.crop, (size[0], size[1]), f"the images of {images.name}"):
        _log.warning("views: %s", told)
    check_memory(len(trained_on) + len(scored_on) + settings.street, (size[0], size[1]), settings, host_memory())
    record: dict[str, Any] = {
        "dataset": images.name,
        "images": len(trained_on),
        DATA: images.sha256(),
        "start": begun.name if begun else None,
    }
    record |= {"weights": Path(weights).name} if weights else {}
    record |= {"teacher": teaching.name, TEACHER: teaching.sha256} if teaching else {}
    with place.folder(output, record | settings.record()) as folder:
        stills, held_back = stills_from_images(trained_on), stills_from_images(scored_on)
        rendered = stills_from_street(settings.street, size=stills[0].rgb.shape[:2], seed=settings.seed)
        training = HrTraining(
            network,
            stills,
            rendered,
            held_back,
            settings,
            folder,
            device=device,
            workers=place.workers,
            teacher=taught_by,
        )
        if training.step < settings.steps:
            say(training.settle_precision())
        return training.run(progress)


def _network(model: Model) -> Network:
    """Build a network whose images are normalised as its encoder's published weights expect, where there are such."""
    network = Network(model)
    network.model = replace(model, normalisation=network.hr.normalisation or model.normalisation)
    return network


class HrTraining(TrainingRun[Sequence[Tensor]]):
    """The HR branch and its head, trained; the LR branch keeps its random weights.

    Args:
        network: its HR branch is the start.
        stills: to train on.
        rendered: of the synthetic street, for the recipe's share of the views.
        held_back: to score on; empty where all images are trained on.
        teacher: that teaches beside the labels.
    """

    name = "HR branch"
    settings: HrSettings

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
        teacher: Teacher | None = None,
    ):
        self.teacher = teacher
        if teacher is not None:
            teacher.network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.stills, self.rendered, self.held_back = stills, rendered, held_back
        network.to(device).trained, network.lr_scale = (Branch.HR,), None
        self.branch = nn.ModuleList([network.hr, network.hr_head])
        # The layout that convolutions on CPUs and tensor cores prefer; torch's overloads do not know the keyword.
        self.branch.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        classes = len(network.model.classes)
        labels = (still.label for still in stills)
        self.weights = class_weights(labels, classes, balance=settings.class_balance).to(device)
        trained = list(self.branch.parameters())
        kernels = [parameter for parameter in trained if parameter.ndim > 1]
        super().__init__(
            network,
            settings,
            folder,
            device=device,
            workers=workers,
            trained=trained,
            decayed=kernels,
            shares=rate_shares(network.hr, settings),
        )

    def batches(self, *, workers: int) -> Iterable[Sequence[Tensor]]:
        """Return pictures ``[N, h, w, 3] uint8`` with their labels ``[N, h, w] uint8``."""
        settings = self.settings
        views = StillViews(
            self.stills,
            self.rendered,
            settings.augmentation,
            rendered_share=settings.rendered_share,
            seed=settings.seed,
            first=self.step * settings.batch,
            last=settings.steps * settings.batch,
        )
        return batches(views, settings.batch, workers=workers)

    def loss(self, batch: Sequence[Tensor]) -> Mapping[str, Tensor]:
        """Return the task loss of the HR branch's classes, and what a teacher adds to it."""
        rgb, label = (column.to(self.device) for column in batch)
        self.branch.train()
        train_backbone(self.network.hr, self.settings)
        image = self.network.images_from_frames(rgb).contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            feature = self.network.hr(image)
            dropped = nn.functional.dropout2d(feature, self.settings.dropout)
            scores = self.network.hr_head.scores(dropped, None)
            taught = self.teacher.losses(rgb, feature, scores) if self.teacher is not None else {}
        settings = self.settings
        task = task_loss(scores, label.long(), self.weights, overlap=settings.overlap, boundary=settings.boundary)
        return {"loss": sum(taught.values(), task), "task": task, **taught} if taught else {"loss": task}

    def score(self) -> Mapping[str, Any]:
        """Score the HR branch on whole stills, where some are held back."""
        if not self.held_back:
            return {}
        return {"miou": hr_miou(self.averaged, self.held_back, self.device)}
