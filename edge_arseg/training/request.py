"""What is asked of a pair store, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edge_arseg.spec.model import ClassInfo
from edge_arseg.training.datasets.dataset import HELD_BACK
from edge_arseg.training.pairs.mix import MIX


@dataclass(frozen=True, slots=True)
class Request:
    """What goes into a store.

    Attributes:
        dataset: folder of labelled images; see ``dataset_from_folder``.
        layout: of it.
        share: of it that is held back.
        clips_per_image: simulated clips of each image.
        street: clips of the rendered street.
        clips: real clips, each with the folder of its labels, or ``None`` for unlabelled ones.
        authors: the AR-Seg authors' processed CamVid folder.
        classes: of the store; by default those of the data set, else those the store has.
        size: rows and columns; by default those of the first image, else those the store has.
        gop: frames from keyframe to keyframe.
        mix: shares of the sources of vectors.
        seed: of everything drawn.
        workers: clips in the making at once.
    """

    dataset: Path | None = None
    layout: str = "auto"
    share: float = HELD_BACK
    clips_per_image: int = 6
    street: int = 0
    clips: tuple[tuple[str, Path | None], ...] = ()
    authors: Path | None = None
    classes: tuple[ClassInfo, ...] | None = None
    size: tuple[int, int] | None = None
    gop: int = 12
    mix: Mapping[str, float] = field(default_factory=lambda: MIX)
    seed: int = 1
    workers: int = 1
