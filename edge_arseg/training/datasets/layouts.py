"""The folder layouts that data sets come in."""

from collections.abc import Callable
from pathlib import Path

from edge_arseg.errors import DataError, OptionError
from edge_arseg.evaluation.labels.files import IGNORED
from edge_arseg.evaluation.labels.pairing import image_paths, label_paths, pairs_by_stem
from edge_arseg.spec.model import CAMVID_11, CITYSCAPES_19, ClassInfo
from edge_arseg.training.datasets.classes import classes_from_file
from edge_arseg.training.datasets.dataset import HELD_BACK, Dataset, LabelledImage, checked_dataset, split_images
from edge_arseg.training.datasets.labels import (
    ColorCoding,
    IndexCoding,
    LabelCoding,
    camvid_11_colors,
    camvid_12_colors,
    plain_coding,
)

_CITYSCAPES_IDS = {7: 0, 8: 1, 11: 2, 12: 3, 13: 4, 17: 5, 19: 6, 20: 7, 21: 8, 22: 9, 23: 10, 24: 11, 25: 12, 26: 13}
_CITYSCAPES_IDS |= {27: 14, 28: 15, 31: 16, 32: 17, 33: 18}

Found = tuple[str, tuple[ClassInfo, ...], list[LabelledImage], list[LabelledImage] | None, list[str]]
"""Name, classes, images to train on, images held back by the layout itself (or ``None``), and faults."""


def dataset_from_folder(path: str | Path, layout: str = "auto", *, share: float = HELD_BACK) -> Dataset:
    """Find the labelled images of a folder, hold a part back, and check every file.

    ===================  ============================================================================================
    ``plain``            ``images/``, ``labels/`` (index PNGs of the same names), ``classes.toml``; or the two folders
                         inside ``train/`` and, if the split is yours, inside ``val/``, which is then held back;
                         ``clips/NAME.mp4`` with the labels of some frames in ``clips/NAME/000123.png`` may be added
    ``camvid``           ``train/images``, ``train/labels`` (indices, 11 = unlabelled), or the folder ``train`` itself
    ``segnet``           ``train``, ``trainannot``: the SegNet tutorial's copy of CamVid
    ``camvid-colors``    ``701_StillsRaw_full`` and ``LabeledApproved_full`` (``NAME_L.png``), the 32 colours merged
                         into the usual 11 classes
    ``camvid-authors``   the same files in the labelling of the AR-Seg authors: 12 classes, 12 exact colours
    ``cityscapes``       ``leftImg8bit/train`` and ``gtFine/train`` (``_labelIds.png``), 19 classes
    ===================  ============================================================================================

    Beside ``camvid-colors`` files a ``train.txt`` names the images to use; without it all are used, those of the test
    part among them. In the other layouts test parts (CamVid's and Cityscapes' ``val`` and ``test``) are never read.

    Args:
        path: the folder.
        layout: one of these, or ``auto`` to tell by the folders found.
        share: of each sequence that is held back; see ``split_images``.

    Raises:
        DataError: no such layout in the folder, or bad files, all of them in one message.
        OptionError: unknown layout.
    """
    path = Path(path)
    if layout == "auto":
        layout = layout_from_folder(path)
    if layout not in _LAYOUTS:
        raise OptionError(f"layout {layout!r} seen, expected auto, {', '.join(_LAYOUTS)}")
    name, classes, images, own_split, faults = _LAYOUTS[layout](path)
    train, held_back = split_images(images, share) if own_split is None else (tuple(images), tuple(own_split))
    clips, more = _clips(path / "clips") if layout == "plain" else ((), [])
    dataset = Dataset(name, classes, train, held_back, clips)
    return checked_dataset(dataset, where=path, faults=[*faults, *more])


def layout_from_folder(path: Path) -> str:
    """Tell the layout by the folders found.

    Raises:
        DataError: none of the known ones.
    """
    if not path.is_dir():
        raise DataError(f"{path}: no such folder; expected the folder of a data set")

    def has(*names: str) -> bool:
        return all((path / name).exists() for name in names)

    if has("classes.toml"):
        return "plain"
    if has("leftImg8bit", "gtFine"):
        return "cityscapes"
    if has("train/images", "train/labels") or has("images", "labels"):
        return "camvid"
    if has("train", "trainannot"):
        return "segnet"
    if has("701_StillsRaw_full", "LabeledApproved_full"):
        return "camvid-colors"
    raise DataError(
        f"{path}: no layout of a data set that is known; expected images/ with labels/ and classes.toml, "
        "train/images with train/labels, train with trainannot, 701_StillsRaw_full with LabeledApproved_full, "
        "or leftImg8bit with gtFine"
    )


def _camvid(path: Path) -> Found:
    inside = path / "train" if (path / "train").is_dir() else path
    images, faults = _paired(inside / "images", inside / "labels", plain_coding(len(CAMVID_11)))
    return "camvid", CAMVID_11, images, None, faults


def _segnet(path: Path) -> Found:
    images, faults = _paired(path / "train", path / "trainannot", plain_coding(len(CAMVID_11)))
    return "camvid", CAMVID_11, images, None, faults


def _camvid_colors(path: Path) -> Found:
    classes, colors = camvid_11_colors()
    images, faults = _colored(path, ColorCoding(colors))
    return "camvid", classes, images, None, faults


def _camvid_authors(path: Path) -> Found:
    classes, colors = camvid_12_colors()
    images, faults = _colored(path, ColorCoding(colors))
    return "camvid-12", classes, images, None, faults


def _cityscapes(path: Path) -> Found:
    table = [_CITYSCAPES_IDS.get(value, IGNORED if value <= 33 or value == 255 else -1) for value in range(256)]
    coding = IndexCoding(tuple(table))
    pictures, labels = path / "leftImg8bit" / "train", path / "gtFine" / "train"
    images: list[LabelledImage] = []
    faults: list[str] = []
    if not pictures.is_dir():
        raise DataError(f"{path}: no folder leftImg8bit/train")
    for image in sorted(pictures.glob("*/[!.]*_leftImg8bit.png")):
        stem = image.name.removesuffix("_leftImg8bit.png")
        label = labels / image.parent.name / f"{stem}_gtFine_labelIds.png"
        if label.is_file():
            images.append(LabelledImage(image, label, coding))
        else:
            faults.append(f"{image.name}: an image without a label {label.name}")
    known = {image.label for image in images}
    faults += [
        f"{label.name}: a label without an image"
        for label in sorted(labels.glob("*/[!.]*_gtFine_labelIds.png"))
        if label not in known
    ]
    return "cityscapes", CITYSCAPES_19, images, None, faults


def _plain(path: Path) -> Found:
    classes = classes_from_file(path / "classes.toml")
    coding = plain_coding(len(classes))
    if not (path / "train").is_dir():
        images, faults = _paired(path / "images", path / "labels", coding)
        return path.resolve().name, classes, images, None, faults
    images, faults = _paired(path / "train/images", path / "train/labels", coding)
    held_back = None
    if (path / "val").is_dir():
        held_back, more = _paired(path / "val/images", path / "val/labels", coding)
        faults += more
    return path.resolve().name, classes, images, held_back, faults


def _clips(folder: Path) -> tuple[tuple[tuple[Path, Path], ...], list[str]]:
    """Clips with the folders of their labels, which have their names."""
    files = sorted(file for file in folder.glob("*") if file.is_file() and not file.name.startswith("."))
    folders = {inside.name for inside in folder.glob("*") if inside.is_dir()}
    faults = [
        f"clips/{file.name}: no folder clips/{file.stem} with its labels" for file in files if file.stem not in folders
    ]
    faults += [f"clips/{name}: labels without a clip" for name in sorted(folders - {file.stem for file in files})]
    return tuple((file, folder / file.stem) for file in files if file.stem in folders), faults


def _paired(images: Path, labels: Path, coding: LabelCoding) -> tuple[list[LabelledImage], list[str]]:
    pairs, faults = pairs_by_stem(image_paths(images), label_paths(labels))
    return [LabelledImage(image, label, coding) for image, label in pairs], faults


def _colored(path: Path, coding: LabelCoding) -> tuple[list[LabelledImage], list[str]]:
    by_stem = {image.stem: image for image in image_paths(path / "701_StillsRaw_full")}
    labels = {label.stem.removesuffix("_L"): label for label in label_paths(path / "LabeledApproved_full")}
    listed = path / "train.txt"
    names = _listed(listed) if listed.is_file() else sorted({*by_stem, *labels})
    names = list(dict.fromkeys(Path(name).stem.removesuffix("_L") for name in names))
    faults = [f"{name}: no image {name}.png in 701_StillsRaw_full" for name in names if name not in by_stem]
    faults += [f"{name}: no label {name}_L.png in LabeledApproved_full" for name in names if name not in labels]
    both = [name for name in names if name in by_stem and name in labels]
    return [LabelledImage(by_stem[name], labels[name], coding) for name in both], faults


def _listed(path: Path) -> list[str]:
    """Names in a file that names the images to use."""
    try:
        return path.read_text(encoding="utf-8-sig").split()
    except (OSError, ValueError) as error:
        told = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: cannot be read ({told}); expected the names of images, as UTF-8") from error


_LAYOUTS: dict[str, Callable[[Path], Found]] = {
    "plain": _plain,
    "camvid": _camvid,
    "segnet": _segnet,
    "camvid-colors": _camvid_colors,
    "camvid-authors": _camvid_authors,
    "cityscapes": _cityscapes,
}
LAYOUTS = tuple(_LAYOUTS)
"""What can be asked for."""
