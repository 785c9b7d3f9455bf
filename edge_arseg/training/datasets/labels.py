"""What the values of a label file mean: class indices, or colours."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from edge_arseg.errors import DataError
from edge_arseg.evaluation.labels.files import IGNORED, read_label
from edge_arseg.spec.model import CAMVID_11, CAMVID_12, ClassInfo
from edge_arseg.training.datasets.picture import read_rgb


class LabelCoding(Protocol):
    """How a label file becomes class indices."""

    def read(self, path: Path) -> np.ndarray:
        """Return ``[H, W] uint8``: class indices, 255 where a pixel does not count.

        Raises:
            DataError: the file cannot be read, or holds a value that means nothing.
        """


@dataclass(frozen=True, slots=True)
class IndexCoding:
    """8-bit PNGs of indices.

    Attributes:
        table: 256 entries, what each value means: a class, 255 for ignored, or -1 for an unknown value.
    """

    table: tuple[int, ...]

    def read(self, path: Path) -> np.ndarray:
        """See ``LabelCoding.read``."""
        stored = read_label(path)
        table = np.array(self.table)
        present = np.flatnonzero(np.bincount(stored.reshape(-1), minlength=256))
        if strangers := [int(value) for value in present if table[value] < 0]:
            known = [value for value in range(256) if table[value] >= 0]
            raise DataError(f"{path.name}: unknown label {_told(strangers)}; expected one of {_ranges(known)}")
        return table.astype(np.uint8)[stored]


@dataclass(frozen=True, slots=True)
class ColorCoding:
    """Colour images.

    Attributes:
        classes: colour ``(red, green, blue)`` to class, or to 255 for ignored.
    """

    classes: Mapping[tuple[int, int, int], int]

    def read(self, path: Path) -> np.ndarray:
        """See ``LabelCoding.read``."""
        rgb = read_rgb(path)
        packed = (rgb[..., 0].astype(np.int32) << 16) | (rgb[..., 1].astype(np.int32) << 8) | rgb[..., 2]
        values, places = np.unique(packed, return_inverse=True)
        classes = [
            self.classes.get(((value >> 16) & 255, (value >> 8) & 255, value & 255), -1) for value in values.tolist()
        ]
        if strangers := [value for value, meant in zip(values.tolist(), classes, strict=True) if meant < 0]:
            shown = ", ".join(f"{v >> 16},{(v >> 8) & 255},{v & 255}" for v in strangers[:4])
            more = ", ..." if len(strangers) > 4 else ""
            raise DataError(f"{path.name}: unknown colour {shown}{more}; expected one of the {len(self.classes)} known")
        return np.array(classes, np.uint8)[places].reshape(packed.shape)


def plain_coding(classes: int) -> IndexCoding:
    """Indices as in this package: 0 to ``classes - 1``; ``classes`` itself and 255 are ignored."""
    table = [*range(classes), IGNORED] + [-1] * (255 - classes)
    table[IGNORED] = IGNORED
    return IndexCoding(tuple(table[:256]))


def _told(values: list[int]) -> str:
    return ", ".join(map(str, values[:8])) + (", ..." if len(values) > 8 else "")


def _ranges(values: list[int]) -> str:
    """``0 to 11, 255``."""
    parts: list[list[int]] = []
    for value in values:
        if parts and parts[-1][1] == value - 1:
            parts[-1][1] = value
        else:
            parts.append([value, value])
    return ", ".join(str(a) if a == b else f"{a} to {b}" for a, b in parts)


Colors = dict[tuple[int, int, int], int]


_TABLE = """
    64 128 64 Animal pedestrian
    192 0 128 Archway building
    0 128 192 Bicyclist bicyclist
    0 128 64 Bridge building
    128 0 0 Building building
    64 0 128 Car car
    64 0 192 CartLuggagePram pedestrian
    192 128 64 Child pedestrian
    192 192 128 Column_Pole column_pole
    64 64 128 Fence fence
    128 0 192 LaneMkgsDriv road
    192 0 64 LaneMkgsNonDriv road
    128 128 64 Misc_Text sign
    192 0 192 MotorcycleScooter bicyclist
    128 64 64 OtherMoving car
    64 192 128 ParkingBlock sidewalk
    64 64 0 Pedestrian pedestrian
    128 64 128 Road road
    128 128 192 RoadShoulder sidewalk
    0 0 192 Sidewalk sidewalk
    192 128 128 SignSymbol sign
    128 128 128 Sky sky
    64 128 192 SUVPickupTruck car
    0 0 64 TrafficCone column_pole
    0 64 64 TrafficLight sign
    192 64 128 Train car
    128 128 0 Tree tree
    192 128 192 Truck_Bus car
    64 0 64 Tunnel building
    192 192 0 VegetationMisc tree
    0 0 0 Void -
    64 192 0 Wall building
"""
"""Red, green, blue, CamVid's name, and the class of the usual 11-class labelling."""


def camvid_11_colors() -> tuple[tuple[ClassInfo, ...], Colors]:
    """The usual labelling: 31 colours merged into 11 classes, Void ignored."""
    names = {info.name: index for index, info in enumerate(CAMVID_11)}
    return CAMVID_11, {color: names.get(merged, IGNORED) for color, merged in _rows()}


def camvid_12_colors() -> tuple[tuple[ClassInfo, ...], Colors]:
    """The AR-Seg authors' labelling: 12 exact colours, Void a class of its own, the other 20 ignored."""
    exact = {info.color: index for index, info in enumerate(CAMVID_12)}
    return CAMVID_12, {color: exact.get(color, IGNORED) for color, _ in _rows()}


def _rows() -> list[tuple[tuple[int, int, int], str]]:
    rows = [line.split() for line in _TABLE.strip().splitlines()]
    return [((int(row[0]), int(row[1]), int(row[2])), row[4]) for row in rows]
