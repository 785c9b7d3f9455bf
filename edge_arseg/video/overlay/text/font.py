"""An outline font, drawn at any size."""

import unicodedata
from functools import lru_cache
from importlib.resources import files
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_arseg.video.overlay.text.coverage import coverage, lines_from_curves

_FILE: Final = "roboto-medium.npz"
_PLACES: Final = 4
"""A letter begins at a quarter of a pixel."""


class _Outlines:
    """The font file, written by ``tools/font_outlines.py``."""

    def __init__(self) -> None:
        with files(__package__).joinpath(_FILE).open("rb") as file, np.load(file) as content:
            self.em = int(content["em"])
            self.ascent, self.descent, self.cap = (int(content[name]) for name in ("ascent", "descent", "cap"))
            advances, ends, curves = content["advances"], content["ends"], content["curves"].astype(np.float64)
            starts = [0, *ends[:-1]]
            self.glyphs = {
                chr(letter): (int(advance), curves[start:end])
                for letter, advance, start, end in zip(content["letters"], advances, starts, ends, strict=True)
            }
        self.glyphs["\N{WHITE SQUARE}"] = _box(self.em, self.cap)


def _box(em: int, cap: int) -> tuple[int, NDArray[np.float64]]:
    """What stands for a letter that the font does not have."""
    left, right, wide = em // 12, em // 2, em // 20
    outer = [(left, 0), (left, cap), (right, cap), (right, 0)]
    inner = [(right - wide, wide), (right - wide, cap - wide), (left + wide, cap - wide), (left + wide, wide)]
    curves = [
        (*a, (a[0] + b[0]) / 2, (a[1] + b[1]) / 2, *b)
        for corners in (outer, inner)
        for a, b in zip(corners, corners[1:] + corners[:1], strict=True)
    ]
    return right + left, np.array(curves, np.float64)


@lru_cache(maxsize=1)
def _outlines() -> _Outlines:
    return _Outlines()


def drawable(text: str) -> str:
    """Return the text in letters that the font has.

    A letter with a mark that the font lacks loses the mark; another one becomes a square.
    """
    glyphs = _outlines().glyphs
    shown = []
    for letter in unicodedata.normalize("NFC", text):
        if letter not in glyphs:
            letter = unicodedata.normalize("NFKD", letter)[0]
        if letter not in glyphs and (unicodedata.combining(letter) or unicodedata.category(letter) in ("Cf", "Cc")):
            continue
        shown.append(letter if letter in glyphs else "\N{WHITE SQUARE}")
    return "".join(shown)


def missing(text: str) -> float:
    """Return the share of the letters that the font does not have, 0 to 1."""
    shown = drawable(text)
    return shown.count("\N{WHITE SQUARE}") / len(shown) if shown else 1.0


class Font:
    """The font at one size; ``font_of_size`` keeps them.

    Attributes:
        size: of the em, pixels.
        height: of a line, pixels.
        baseline: rows from the top of a line to the foot of the letters.
        cap: height of a capital letter, pixels.

    Args:
        size: of the em, pixels.
    """

    def __init__(self, size: float) -> None:
        outlines = _outlines()
        self.size = size
        self._scale = size / outlines.em
        self.baseline = round(outlines.ascent * self._scale)
        self.height = self.baseline + round(-outlines.descent * self._scale)
        self.cap = outlines.cap * self._scale
        self._glyphs: dict[tuple[str, int], NDArray[np.uint8]] = {}
        self._texts: dict[str, NDArray[np.uint8]] = {}

    def width(self, text: str) -> float:
        """Return how far a text reaches, pixels."""
        glyphs = _outlines().glyphs
        return sum(glyphs[letter][0] for letter in drawable(text)) * self._scale

    def mask(self, text: str) -> NDArray[np.uint8]:
        """Return how much of each pixel a line of text covers, ``[height, ceil(width)] uint8``; do not write to it."""
        found = self._texts.get(text)
        if found is None:
            if len(self._texts) > 1000:  # numbers come and go
                self._texts.clear()
            found = self._texts[text] = self._drawn(drawable(text))
        return found

    def _drawn(self, text: str) -> NDArray[np.uint8]:
        glyphs = _outlines().glyphs
        at, places = 0.0, []
        for letter in text:
            places.append(round(at * _PLACES))
            at += glyphs[letter][0] * self._scale
        mask = np.zeros((self.height, int(np.ceil(at)) + 2), np.uint8)
        for letter, place in zip(text, places, strict=True):
            glyph = self._glyph(letter, place % _PLACES)
            left = place // _PLACES
            part = mask[:, left : left + glyph.shape[1]]
            np.maximum(part, glyph[:, : part.shape[1]], out=part)
        return mask

    def _glyph(self, letter: str, place: int) -> NDArray[np.uint8]:
        found = self._glyphs.get((letter, place))
        if found is None:
            advance, curves = _outlines().glyphs[letter]
            lines = lines_from_curves(curves) * self._scale
            lines[:, 0::2] += place / _PLACES
            lines[:, 1::2] = self.baseline - lines[:, 1::2]
            width = int(np.ceil(advance * self._scale)) + 2
            found = coverage(lines, self.height, width)
            self._glyphs[letter, place] = found
        return found


@lru_cache(maxsize=32)
def font_of_size(size: float) -> Font:
    """Return the font at a size of the em in pixels."""
    return Font(size)
