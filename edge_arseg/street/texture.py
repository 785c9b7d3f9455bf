"""Textures: packed pixels, shrunk in advance along each axis, sampled bilinearly in integer arithmetic.

A packed pixel is one ``uint64`` of four 16-bit lanes, each holding 0 to 255: red, green, blue, alpha from the lowest
lane up, colour multiplied by alpha. All four channels share one multiplication, which makes plain numpy fast enough.
"""

from dataclasses import dataclass
from math import log2
from typing import Final

import numpy as np

HALF_COVERED: Final = np.uint64(128 << 48)
"""A packed pixel at or above this covers at least half of what is behind it."""

_LANES: Final = np.uint64(0x00FF00FF00FF00FF)
_COLOURS: Final = np.uint64(0x000000FF00FF00FF)
_HALVES: Final = np.uint64(0x0080008000800080)
_EIGHT: Final = np.uint64(8)
_ALPHA: Final = np.uint64(48)
_STEPS: Final = 16  # sub-texel positions of the bilinear filter; the weights of two axes then add up to 256


@dataclass(frozen=True, slots=True)
class Texture:
    """A picture at every power-of-two reduction of its width and, independently, of its height.

    Attributes:
        pixels: all reductions, one after the other, ``[N] uint64``; each has one column and one row more than it
            shows, so that the right and lower neighbours of every texel exist.
        offset: ``[levels of v, levels of u] int32``, where a reduction starts in ``pixels``.
        width: ``[levels of u] int32``, texels per row.
        height: ``[levels of v] int32``, rows.
        wrap_u: the picture repeats along its width; else its border is repeated without end.
        wrap_v: the same for its height.
    """

    pixels: np.ndarray
    offset: np.ndarray
    width: np.ndarray
    height: np.ndarray
    wrap_u: bool
    wrap_v: bool

    def levels(self, texels_per_pixel: np.ndarray, axis: int) -> np.ndarray:
        """Return the reduction (an index, along ``axis`` 0 = v or 1 = u) for pixels this many texels wide."""
        fine = np.floor(np.log2(np.maximum(texels_per_pixel, 1e-6)) + 0.35)
        return np.clip(fine, 0, self.offset.shape[axis] - 1).astype(np.int32)

    def level(self, texels_per_pixel: float, axis: int) -> int:
        """Return the same for one pixel size."""
        return min(max(int(log2(texels_per_pixel) + 0.35), 0), self.offset.shape[axis] - 1)

    def sample(self, u: np.ndarray, v: np.ndarray, level_u: np.ndarray | int, level_v: np.ndarray | int) -> np.ndarray:
        """Return the packed pixels at texel positions ``u``, ``v`` (of the unreduced picture), any shape."""
        width = self.width[level_u]
        x, fx = _cells(u, level_u, width, self.wrap_u)
        y, fy = _cells(v, level_v, self.height[level_v], self.wrap_v)
        stride = width + 1
        y *= stride
        y += x
        y += self.offset[level_v, level_u]
        both = fx * fy
        fx *= np.uint64(_STEPS)
        fy *= np.uint64(_STEPS)
        fx -= both  # weight of the right texel in the upper row
        fy -= both  # weight of the left texel in the lower row
        rest = np.uint64(_STEPS * _STEPS) - fx
        rest -= fy
        rest -= both
        total = self.pixels.take(y)
        total *= rest
        y += 1
        total += _weighted(self.pixels, y, fx)
        y += stride
        total += _weighted(self.pixels, y, both)
        y -= 1
        total += _weighted(self.pixels, y, fy)
        total += _HALVES
        total >>= _EIGHT
        total &= _LANES
        return total


def _weighted(pixels: np.ndarray, index: np.ndarray, weight: np.ndarray) -> np.ndarray:
    taken = pixels.take(index)
    taken *= weight
    return taken


_SCALES: Final = _STEPS * 0.5 ** np.arange(16, dtype=np.float32)


def _cells(
    position: np.ndarray, level: np.ndarray | int, count: np.ndarray, wrap: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return the left (or upper) neighbour along one axis and the weight, in sixteenths, of the other one."""
    fixed = position * _SCALES[level]
    if wrap:  # positions are not negative; one turn more keeps them so when texel centres move to whole numbers
        fixed += np.float32(_STEPS) * (count.astype(np.float32) - np.float32(0.47))
        steps = fixed.astype(np.int32)
        steps &= _STEPS * count - 1  # the count is a power of two
    else:
        fixed -= np.float32(_STEPS * 0.47)
        np.maximum(fixed, np.float32(0), out=fixed)
        np.minimum(fixed, (_STEPS * (count - 1)).astype(np.float32), out=fixed)
        steps = fixed.astype(np.int32)
    fraction = (steps & (_STEPS - 1)).astype(np.uint64)
    steps >>= 4
    return steps, fraction


def texture_from_rgba(
    rgba: np.ndarray,
    *,
    wrap_u: bool = False,
    wrap_v: bool = False,
    levels: tuple[int, int] = (7, 7),
    edge: bool = False,
) -> Texture:
    """Build a texture.

    Args:
        rgba: ``[h, w, 4] float32``, colour 0 to 255 multiplied by alpha, alpha 0 to 1. A side that repeats is a power
            of two.
        wrap_u: the picture repeats along its width.
        wrap_v: the picture repeats along its height.
        levels: most reductions of height and width.
        edge: keep a clear border around every reduction, so that a picture ends where it ends.
    """
    rows = rgba * np.array([1, 1, 1, 255], np.float32)
    parts: list[np.ndarray] = []
    offsets: list[list[int]] = []
    widths: list[int] = []
    start = 0
    for index_v in range(levels[0]):
        if index_v:
            if rows.shape[0] < 4:
                break
            rows = _halved(rows)
        offsets.append([])
        columns = rows
        for index_u in range(levels[1]):
            if index_u:
                if columns.shape[1] < 4:
                    break
                columns = _halved(columns.swapaxes(0, 1)).swapaxes(0, 1)
            stored = _stored(columns, wrap_u=wrap_u, wrap_v=wrap_v, edge=edge)
            parts.append(stored.view(np.uint64).ravel())
            offsets[-1].append(start)
            start += parts[-1].size
            if not index_v:
                widths.append(columns.shape[1])
    heights = [rgba.shape[0] >> level for level in range(len(offsets))]
    return Texture(
        pixels=np.concatenate(parts),
        offset=np.array(offsets, np.int32),
        width=np.array(widths, np.int32),
        height=np.array(heights, np.int32),
        wrap_u=wrap_u,
        wrap_v=wrap_v,
    )


def _stored(picture: np.ndarray, *, wrap_u: bool, wrap_v: bool, edge: bool) -> np.ndarray:
    """Round a reduction to ``[h + 1, w + 1, 4] uint16``: itself, and the neighbours of its last row and column."""
    height, width = picture.shape[:2]
    rounded = picture + np.float32(0.5)
    np.maximum(rounded, np.float32(0), out=rounded)
    np.minimum(rounded, np.float32(255), out=rounded)
    stored = np.empty((height + 1, width + 1, 4), np.uint16)
    shown = stored[:height, :width]
    np.copyto(shown, rounded, casting="unsafe")
    if edge:
        shown[0] = shown[-1] = 0
        shown[:, 0] = shown[:, -1] = 0
    stored[height, :width] = shown[0 if wrap_v else -1]
    stored[:, width] = stored[:, 0 if wrap_u else width - 1]
    return stored


def _halved(picture: np.ndarray) -> np.ndarray:
    """Average pairs of rows; an odd last row is dropped."""
    even = picture.shape[0] // 2 * 2
    mean = picture[0:even:2] + picture[1:even:2]
    mean *= np.float32(0.5)
    return mean


def packed(color: tuple[float, float, float]) -> np.uint64:
    """Pack an opaque colour, 0 to 255."""
    red, green, blue = (round(channel) for channel in color)
    return np.uint64(red | green << 16 | blue << 32 | 255 << 48)


def rgb_from_packed(picture: np.ndarray) -> np.ndarray:
    """Return ``[H, W, 3] uint8`` from packed pixels ``[H, W]``."""
    return picture.view(np.uint16).reshape(*picture.shape, 4)[..., :3].astype(np.uint8)


def hazed(pixels: np.ndarray, haze: np.uint64, amount: np.ndarray | np.uint64) -> np.ndarray:
    """Mix ``haze`` into packed pixels of any alpha, by ``amount`` of 256 (``uint64``)."""
    share = pixels >> _ALPHA
    share *= amount
    share >>= _EIGHT
    share *= haze
    mixed = pixels * (np.uint64(256) - amount)
    mixed += share
    mixed >>= _EIGHT
    mixed &= _COLOURS
    mixed |= pixels & ~_COLOURS  # alpha stays as it was: opaque must remain opaque, whatever the rounding
    return mixed


def lay_over(below: np.ndarray, above: np.ndarray) -> None:
    """Lay packed pixels over opaque ones, in place."""
    keep = np.uint64(255) - (above >> _ALPHA)
    keep += keep >> np.uint64(7)
    below *= keep
    below >>= _EIGHT
    below &= _LANES
    below += above
