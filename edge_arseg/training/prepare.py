"""Preparing a pair store: everything that can go into one, from one request."""

import logging
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge_arseg.errors import DataError, OptionError, SinkError
from edge_arseg.evaluation.labels.pairing import label_paths
from edge_arseg.quantity import counted
from edge_arseg.spec.geometry.swapped_size import swap_meant
from edge_arseg.spec.model import CAMVID_12
from edge_arseg.spec.progress import Progress, no_progress
from edge_arseg.storage.fault import advice_on, text_of_bytes
from edge_arseg.training.datasets.dataset import Dataset
from edge_arseg.training.datasets.layouts import dataset_from_folder
from edge_arseg.training.pairs.authors import jobs_from_authors
from edge_arseg.training.pairs.clips import store_from_clip
from edge_arseg.training.pairs.jobs import Job, store_from_jobs
from edge_arseg.training.pairs.pair import record_dtype
from edge_arseg.training.pairs.store import PARTS, PairStore, StoreHead, read_head
from edge_arseg.training.pairs.writer import StoreWriter
from edge_arseg.training.request import Request
from edge_arseg.training.simulation.still_jobs import count_of_stills, jobs_from_stills
from edge_arseg.training.simulation.street_jobs import jobs_from_street
from edge_arseg.video.presence import refuse_missing
from edge_arseg.video.uri import source_from_uri

_log = logging.getLogger(__name__)

_FRAMES_A_CLIP = 4
MOST = 16384
"""Pixels of a side, at most: what encoders take."""
MOST_GOP = 1000
"""Frames from keyframe to keyframe, at most: a simulated clip is in memory as a whole."""


@dataclass(frozen=True, slots=True)
class PreparedPairs:
    """A store after it was prepared.

    Attributes:
        store: its folder.
        new_clips: stored clips (a keyframe with its pairs) that were made now; ``clips``: all of them.
        pairs: to train on (``train``) and held back (``held_back``).
        labelled_clips: those with labels.
        height, width: of the frames, pixels.
        gop: frames from keyframe to keyframe.
        classes: how many.
        motion: clips by where their vectors came from.
        bytes: on disk.
    """

    store: str
    new_clips: int
    clips: int
    pairs: Mapping[str, int]
    labelled_clips: int
    height: int
    width: int
    gop: int
    classes: int
    motion: Mapping[str, int]
    bytes: int


def prepare_pairs(path: str | Path, request: Request, *, progress: Progress = no_progress) -> PreparedPairs:
    """Prepare a store, or continue one, and say what is in it then.

    Args, Raises: see ``store_from_request``.
    """
    new_clips = store_from_request(path, request, progress=progress)
    whole = PairStore(path, part="all", labelled=None)
    return PreparedPairs(
        store=str(path),
        new_clips=new_clips,
        clips=len(whole.clips),
        pairs={part: sum(len(entry.distances) for entry in whole.clips if entry.part == part) for part in PARTS},
        labelled_clips=sum(entry.labelled for entry in whole.clips),
        height=whole.height,
        width=whole.width,
        gop=whole.gop,
        classes=len(whole.classes),
        motion=dict(sorted(Counter(entry.motion for entry in whole.clips).items())),
        bytes=sum(file.stat().st_size for file in (Path(path) / "clips").glob("*.npy")),
    )


def store_from_request(path: str | Path, request: Request, *, progress: Progress = no_progress) -> int:
    """Prepare a store, or continue one: what it has already is not made again.

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
    if not 2 <= request.gop <= MOST_GOP:
        raise OptionError(f"a GOP of {counted(request.gop, 'frame')}: expected 2 to {MOST_GOP}")
    if request.clips_per_image < 1 or request.street < 0:
        raise OptionError(
            f"{counted(request.clips_per_image, 'clip')} of an image and {request.street} of the street: "
            "expected 1 or more, and "
            "0 or more"
        )
    dataset = dataset_from_folder(request.dataset, request.layout, share=request.share) if request.dataset else None
    real = [*request.clips, *([] if dataset is None else [(str(clip), labels) for clip, labels in dataset.clips])]
    for clip, labels in real:  # what is not there is said now, and not behind the images
        refuse_missing(source_from_uri(clip))
        if labels is not None:
            label_paths(labels)
    head = _head(path, request, dataset)
    size = head.height, head.width
    planned = request.street + (0 if dataset is None else count_of_stills(dataset, request.clips_per_image))
    _check_room(path, head, planned)  # before millions of them are planned
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
    for clip, labels in real:
        made += store_from_clip(writer, clip, labels, seed=request.seed, mix=request.mix, progress=progress)
    return made


def _head(path: Path, request: Request, dataset: Dataset | None) -> StoreHead:
    there = read_head(path) if (path / "store.json").exists() else None
    classes, size = request.classes, request.size
    if classes is None:
        classes = dataset.classes if dataset else there.classes if there else None
    if classes is None and request.authors:
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
    if dataset and dataset.train and not there:
        rows, columns = dataset.train[0].read()[1].shape
        size = size or (rows, columns)
        if told := swap_meant(size, (rows, columns), f"the images of {dataset.name}"):
            _log.warning("frame size: %s", told)
    if size is None:
        size = (720, 960) if request.authors else (360, 480)
    if not 64 <= min(size) <= max(size) <= MOST:
        raise OptionError(f"frames of {size[0]}x{size[1]}: expected 64 to {MOST} rows and columns")
    return StoreHead(classes, *size, request.gop)


def _check_room(path: Path, head: StoreHead, clips: int) -> None:
    needed = clips * _FRAMES_A_CLIP * record_dtype(head.height, head.width).itemsize
    try:
        there = sum(file.stat().st_size for file in (path / "clips").glob("*.npy")) if path.is_dir() else 0
        folder = next(parent for parent in [path.absolute(), *path.absolute().parents] if parent.exists())
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise SinkError(f"cannot write {path}: {advice_on(error, path, option='-o')}") from error
    if needed - there > free:
        raise DataError(
            f"{path}: {clips} clips of {head.height}x{head.width} take about {text_of_bytes(needed)}, "
            f"{text_of_bytes(free)} are free; choose a smaller --size or fewer --clips-per-image"
        )
