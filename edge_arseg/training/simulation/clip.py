"""A labelled still as a short clip with labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge_arseg.spec.model import ClassInfo
from edge_arseg.training.simulation.camera import path_from_seed
from edge_arseg.training.simulation.depth import Relief, relief_from_label
from edge_arseg.training.simulation.render import (
    View,
    move_sources,
    nearest_in_cells,
    picture_from_sources,
    sources_from_view,
)

RATE = 15.0
"""Frames a second that speeds are meant for."""


@dataclass(frozen=True, slots=True)
class LabelledFrame:
    """A picture with its label.

    Attributes:
        rgb: ``[H, W, 3] uint8``.
        label: ``[H, W] uint8``, class indices, 255 for ignored.
    """

    rgb: np.ndarray
    label: np.ndarray


def frames_from_still(
    rgb: np.ndarray, label: np.ndarray, classes: Sequence[ClassInfo], *, seed: Sequence[int], count: int = 12
) -> list[LabelledFrame]:
    """Drive a camera through a still; the same arguments give the same frames.

    Args:
        rgb: ``[H, W, 3] uint8``.
        label: ``[H, W] uint8``, 255 for ignored.
        classes: their names say what lies, stands or moves.
        seed: numbers that choose the drive.
        count: frames.

    Returns:
        Frames of the still's size.
    """
    rng = np.random.default_rng(list(seed))
    if rng.random() < 0.5:
        rgb, label = np.ascontiguousarray(rgb[:, ::-1]), np.ascontiguousarray(label[:, ::-1])
    rows, columns = label.shape
    focal = rng.uniform(0.8, 1.15) * max(columns, rows)
    relief = relief_from_label(label, classes, rng, focal=focal, camera_height_m=rng.uniform(1.2, 1.8))
    cells = nearest_in_cells(relief.nearness)
    path = path_from_seed(rng, count=count, rate=RATE, room_m=_room_ahead(relief))
    overscan = 1 + 0.12 * rng.random() ** 2
    room = (overscan - 1) * np.array([columns, rows]) / 2
    shift = tuple(rng.uniform(-1, 1, 2) * room)
    going = _going(relief, rng)
    noise = rng.normal(0, rng.uniform(0, 1.5), 1 << 16).astype(np.float32)
    frames = []
    for index in range(count):
        view = View(focal, overscan, shift, path.position_m[index], path.rotation[index])
        sources, seen = sources_from_view(relief, cells, view)
        if going is not None:
            move_sources(sources, going, np.float32(path.drift[index]))
        start = int(rng.integers(len(noise)))
        frames.append(
            LabelledFrame(
                *picture_from_sources(
                    rgb, label, sources, seen, gain=path.exposure[index], noise=noise, noise_start=start
                )
            )
        )
    return frames


def _room_ahead(relief: Relief) -> float:
    """Metres to what stands in the middle of the view, on its lower half."""
    rows, columns = relief.nearness.shape
    row = min(int(relief.horizon), rows - 1)
    ahead = relief.nearness[row, columns * 2 // 5 : columns * 3 // 5]
    return float(1 / max(np.quantile(ahead, 0.9), 1e-3))


def _going(relief: Relief, rng: np.random.Generator) -> np.ndarray | None:
    """``[H, W, 2] float32`` pixels a second that places of the still move by themselves; ``None`` if nothing does.

    A moving object takes its surroundings along, less and less with the distance.
    """
    if relief.object_count == 0 or rng.random() < 0.3:
        return None
    columns = relief.objects.shape[1]
    speeds = np.zeros((relief.object_count + 1, 2), np.float32)
    for number in range(1, relief.object_count + 1):
        if rng.random() < 0.6:
            near = relief.nearness[relief.objects == number].max()
            metres = rng.normal(0, 3.0, 2) * [1, 0.06]
            limit = 0.06 * columns
            speeds[number] = np.clip(metres * near * columns, -limit, limit)
    field = speeds[relief.objects]
    reach = max(3, columns // 40)
    for _ in range(2):
        field = _blurred(_blurred(field, reach, 0), reach, 1)
    return np.ascontiguousarray(field) if np.any(field) else None


def _blurred(field: np.ndarray, reach: int, axis: int) -> np.ndarray:
    """Mean over ``2 * reach + 1`` neighbours along an axis, the edge repeated."""
    pad = [(0, 0)] * 3
    pad[axis] = (reach + 1, reach)
    total = np.cumsum(np.pad(field, pad, mode="edge"), axis=axis, dtype=np.float32)
    width = 2 * reach + 1
    upper = np.take(total, np.arange(width, total.shape[axis]), axis)
    lower = np.take(total, np.arange(total.shape[axis] - width), axis)
    return (upper - lower) / width
