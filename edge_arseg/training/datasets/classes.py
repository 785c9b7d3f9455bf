"""The classes and the normalisation of a data set."""

from pathlib import Path
from typing import Any

from edge_arseg.errors import DataError
from edge_arseg.quantity import counted
from edge_arseg.spec.model import (
    CAMVID_11,
    CAMVID_12,
    CAMVID_NORMALISATION,
    CITYSCAPES_19,
    CITYSCAPES_NORMALISATION,
    IMAGENET_NORMALISATION,
    ClassInfo,
    Normalisation,
)
from edge_arseg.storage.toml import data_from_toml, toml_text

_EXAMPLE = '[[class]]\nname = "road"\ncolor = [128, 64, 128]'


KNOWN_CLASSES = {"camvid-11": CAMVID_11, "camvid-12": CAMVID_12, "cityscapes-19": CITYSCAPES_19}
"""Classes by name."""


def classes_from_text(text: str) -> tuple[ClassInfo, ...]:
    """Return the classes of a name in ``KNOWN_CLASSES``, else of the file that ``text`` names.

    Raises:
        DataError: see ``classes_from_file``.
    """
    return KNOWN_CLASSES[text] if text in KNOWN_CLASSES else classes_from_file(Path(text))


def classes_from_file(path: Path) -> tuple[ClassInfo, ...]:
    """Read class names and colours; the first entry is class 0.

    ::

        [[class]]
        name = "road"
        color = [128, 64, 128]

    Raises:
        DataError: no such file, not TOML, or unusable entries, all of them in one message.
    """
    try:
        content = data_from_toml(toml_text(path))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); expected entries like\n{_EXAMPLE}") from error
    except ValueError as error:  # not TOML, not UTF-8, numbers or nesting without end
        raise DataError(f"{path}: not TOML ({error}); expected entries like\n{_EXAMPLE}") from error
    rows = content.get("class")
    if not isinstance(rows, list) or not 2 <= len(rows) <= 254:
        raise DataError(f"{path}: expected 2 to 254 entries like\n{_EXAMPLE}")
    faults = [f"  entry {number}: {fault}" for number, row in enumerate(rows) for fault in _faults(row)]
    names = [row.get("name") for row in rows if isinstance(row, dict)]
    faults += [f"  the name {name!r} twice" for name in sorted({str(n) for n in names if names.count(n) > 1})]
    if faults:
        raise DataError(
            "\n".join([f"{path}: {counted(len(faults), 'fault')}; expected entries like\n{_EXAMPLE}", *faults])
        )
    return tuple(ClassInfo(row["name"], tuple(row["color"])) for row in rows)


def _faults(row: Any) -> list[str]:
    if not isinstance(row, dict):
        return ["not a table"]
    faults = []
    if not isinstance(row.get("name"), str) or not row["name"].strip():
        faults.append("no name")
    color = row.get("color")
    if not (isinstance(color, list) and len(color) == 3 and all(type(c) is int and 0 <= c <= 255 for c in color)):
        faults.append(f"color {color!r}; expected three numbers from 0 to 255")
    if strange := set(row) - {"name", "color"}:
        faults.append(f"unknown {', '.join(sorted(strange))}")
    return faults


def normalisation_of(dataset: str) -> Normalisation:
    """Return the authors' constants for CamVid and Cityscapes, ImageNet's for everything else."""
    if dataset.startswith("camvid"):
        return CAMVID_NORMALISATION
    return CITYSCAPES_NORMALISATION if dataset == "cityscapes" else IMAGENET_NORMALISATION
