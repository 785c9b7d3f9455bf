"""Everything that can go into a pair store, from one request."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edge_arseg.errors import DataError, OptionError
from edge_arseg.spec.classes import ClassInfo
from edge_arseg.spec.progress import Progress, no_progress
from edge_arseg.training.datasets.dataset import HELD_BACK, Dataset
from edge_arseg.training.datasets.layouts import dataset_from_folder
from edge_arseg.training.pairs.authors import jobs_from_authors
from edge_arseg.training.pairs.clips import store_from_clip
from edge_arseg.training.pairs.jobs import Job, store_from_jobs
from edge_arseg.training.pairs.pair import record_dtype
from edge_arseg.training.pairs.store import StoreHead, read_head
from edge_arseg.training.pairs.writer import StoreWriter
from edge_arseg.training.simulation.still_jobs import jobs_from_stills
from edge_arseg.training.simulation.street_jobs import jobs_from_street

MIX: Mapping[str, float] = {"recode": 0.8, "codec": 0.1, "zero": 0.1}
"""Sources of vectors at inference, and a little of what goes wrong there."""

_FRAMES_A_CLIP = 4


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


def store_from_request(path: str | Path, request: Request, *, progress: Progress = no_progress) -> int:
    """Prepare a store, or go on with one: what it has already is not made again.

    Args:
        path: the store's folder.
        request: what goes in.
        progress: told how far it is.

    Returns:
        How many stored clips are new.

    Raises:
        OptionError: nothing was asked for, or a value is out of range.
        DataError: bad files, all of them in one message; a store of another kind; or not enough room on the disk.
        SourceError: a clip cannot be read.
    """
    path = Path(path)
    if not (request.dataset or request.clips or request.authors or request.street):
        raise OptionError("nothing to prepare; expected a data set, --clip, --unlabelled, --street or --authors")
    if request.gop < 2:
        raise OptionError(f"a GOP of {request.gop} frames: expected 2 or more")
    dataset = dataset_from_folder(request.dataset, request.layout, share=request.share) if request.dataset else None
    head = _head(path, request, dataset)
    size = head.height, head.width
    jobs: list[Job] = []
    if request.authors:
        authors, jobs = jobs_from_authors(request.authors, size=size)
        if authors.classes != head.classes:
            raise DataError(f"{request.authors}: has the authors' 12 classes, the store has {len(head.classes)} others")
    if dataset is not None:
        jobs += jobs_from_stills(
            dataset,
            clips_per_image=request.clips_per_image,
            seed=request.seed,
            size=size,
            gop=head.gop,
            mix=request.mix,
        )
    jobs += jobs_from_street(head.classes, request.street, seed=request.seed, size=size, gop=head.gop, mix=request.mix)
    _check_room(path, head, len(jobs))
    writer = StoreWriter(path, head)
    made = store_from_jobs(writer, jobs, workers=request.workers, progress=progress) if jobs else 0
    real = [*request.clips]
    if dataset is not None:
        real += [(str(clip), labels) for clip, labels in dataset.clips]
    for clip, labels in real:
        made += store_from_clip(writer, clip, labels, seed=request.seed, mix=request.mix, progress=progress)
    return made


def _head(path: Path, request: Request, dataset: Dataset | None) -> StoreHead:
    there = read_head(path) if (path / "store.json").exists() else None
    classes, size = request.classes, request.size
    if classes is None:
        classes = dataset.classes if dataset else there.classes if there else None
    if classes is None and request.authors:
        from edge_arseg.spec.classes import CAMVID_12

        classes = CAMVID_12
    if classes is None:
        raise OptionError(
            "which classes? a store of clips alone needs --classes camvid-11, cityscapes-19 or a TOML file"
        )
    if dataset is not None and dataset.classes != classes:
        raise DataError(
            f"{dataset.name} has {len(dataset.classes)} classes, not the {len(classes)} that were asked for"
        )
    if size is None and there:
        size = there.height, there.width
    if size is None and dataset and dataset.train:
        rows, columns = dataset.train[0].read()[1].shape
        size = rows, columns
    if size is None:
        size = (720, 960) if request.authors else (360, 480)
    if min(size) < 64:
        raise OptionError(f"frames of {size[0]}x{size[1]}: expected 64 rows and columns or more")
    return StoreHead(classes, *size, request.gop)


def _check_room(path: Path, head: StoreHead, clips: int) -> None:
    needed = clips * _FRAMES_A_CLIP * record_dtype(head.height, head.width).itemsize
    there = sum(file.stat().st_size for file in (path / "clips").glob("*.npy")) if path.is_dir() else 0
    folder = next(parent for parent in [path.absolute(), *path.absolute().parents] if parent.exists())
    free = shutil.disk_usage(folder).free
    if needed - there > free:
        raise DataError(
            f"{path}: {clips} clips of {head.height}x{head.width} take about {needed / 1e9:.0f} GB, "
            f"{free / 1e9:.0f} GB are free; choose a smaller --size or fewer --clips-per-image"
        )
