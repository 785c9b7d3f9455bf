"""How far away the pixels of a labelled still may be: a street made of its label, as a pop-up book is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge_arseg.spec.model import ClassInfo
from edge_arseg.training.simulation.compiled import compiled

GROUND = ("road", "sidewalk", "terrain", "lane", "parking", "ground", "pavement", "grass", "rail_track")
SKY = ("sky",)
OBJECTS = (
    *("car", "pedestrian", "bicyclist", "person", "rider", "truck", "bus", "motorcycle", "bicycle", "pole"),
    *("column_pole", "sign", "traffic_light", "traffic_sign", "fence", "train", "vehicle", "animal"),
)
MOVING = (
    *("car", "pedestrian", "bicyclist", "person", "rider", "truck", "bus", "motorcycle", "bicycle", "train"),
    *("vehicle", "animal"),
)
"""Names of classes that are known to lie, to be far, to stand out, and to move. All others stand behind."""

_GROUND, _SKY, _OBJECT, _BEHIND, _UNKNOWN = range(5)
_LEAST_GROUND = 0.02  # share of the image; below, the street cannot be seen in the label


@dataclass(frozen=True, slots=True)
class Relief:
    """A still with depth.

    Attributes:
        nearness: ``[H, W] float32``, 1 / depth in 1/m; 0 is infinitely far.
        horizon: row that points straight ahead of a level camera.
        objects: ``[H, W] int32``, 0, or the number of the object that may move on its own.
        object_count: how many objects there are.
    """

    nearness: np.ndarray
    horizon: float
    objects: np.ndarray
    object_count: int


def relief_from_label(
    label: np.ndarray, classes: Sequence[ClassInfo], rng: np.random.Generator, *, focal: float, camera_height_m: float
) -> Relief:
    """Guess the depth of a still from its label.

    The ground is a plane below the horizon. What stands on it is as far as its foot; where the foot is hidden, as far
    as beside it. Objects are flat; what is behind them swells a little at random. Labels without any ground give a
    smooth random relief. Only the kind of motion matters here, not the truth of the depth.

    Args:
        label: ``[H, W] uint8``, 255 for ignored.
        classes: the names decide what lies, stands or moves.
        rng: for what the label does not say.
        focal: of the camera, pixels.
        camera_height_m: above the ground.
    """
    kinds = np.full(256, _UNKNOWN, np.uint8)
    moves = np.zeros(256, bool)
    for index, info in enumerate(classes):
        name = info.name.lower().replace(" ", "_")
        kinds[index] = _GROUND if name in GROUND else _SKY if name in SKY else _OBJECT if name in OBJECTS else _BEHIND
        moves[index] = name in MOVING
    kind = kinds[label]
    rows, columns = label.shape
    ground_rows = np.count_nonzero(kind == _GROUND, axis=1)
    swell = smooth_noise((rows, columns), rng)
    if ground_rows.sum() < _LEAST_GROUND * label.size:
        nearness = (0.02 + 0.06 * rng.random()) * (0.55 + 0.45 * smooth_noise((rows, columns), rng, cells=3))
        nearness[kind == _SKY] = 0
        none = np.zeros(label.shape, np.int32)
        return Relief(np.ascontiguousarray(nearness, np.float32), 0.45 * rows, none, 0)
    # The ground is seen up to a little below the horizon.
    highest = int(np.argmax(np.cumsum(ground_rows) > 0.01 * ground_rows.sum()))
    horizon = float(np.clip(highest - 0.015 * rows, 0.25 * rows, 0.65 * rows))
    plane = np.maximum(np.arange(rows) + 0.5 - horizon, 0.0) / (focal * camera_height_m)
    plane = plane.astype(np.float32)
    pieces = np.zeros(label.shape, np.int32)
    keyed = np.where(kind == _OBJECT, label, 255).astype(np.uint8)
    count = connected_pieces(keyed, pieces, np.empty(label.size, np.int32))
    nearness = np.empty(label.shape, np.float32)
    _raise_relief(kind, plane, nearness)
    _stand_objects(pieces, count, plane, max(1, columns // 40), nearness)
    standing = (kind == _BEHIND) | (kind == _UNKNOWN)
    nearness[standing] *= (1 + 0.3 * (swell - 0.5))[standing]
    return Relief(nearness, horizon, *_moving(pieces, label, moves))


def smooth_noise(shape: tuple[int, int], rng: np.random.Generator, cells: int = 6) -> np.ndarray:
    """``[H, W] float32`` between 0 and 1 that changes slowly: random values on a coarse grid, bilinear between."""
    coarse = rng.random((cells + 1, cells + 1)).astype(np.float32)
    y = np.linspace(0, cells, shape[0], endpoint=False, dtype=np.float32)
    x = np.linspace(0, cells, shape[1], endpoint=False, dtype=np.float32)
    top, left = y.astype(int), x.astype(int)
    down, right = (y - top)[:, None], (x - left)[None]
    across = coarse[:, left] * (1 - right) + coarse[:, left + 1] * right
    return across[top] * (1 - down) + across[top + 1] * down


def _moving(pieces: np.ndarray, label: np.ndarray, moves: np.ndarray) -> tuple[np.ndarray, int]:
    """Number the pieces that can move on their own and are large enough to see it."""
    sizes = np.bincount(pieces.reshape(-1))
    kept = np.zeros(len(sizes), np.int32)
    count = 0
    for piece in np.flatnonzero(sizes >= label.size // 1500):
        if piece and moves[label.reshape(-1)[np.argmax(pieces.reshape(-1) == piece)]]:
            count += 1
            kept[piece] = count
    return kept[pieces], count


@compiled
def connected_pieces(key: np.ndarray, pieces: np.ndarray, stack: np.ndarray) -> int:
    """Number the connected areas of equal ``key`` other than 255, from 1, in ``pieces``; return how many there are."""
    rows, columns = key.shape
    count = 0
    for y in range(rows):
        for x in range(columns):
            if key[y, x] == 255 or pieces[y, x]:
                continue
            count += 1
            value, top = key[y, x], 1
            stack[0] = y * columns + x
            pieces[y, x] = count
            while top:
                top -= 1
                v, u = stack[top] // columns, stack[top] % columns
                for b, a in ((v - 1, u), (v + 1, u), (v, u - 1), (v, u + 1)):
                    if 0 <= b < rows and 0 <= a < columns and pieces[b, a] == 0 and key[b, a] == value:
                        pieces[b, a] = count
                        stack[top] = b * columns + a
                        top += 1
    return count


@compiled
def _stand_objects(pieces: np.ndarray, count: int, plane: np.ndarray, reach: int, nearness: np.ndarray) -> None:
    """Stand every piece on its lowest row within ``reach`` columns: a row of parked cars gets a slanting front."""
    rows, columns = pieces.shape
    first = np.full(count + 1, columns, np.int32)
    last = np.full(count + 1, -1, np.int32)
    for x in range(columns):
        for y in range(rows):
            if pieces[y, x]:
                first[pieces[y, x]] = min(first[pieces[y, x]], x)
                last[pieces[y, x]] = x
    start = np.zeros(count + 2, np.int64)
    for n in range(1, count + 1):
        start[n + 1] = start[n] + last[n] - first[n] + 1
    feet = np.full(start[count + 1] + 1, -1, np.int32)
    for y in range(rows):
        for x in range(columns):
            n = pieces[y, x]
            if n:
                feet[start[n] + x - first[n]] = y
    wide = np.empty(len(feet), np.float32)
    for n in range(1, count + 1):
        width = start[n + 1] - start[n]
        for i in range(width):
            lowest = 0
            for j in range(max(i - reach, 0), min(i + reach + 1, width)):
                lowest = max(lowest, feet[start[n] + j])
            wide[start[n] + i] = lowest
    for y in range(rows):
        for x in range(columns):
            n = pieces[y, x]
            if not n:
                continue
            i, width = x - first[n], start[n + 1] - start[n]
            total, number = np.float32(0), 0
            for j in range(max(i - reach, 0), min(i + reach + 1, width)):
                total += wide[start[n] + j]
                number += 1
            at = total / number
            row = min(np.int32(at), rows - 2)
            nearness[y, x] = max(nearness[y, x], plane[row] + (plane[row + 1] - plane[row]) * (at - row))


@compiled
def _raise_relief(kind: np.ndarray, plane: np.ndarray, nearness: np.ndarray) -> None:
    """Put ground on its plane and what stands behind it on its foot; objects come later."""
    rows, columns = kind.shape
    foot = np.full(columns, -1.0, np.float32)  # nearness of what stands behind, by column, where its foot is seen
    for x in range(columns):
        for y in range(1, rows):
            if kind[y, x] == 0:  # the ground's highest pixel
                if plane[y] > 0 and (kind[y - 1, x] == 3 or kind[y - 1, x] == 4):
                    foot[x] = plane[y]
                break
    known = 0
    for x in range(columns):
        if foot[x] >= 0:
            known += 1
    if known == 0:
        foot[:] = plane[rows - 1] * 0.15
    else:
        last = -1
        for x in range(columns):
            if foot[x] < 0:
                continue
            for u in range(last + 1, x):  # between two seen feet the wall is straight; outside it continues
                foot[u] = foot[x] if last < 0 else foot[last] + (foot[x] - foot[last]) * (u - last) / (x - last)
            last = x
        for u in range(last + 1, columns):
            foot[u] = foot[last]
    for y in range(rows):
        for x in range(columns):
            what = kind[y, x]
            if what == 0:
                value = max(plane[y], np.float32(1e-4))
            elif what == 1:
                value = np.float32(0)
            elif what == 2:
                value = foot[x]
            else:
                value = max(foot[x], plane[y])
            nearness[y, x] = value
