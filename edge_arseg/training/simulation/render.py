"""One view of a still with depth, from a moved camera."""

from dataclasses import dataclass

import numpy as np

from edge_arseg.training.simulation.compiled import compiled
from edge_arseg.training.simulation.depth import Relief

CELLS = 32, 8, 4
"""Sides of the cells over which the nearest pixel is remembered, so that rays skip what is surely empty."""

_LITTLE = 8  # pixels of what was hidden that may keep the label of what is beside it


@dataclass(frozen=True, slots=True)
class View:
    """A camera that looks at a still.

    Attributes:
        focal: pixels.
        overscan: how much narrower than the still the view is, 1 or more.
        shift: pixels that the view is moved in the still, x and y.
        position_m: right, down, ahead of where the still was taken.
        rotation: ``[3, 3]``, directions of this camera to those of the still's.
    """

    focal: float
    overscan: float
    shift: tuple[float, float]
    position_m: np.ndarray
    rotation: np.ndarray


def nearest_in_cells(nearness: np.ndarray) -> tuple[np.ndarray, ...]:
    """For each of ``CELLS`` an array ``[ceil(H / side), ceil(W / side)] float32``.

    Each holds the largest nearness in the cell and its eight neighbours: a place ``side`` pixels on is surely in there.
    """
    return tuple(_nearest_in_cells(nearness, side) for side in CELLS)


def _nearest_in_cells(nearness: np.ndarray, side: int) -> np.ndarray:
    rows, columns = (-(-length // side) for length in nearness.shape)
    padded = np.zeros((rows * side, columns * side), np.float32)
    padded[: nearness.shape[0], : nearness.shape[1]] = nearness
    cells = np.pad(padded.reshape(rows, side, columns, side).max(axis=(1, 3)), 1)
    return np.maximum.reduce([cells[y : y + rows, x : x + columns] for y in range(3) for x in range(3)])


def sources_from_view(relief: Relief, cells: tuple[np.ndarray, ...], view: View) -> tuple[np.ndarray, np.ndarray]:
    """Find for every pixel of a view the place in the still that it shows.

    A ray of the view crosses the still along a straight line, one place for each depth. It is followed from near to
    far until it meets the relief. A ray that passes behind an object and meets nothing sees what no camera saw: it
    takes the place where it went behind.

    Args:
        relief: the depth of the still.
        cells: ``nearest_in_cells`` of its nearness.
        view: the camera.

    Returns:
        ``[H, W, 2] float32``, x and y in the still, pixel centres at whole numbers, may lie outside; and
        ``[H, W] bool``, false where the ray sees what was hidden, and more than a little of it.
    """
    rows, columns = relief.nearness.shape
    middle_x, middle_y = (columns - 1) / 2, (rows - 1) / 2
    still = np.array([middle_x, relief.horizon - 0.5])
    here = np.array([middle_x, middle_y]) + (still - [middle_x, middle_y]) * view.overscan
    here = here + np.array(view.shift)
    sources, seen = np.empty((rows, columns, 2), np.float32), np.empty((rows, columns), np.bool_)
    _march(
        relief.nearness,
        *cells,
        view.rotation.astype(np.float32),
        view.position_m.astype(np.float32),
        np.float32(view.focal),
        np.float32(view.focal * view.overscan),
        still.astype(np.float32),
        here.astype(np.float32),
        np.float32(relief.nearness.max()),
        sources,
        seen,
    )
    return sources, seen


@compiled
def _march(
    nearness: np.ndarray,
    large: np.ndarray,
    medium: np.ndarray,
    small: np.ndarray,
    turn: np.ndarray,
    position: np.ndarray,
    focal: float,
    focal_here: float,
    still: np.ndarray,
    here: np.ndarray,
    nearest: float,
    sources: np.ndarray,
    seen: np.ndarray,
) -> None:
    rows, columns = nearness.shape
    tx, ty, tz = position[0], position[1], position[2]
    if tz > 0:
        nearest = min(nearest, np.float32(0.95) / tz)  # nothing from behind the camera
    half = np.float32(0.5)
    for y in range(rows):
        b = (np.float32(y) - here[1]) / focal_here
        for x in range(columns):
            a = (np.float32(x) - here[0]) / focal_here
            depth = turn[2, 0] * a + turn[2, 1] * b + turn[2, 2]
            dx = (turn[0, 0] * a + turn[0, 1] * b + turn[0, 2]) / depth
            dy = (turn[1, 0] * a + turn[1, 1] * b + turn[1, 2]) / depth
            far_x, far_y = still[0] + focal * dx, still[1] + focal * dy
            # The place in the still moves by this for each unit of nearness.
            go_x, go_y = focal * (tx - tz * dx), focal * (ty - tz * dy)
            steps = np.int32(max(abs(go_x), abs(go_y)) * nearest) + np.int32(1)
            each = nearest / np.float32(steps)
            last_x, last_y, last_gap = far_x + nearest * go_x, far_y + nearest * go_y, np.float32(0)
            behind, entered, met = False, False, False
            entry_x, entry_y = far_x, far_y
            found_x, found_y = far_x, far_y
            i = np.int32(0)
            while i <= steps:
                near = nearest - each * np.float32(i)
                u, v = far_x + near * go_x, far_y + near * go_y
                column = np.uint32(min(max(np.int32(u + half), 0), columns - 1))
                row = np.uint32(min(max(np.int32(v + half), 0), rows - 1))
                skip = np.int32(0)  # a step is at most one pixel
                if near - np.float32(4) * each > small[row >> np.uint32(2), column >> np.uint32(2)]:
                    skip = np.int32(4)
                    if near - np.float32(8) * each > medium[row >> np.uint32(3), column >> np.uint32(3)]:
                        skip = np.int32(8)
                        if near - np.float32(32) * each > large[row >> np.uint32(5), column >> np.uint32(5)]:
                            skip = np.int32(32)
                if skip and i + skip < steps:
                    behind = False
                    last_x, last_y, last_gap = u, v, near - nearness[row, column]
                    i += skip
                    continue
                gap = near - nearness[row, column]
                if gap <= 0:
                    if -gap <= np.float32(0.004) + each + np.float32(0.1) * near:
                        part = last_gap / (last_gap - gap) if last_gap > 0 and not behind else np.float32(1)
                        found_x, found_y = last_x + (u - last_x) * part, last_y + (v - last_y) * part
                        met = True
                        break
                    if not behind:
                        behind = True
                        if i > 0:
                            entered = True
                            entry_x, entry_y = last_x, last_y
                else:
                    behind = False
                last_x, last_y, last_gap = u, v, gap
                i += np.int32(1)
            seen[y, x] = True
            if not met and entered:
                found_x, found_y = entry_x, entry_y
                seen[y, x] = max(abs(last_x - entry_x), abs(last_y - entry_y)) < _LITTLE
            sources[y, x, 0] = found_x
            sources[y, x, 1] = found_y


def picture_from_sources(
    rgb: np.ndarray,
    label: np.ndarray,
    sources: np.ndarray,
    seen: np.ndarray,
    *,
    gain: float,
    noise: np.ndarray,
    noise_start: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Take every pixel from its place in the still: the picture bilinearly, the label from the nearest pixel.

    Places outside the still show its mirror image, and their label is ignored.

    Args:
        rgb: ``[H, W, 3] uint8``.
        label: ``[H, W] uint8``.
        sources: ``[H, W, 2] float32``, see ``sources_from_view``.
        seen: ``[H, W] bool``; the label is ignored elsewhere.
        gain: factor on the brightness.
        noise: ``[N] float32`` to be added, read in a circle.
        noise_start: where to begin in it.

    Returns:
        Picture and label, shaped like ``rgb`` and ``label``.
    """
    picture, moved = np.empty((*sources.shape[:2], 3), np.uint8), np.empty(sources.shape[:2], np.uint8)
    _sample(rgb, label, sources, seen, np.float32(gain), noise, noise_start, picture, moved)
    return picture, moved


@compiled
def _sample(
    rgb: np.ndarray,
    label: np.ndarray,
    sources: np.ndarray,
    seen: np.ndarray,
    gain: float,
    noise: np.ndarray,
    at: int,
    picture: np.ndarray,
    moved: np.ndarray,
) -> None:
    rows, columns = label.shape
    half, one = np.float32(0.5), np.uint32(1)
    for y in range(sources.shape[0]):
        for x in range(sources.shape[1]):
            u, v = sources[y, x, 0], sources[y, x, 1]
            outside = u < -half or v < -half or u > columns - half or v > rows - half
            if u < 0 or v < 0 or u > columns - 1 or v > rows - 1:
                u, v = _mirrored(u, np.float32(columns - 1)), _mirrored(v, np.float32(rows - 1))
            # Unsigned indices: numba then leaves out its test for counting from the end.
            left, top = np.uint32(min(np.int32(u), columns - 2)), np.uint32(min(np.int32(v), rows - 2))
            right, down = u - np.float32(left), v - np.float32(top)
            if at + 3 > len(noise):
                at = 0
            for c in range(3):
                a, b = np.float32(rgb[top, left, c]), np.float32(rgb[top, left + one, c])
                d, e = np.float32(rgb[top + one, left, c]), np.float32(rgb[top + one, left + one, c])
                upper, lower = a + (b - a) * right, d + (e - d) * right
                value = (upper + (lower - upper) * down) * gain + noise[at] + half
                picture[y, x, c] = np.uint8(min(max(value, np.float32(0)), np.float32(255)))
                at += 1
            moved[y, x] = label[np.uint32(v + half), np.uint32(u + half)]
            if outside or not seen[y, x]:
                moved[y, x] = 255


@compiled
def _mirrored(value: float, last: float) -> float:
    value = abs(value) % (last + last)
    return last + last - value if value > last else value


@compiled
def move_sources(sources: np.ndarray, going: np.ndarray, since: float) -> None:
    """Shift ``sources`` in place against the way ``going * since`` that the places there went by themselves.

    Args:
        sources: ``[H, W, 2] float32``, places in the still.
        going: ``[H, W, 2] float32``, pixels a second.
        since: seconds, ``float32``.
    """
    rows, columns = going.shape[0], going.shape[1]
    half = np.float32(0.5)
    for y in range(sources.shape[0]):
        for x in range(sources.shape[1]):
            column = min(max(np.int32(sources[y, x, 0] + half), 0), columns - 1)
            row = min(max(np.int32(sources[y, x, 1] + half), 0), rows - 1)
            sources[y, x, 0] -= going[row, column, 0] * since
            sources[y, x, 1] -= going[row, column, 1] * since
