"""The loop that paints a picture, as Numba compiles it; see ``paint`` for calling it."""
# mypy: disable-error-code="no-untyped-def"

import functools
from typing import Any

import numpy as np
from numba import njit, types

from edge_arseg.compiled import cached_if_possible
from edge_arseg.native.entry import compiled_entry, unpacker
from edge_arseg.native.library import Kernel, digest_of_sources
from edge_arseg.video.overlay.contours import EDGE

BLOCK = 32
"""Pixels of a row that are looked at together: most blocks lie in one region."""

_OPTIONS: Any = {"nogil": True, "error_model": "numpy"}
_BYTES = types.Array(types.uint8, 1, "C")


@njit(forceinline=True, **_OPTIONS)
def _differ(class_map, first, second):
    """Return whether any of ``BLOCK`` indices from ``first`` is another than that from ``second``."""
    seen = np.uint8(0)
    for i in range(BLOCK):
        seen |= class_map[np.uintp(first + i)] ^ class_map[np.uintp(second + i)]
    return seen != 0


@njit(forceinline=True, **_OPTIONS)
def _either_differs(class_map, first, second, third, fourth):
    """Return whether any of ``BLOCK`` indices from ``first`` is another than that from ``second``, or third, fourth."""
    seen = np.uint8(0)
    for i in range(BLOCK):
        seen |= class_map[np.uintp(first + i)] ^ class_map[np.uintp(second + i)]
        seen |= class_map[np.uintp(third + i)] ^ class_map[np.uintp(fourth + i)]
    return seen != 0


@njit(forceinline=True, **_OPTIONS)
def _tint(picture, class_map, tints, keep, start, end, out):
    for at in range(start, end):
        tint = np.uintp(class_map[np.uintp(at)]) * np.uintp(3 * BLOCK)
        for part in range(3):
            here = np.uintp(3 * at + part)
            out[here] = np.uint8(((np.uint32(picture[here]) * keep) >> np.uint32(8)) + tints[tint + np.uintp(part)])


@njit(forceinline=True, **_OPTIONS)
def _line(class_map, lines, wide, before, width, start, end, out):
    for at in range(start, end):
        left, above = at - before, at - before * width
        if (
            class_map[np.uintp(left)] != class_map[np.uintp(left + wide)]
            or class_map[np.uintp(above)] != class_map[np.uintp(above + wide * width)]
        ):
            color = np.uintp(class_map[np.uintp(at)]) * np.uintp(3)
            for part in range(3):
                out[np.uintp(3 * at + part)] = lines[color + np.uintp(part)]


@njit(**_OPTIONS)
def paint_picture(picture, class_map, height, width, tints, keep, lines, wide, out):
    """Write a picture mixed with the colours of its classes, with lines along their borders.

    Args:
        picture: ``[H * W * 3]``.
        class_map: ``[H * W]``.
        height: rows.
        width: columns.
        tints: ``[256 * BLOCK * 3]``, what a class adds, for a block of pixels.
        keep: what stays of the picture, in 1/256.
        lines: ``[256 * 3]``, of the lines, by class.
        wide: pixels of a line; 0: no lines.
        out: ``[H * W * 3]``.
    """
    share = np.uint32(keep)
    before = wide // 2
    for y in range(height):
        start, end = y * width, (y + 1) * width
        at = start
        while at + BLOCK <= end:
            if (at + BLOCK < end and _differ(class_map, at, at + 1)) or at + BLOCK == end:
                _tint(picture, class_map, tints, share, at, at + BLOCK, out)
            else:
                tint = np.uintp(class_map[np.uintp(at)]) * np.uintp(3 * BLOCK)
                for i in range(3 * BLOCK):
                    here = np.uintp(3 * at + i)
                    out[here] = np.uint8(
                        ((np.uint32(picture[here]) * share) >> np.uint32(8)) + tints[tint + np.uintp(i)]
                    )
            at += BLOCK
        _tint(picture, class_map, tints, share, at, end, out)
        if wide == 0 or y < EDGE or y >= height - EDGE:
            continue
        at, end = start + EDGE, end - EDGE
        while at + BLOCK <= end:
            left, above = at - before, at - before * width
            if _either_differs(class_map, left, left + wide, above, above + wide * width):
                _line(class_map, lines, wide, before, width, at, at + BLOCK, out)
            at += BLOCK
        _line(class_map, lines, wide, before, width, at, end, out)


_NUMBER = types.intp
_unpack = unpacker((_BYTES, _BYTES, _NUMBER, _NUMBER, _BYTES, _NUMBER, _BYTES, _NUMBER, _BYTES))


def _compile(cache: bool) -> Kernel:
    digest = digest_of_sources()

    def paint(table):
        if digest < 0:  # never; what it uses is part of the key of Numba's cache
            return
        picture, class_map, height, width, tints, keep, lines, wide, out = _unpack(table)
        paint_picture(picture, class_map, height, width, tints, keep, lines, wide, out)

    return compiled_entry(paint, cache=cache)


@functools.cache
def compiled_paint() -> Kernel:
    """Return the compiled loop; the first call in a process compiles it, or loads it from Numba's cache."""
    return cached_if_possible(_compile)
