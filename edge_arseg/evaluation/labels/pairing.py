"""Which label belongs to which picture. Never a guess: what cannot be told is an error."""

import re
from collections import Counter
from pathlib import Path

from edge_arseg.errors import DataError
from edge_arseg.quantity import counted
from edge_arseg.video.sources.folder import PICTURES


def label_paths(folder: Path) -> list[Path]:
    """Return the PNG files of a folder in the order of their names.

    Raises:
        DataError: no folder, or no PNG in it.
    """
    return _files(folder, (".png",), "label PNGs")


def image_paths(folder: Path) -> list[Path]:
    """Return the images of a folder in the order of their names.

    Raises:
        DataError: no folder, or no image in it.
    """
    return _files(folder, PICTURES, "images")


def labels_by_frame(paths: list[Path], frame_count: int, *, where: Path) -> dict[int, Path]:
    """Return the label of each labelled frame by the frame's index.

    1. As many labels as frames: the labels in order belong to the frames in order. Names that are only digits are put
       in order of their numbers, all others in order of their text, which must also be the order of the numbers in
       it (``f10`` before ``f2`` is refused: nobody can say what is meant).
    2. Another number of labels: every name must be the index of its frame, only digits, counted from 0, such as
       ``000123.png``. Frames without a label are run, but not scored.

    Two sequences that merely have the same length are the user's to prevent; sequences of different length are never
    paired by their order, because one missing file would silently shift all behind it.

    Raises:
        DataError: neither applies; all faults in one message.
    """
    numbered = all(path.stem.isascii() and path.stem.isdigit() for path in paths)
    numbers = [int(path.stem) for path in paths] if numbered else []
    often = {number for number, times in Counter(numbers).items() if times > 1}
    faults = [
        f"{path.name}: the same number as another label"
        for number, path in zip(numbers, paths, strict=False)
        if number in often
    ]
    if len(paths) == frame_count and not faults:
        ordered = [path for _, path in sorted(zip(numbers, paths, strict=True))] if numbered else sorted(paths)
        if not numbered and ordered != sorted(paths, key=_natural):
            raise DataError(
                f"{where}: the order of the names is not the order of the numbers in them "
                f"({_first_difference(ordered)}); pad the numbers with zeros, like 000123.png"
            )
        return dict(enumerate(ordered))
    if not numbered:
        strange = next(path.name for path in paths if not (path.stem.isascii() and path.stem.isdigit()))
        raise DataError(
            f"{where}: {counted(len(paths), 'label')} for {counted(frame_count, 'frame')}, and names like "
            f"{strange} do not say which frame "
            "they belong to; expected one label per frame, or names that are frame indices from 0, like 000123.png"
        )
    faults += [
        f"{path.name}: no frame {number}, the clip has frames 0 to {frame_count - 1}"
        for number, path in zip(numbers, paths, strict=True)
        if number >= frame_count
    ]
    if faults:
        lines = "\n".join(f"  {fault}" for fault in faults)
        raise DataError(
            f"{where}: {counted(len(paths), 'label')} for {counted(frame_count, 'frame')}, so names must be "
            f"frame indices from 0\n{lines}"
        )
    return dict(sorted(zip(numbers, paths, strict=True)))


def pairs_by_stem(images: list[Path], labels: list[Path]) -> tuple[list[tuple[Path, Path]], list[str]]:
    """Pair images with labels of the same name without its ending.

    Returns:
        The pairs in the order of the images, and what is wrong: images without label, labels without image, two
        images of one name.
    """
    by_stem = {path.stem: path for path in labels}
    seen: dict[str, Path] = {}
    pairs, faults = [], []
    for image in images:
        if image.stem in seen:
            faults.append(f"{image.name}: the same name as {seen[image.stem].name}")
        elif image.stem not in by_stem:
            faults.append(f"{image.name}: an image without a label {image.stem}.png")
        else:
            pairs.append((image, by_stem[image.stem]))
        seen.setdefault(image.stem, image)
    faults += [f"{label.name}: a label without an image" for label in labels if label.stem not in seen]
    return pairs, faults


def _files(folder: Path, suffixes: tuple[str, ...], what: str) -> list[Path]:
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; expected one with {what}")
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in suffixes and not p.name.startswith("."))
    if not found:
        raise DataError(f"{folder}: no file ends in {', '.join(suffixes)}; expected {what}")
    return found


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sort key under which digits count as numbers: ``f2`` before ``f10``."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", path.name)]


def _first_difference(ordered: list[Path]) -> str:
    natural = sorted(ordered, key=_natural)
    text, number = next((a, b) for a, b in zip(ordered, natural, strict=True) if a != b)
    return f"{text.name} sorts before {number.name}"
