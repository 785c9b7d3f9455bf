"""The loop that paints a picture, as Numba compiles it; see ``paint`` for calling it."""
# mypy: disable-error-code="no-untyped-def"

import functools
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core.extending import intrinsic

from edge_arseg.compiled import cached_if_possible
from edge_arseg.native.entry import compiled_entry, unpacker
from edge_arseg.native.library import Kernel, digest_of_sources
from edge_arseg.video.overlay.contours import EDGE

WORD = 8
"""Pixels of a row that are looked at together: most words lie in one region."""

_OPTIONS: Any = {"nogil": True, "error_model": "numpy"}
_BYTES = types.Array(types.uint8, 1, "C")


@intrinsic
def _mixed(_typing, pixel, keep, tint):
    """``(pixel * keep >> 8) + tint`` of uint8 in 16 bits: numba computes in 64, so that vectors hold a quarter."""

    def generate(_context, builder, _signature, values):
        pixel, keep, tint = values
        wide = ir.IntType(16)
        product = builder.mul(builder.zext(pixel, wide), builder.trunc(keep, wide))
        return builder.add(builder.trunc(builder.lshr(product, wide(8)), ir.IntType(8)), tint)

    return types.uint8(types.uint8, types.intp, types.uint8), generate


@njit(forceinline=True, **_OPTIONS)
def _any(words, count):
    """Return whether any of the first ``count`` words is not 0."""
    seen = np.uint64(0)
    for i in range(count):
        seen |= words[np.uintp(i)]
    return seen != 0


@njit(forceinline=True, **_OPTIONS)
def _differences(class_map, first, second, width, out):
    """Write what each of ``width`` indices from ``first`` has other than that from ``second``; 0: they are the same."""
    for i in range(width):
        out[np.uintp(i)] = class_map[np.uintp(first + i)] ^ class_map[np.uintp(second + i)]


@njit(forceinline=True, **_OPTIONS)
def _spread(class_map, start, width, tints, marks, words, row):
    """Write what each pixel of a row of the map adds to ``row``, ``[3 * W]``."""
    _differences(class_map, start, start + 1, width - 1, marks)
    at = 0
    while at < width:
        tint = np.uintp(class_map[np.uintp(start + at)]) * np.uintp(3 * WORD)
        if at + WORD < width and words[np.uintp(at // WORD)] == 0:
            for i in range(3 * WORD):
                row[np.uintp(3 * at + i)] = tints[tint + np.uintp(i)]
            at += WORD
            continue
        for x in range(at, min(at + WORD, width)):
            tint = np.uintp(class_map[np.uintp(start + x)]) * np.uintp(3 * WORD)
            for part in range(3):
                row[np.uintp(3 * x + part)] = tints[tint + np.uintp(part)]
        at += WORD


@njit(forceinline=True, **_OPTIONS)
def _line(class_map, start, width, lines, wide, marks, words, out):
    """Draw lines in a row, where the indices ``wide`` apart on both sides are not the same."""
    before = wide // 2
    left, above = start - before, start - before * width
    for i in range(EDGE, width - EDGE):
        marks[np.uintp(i)] = (class_map[np.uintp(left + i)] ^ class_map[np.uintp(left + i + wide)]) | (
            class_map[np.uintp(above + i)] ^ class_map[np.uintp(above + i + wide * width)]
        )
    for i in range(EDGE):
        marks[np.uintp(i)] = marks[np.uintp(width - 1 - i)] = 0
    for word in range((width + WORD - 1) // WORD):
        if words[np.uintp(word)] == 0:
            continue
        for x in range(word * WORD, min((word + 1) * WORD, width)):
            if marks[np.uintp(x)] != 0:
                color = np.uintp(class_map[np.uintp(start + x)]) * np.uintp(3)
                for part in range(3):
                    out[np.uintp(3 * (start + x) + part)] = lines[color + np.uintp(part)]


@njit(**_OPTIONS)
def paint_picture(picture, class_map, height, width, tints, keep, lines, wide, row, marks, words, out):
    """Write a picture mixed with the colours of its classes, with lines along their borders.

    All loops over a row are long and free of branches, so that the compiler makes vector code of them.

    Args:
        picture: ``[H * W * 3]``.
        class_map: ``[H * W]``.
        height: rows.
        width: columns, more than ``2 * EDGE`` where there are lines.
        tints: ``[256 * WORD * 3]``, what a class adds, for a word of pixels.
        keep: what stays of the picture, in 1/256.
        lines: ``[256 * 3]``, of the lines, by class.
        wide: pixels of a line; 0: no lines.
        row: ``[3 * W]`` scratch.
        marks: scratch of a row, in whole words, zeros.
        words: the same memory as ``marks``.
        out: ``[H * W * 3]``.
    """
    count = len(words)
    for y in range(height):
        start = y * width
        same = y > 0
        if same:  # an enlarged map has many rows that are the same as the one above
            _differences(class_map, start, start - width, width, marks)
            same = not _any(words, count)
        if not same:
            marks[np.uintp(width - 1)] = 0
            _spread(class_map, start, width, tints, marks, words, row)
        for i in range(3 * width):
            here = np.uintp(3 * start + i)
            out[here] = _mixed(picture[here], keep, row[np.uintp(i)])  # type: ignore[call-arg]
        if wide > 0 and EDGE <= y < height - EDGE and width > 2 * EDGE:
            _line(class_map, start, width, lines, wide, marks, words, out)


_NUMBER = types.intp
_WORDS = types.Array(types.uint64, 1, "C")
_unpack = unpacker((_BYTES, _BYTES, _NUMBER, _NUMBER, _BYTES, _NUMBER, _BYTES, _NUMBER, _BYTES, _BYTES, _WORDS, _BYTES))


def _compile(cache: bool) -> Kernel:
    digest = digest_of_sources()

    def paint(table):
        if digest < 0:  # never; what it uses is part of the key of Numba's cache
            return
        picture, class_map, height, width, tints, keep, lines, wide, row, marks, words, out = _unpack(table)
        paint_picture(picture, class_map, height, width, tints, keep, lines, wide, row, marks, words, out)

    return compiled_entry(paint, cache=cache)


@functools.cache
def compiled_paint() -> Kernel:
    """Return the compiled loop; the first call in a process compiles it, or loads it from Numba's cache."""
    return cached_if_possible(_compile)
