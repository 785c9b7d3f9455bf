#!/usr/bin/env python3
"""Write the outlines of a TrueType font that the overlay draws text with.

usage: python tools/font_outlines.py Roboto-Medium.ttf [-o edge_arseg/video/overlay/text/roboto-medium.npz]

Needs fonttools, which comes with matplotlib. The font in the package is Roboto Medium 2.138 (Christian Robertson,
Google; Apache-2.0), from Debian's fonts-roboto-unhinted 2:0~20170802-3. Taken are Latin with its two first extensions,
Greek, Cyrillic and some signs. The file holds for each character its advance and its outline as quadratic curves, in
units of the em: what FreeType would read from the font, without hinting, tables and other characters.
"""

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.ttLib import TTFont

PLACE = Path(__file__).resolve().parents[1] / "edge_arseg/video/overlay/text/roboto-medium.npz"
RANGES = ((0x20, 0x7F), (0xA0, 0x180), (0x1A0, 0x1A2), (0x1AF, 0x1B1), (0x218, 0x21C), (0x386, 0x3CF), (0x400, 0x460))
RANGES += ((0x1EA0, 0x1EFA), (0x2010, 0x2016), (0x2018, 0x201F), (0x2022, 0x2023), (0x2026, 0x2027), (0x20AC, 0x20AD))


def curves_of_glyph(glyphs: object, name: str) -> list[tuple[float, ...]]:
    """Return the outline as quadratic curves ``x0 y0, control x y, x1 y1``; a line has its middle as control."""
    record = DecomposingRecordingPen(glyphs)
    glyphs[name].draw(Cu2QuPen(record, 1.0))
    curves: list[tuple[float, ...]] = []
    at = start = (0.0, 0.0)

    def line(to: tuple[float, float]) -> None:
        nonlocal at
        if to != at:
            curves.append((*at, (at[0] + to[0]) / 2, (at[1] + to[1]) / 2, *to))
        at = to

    for step, points in record.value:
        if step == "moveTo":
            at = start = points[0]
        elif step == "lineTo":
            line(points[0])
        elif step == "qCurveTo":
            *controls, end = points
            if end is None:  # no point of this contour is on the curve: it begins between the last and the first
                end = at = start = ((controls[-1][0] + controls[0][0]) / 2, (controls[-1][1] + controls[0][1]) / 2)
            for control, following in pairwise(controls):
                to = ((control[0] + following[0]) / 2, (control[1] + following[1]) / 2)
                curves.append((*at, *control, *to))
                at = to
            curves.append((*at, *controls[-1], *end))
            at = end
        elif step in ("closePath", "endPath"):
            line(start)
    return curves


def main() -> None:
    """Write the file, and say how large it is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("font", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=PLACE)
    chosen = parser.parse_args()
    font = TTFont(chosen.font)
    glyphs, names = font.getGlyphSet(), font.getBestCmap()
    letters = [letter for first, end in RANGES for letter in range(first, end) if letter in names]
    outlines = [curves_of_glyph(glyphs, names[letter]) for letter in letters]
    np.savez_compressed(
        chosen.output,
        em=np.int16(font["head"].unitsPerEm),
        ascent=np.int16(font["hhea"].ascent),
        descent=np.int16(font["hhea"].descent),
        cap=np.int16(font["OS/2"].sCapHeight or 1456),
        letters=np.array(letters, np.uint16),
        advances=np.array([glyphs[names[letter]].width for letter in letters], np.int16),
        ends=np.cumsum([len(outline) for outline in outlines]).astype(np.int32),
        curves=np.array([curve for outline in outlines for curve in outline]).round().astype(np.int16),
    )
    print(f"{chosen.output}: {len(letters)} characters, {chosen.output.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
