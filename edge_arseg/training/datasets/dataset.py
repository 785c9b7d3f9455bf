"""A data set: labelled images, and the part of them held back for choosing among checkpoints."""

from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np

from edge_arseg.errors import DataError, OptionError
from edge_arseg.spec.model import ClassInfo
from edge_arseg.training.datasets.labels import LabelCoding, plain_coding
from edge_arseg.training.datasets.picture import read_rgb

HELD_BACK = 0.1
"""Share of the training images that is held back, unless said otherwise."""
_MOST_TOLD = 20
_ANY = plain_coding(255)


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """An image file with its label file.

    Attributes:
        image: the picture.
        label: the label, of the size that the picture has as it is shown.
        coding: what the values in ``label`` mean; by default class indices, of which only 255 is ignored.
    """

    image: Path
    label: Path
    coding: LabelCoding = field(default=_ANY, repr=False)

    @property
    def name(self) -> str:
        """The image's name without its ending."""
        return self.image.stem

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the picture, as it is shown, and its label.

        Returns:
            ``[H, W, 3] uint8`` RGB and ``[H, W] uint8`` class indices, 255 where a pixel does not count.

        Raises:
            DataError: a file cannot be read, the sizes differ, or a label value means nothing.
        """
        rgb, label = read_rgb(self.image), self.coding.read(self.label)
        (rows, columns), shape = rgb.shape[:2], label.shape
        if (rows, columns) != shape:
            turned = "; labels are of an image as its EXIF data turns it" if shape == (columns, rows) else ""
            raise DataError(
                f"{self.label.name}: {shape[0]}x{shape[1]} (rows x columns), its image is {rows}x{columns}{turned}"
            )
        return rgb, label


@dataclass(frozen=True, slots=True)
class Dataset:
    """Labelled images of one set of classes. The test part of a data set is never in here.

    Attributes:
        name: for records.
        classes: names and colours, by index.
        train: to learn from.
        held_back: to choose the best checkpoint by; never trained on.
        clips: real clips, each with the folder of its labels.
    """

    name: str
    classes: tuple[ClassInfo, ...]
    train: tuple[LabelledImage, ...]
    held_back: tuple[LabelledImage, ...]
    clips: tuple[tuple[Path, Path], ...] = ()

    def sha256(self) -> str:
        """Digest of the classes, and of name, length and part of every file; no content is read.

        Raises:
            DataError: a file is gone.
        """
        total = sha256(repr(self.classes).encode())
        for part, images in (("train", self.train), ("held_back", self.held_back)):
            for one in images:
                try:
                    lengths = one.image.stat().st_size, one.label.stat().st_size
                except OSError as error:
                    raise DataError(f"{one.name}: image or label is gone ({error.strerror or error})") from error
                total.update(f"{part} {one.image.name} {one.label.name} {lengths}\n".encode(errors="surrogateescape"))
        return total.hexdigest()


def split_images(
    images: Sequence[LabelledImage], share: float = HELD_BACK
) -> tuple[tuple[LabelledImage, ...], tuple[LabelledImage, ...]]:
    """Hold back a run of images in the middle of every sequence.

    Neighbours in a sequence look alike, so scattered images would be known from training. A sequence is what its names
    have before the first ``_``; names without one make one sequence together. The same images always give the same
    split.

    Args:
        images: in any order.
        share: of each sequence, above 0 and below 1.

    Returns:
        Those to train on and those held back, both in the order of their names.

    Raises:
        OptionError: ``share`` is out of range.
    """
    if not 0 < share < 1:
        raise OptionError(f"a held-back share of {share}: expected more than 0 and less than 1")
    sequences: dict[str, list[LabelledImage]] = defaultdict(list)
    for image in sorted(images, key=lambda image: image.name):
        before, bar, _ = image.name.partition("_")
        sequences[before if bar else ""].append(image)
    counts = {name: round(len(members) * share) for name, members in sequences.items()}
    if len(images) > 1 and not any(counts.values()):  # too few everywhere: one image of the longest sequence
        counts[max(sequences, key=lambda name: len(sequences[name]))] = 1
    train, held_back = [], []
    for name, members in sequences.items():
        first = (len(members) - counts[name]) // 2
        last = first + counts[name]
        train += members[:first] + members[last:]
        held_back += members[first:last]
    return tuple(train), tuple(held_back)


def checked_dataset(dataset: Dataset, *, where: Path, faults: Sequence[str] = ()) -> Dataset:
    """Read every file of a data set once, before anything is trained.

    Args:
        dataset: to check.
        where: the folder, for the message.
        faults: found before, to be told in the same message.

    Returns:
        The same data set.

    Raises:
        DataError: unreadable files, sizes that differ, unknown label values, or an empty part: all in one message.
    """
    all_faults = list(faults)
    for part, images in (("train", dataset.train), ("held-back", dataset.held_back)):
        counted = 0
        with ThreadPoolExecutor() as pool:  # decoding runs without the interpreter's lock
            for answer in pool.map(lambda image: _counted(image, len(dataset.classes)), images):
                if isinstance(answer, str):
                    all_faults.append(answer)
                else:
                    counted += answer
        if not images and not all_faults:
            all_faults.append(f"the {part} part is empty; expected at least 2 labelled images in all")
        elif not counted and not all_faults:
            all_faults.append(f"every pixel of the {part} part is ignored")
    if all_faults:
        raise DataError(faults_told(where, all_faults))
    return dataset


def _counted(image: LabelledImage, classes: int) -> int | str:
    """Pixels of an image that have a class, or what is wrong with it."""
    try:
        return int(np.count_nonzero(image.read()[1] < classes))
    except DataError as error:
        return str(error)


def faults_told(where: Path, faults: Sequence[str]) -> str:
    """Return one message for all faults of a folder; beyond 20 they are counted."""
    lines = [f"  {fault}" for fault in faults[:_MOST_TOLD]]
    if len(faults) > _MOST_TOLD:
        lines.append(f"  and {len(faults) - _MOST_TOLD} more")
    return "\n".join([f"{where}: {len(faults)} {'fault' if len(faults) == 1 else 'faults'}", *lines])
