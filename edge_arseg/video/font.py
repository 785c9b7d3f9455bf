"""A bitmap font of capital letters, for legends."""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

GLYPH_HEIGHT: Final = 7
GLYPH_ADVANCE: Final = 6
"""Width of a glyph, 5, and the gap behind it."""

_BANDS: Final = """
ABCDEFGHIJKL
.###. ####. .#### ####. ##### ##### .###. #...# .###. ..### #...# #....
#...# #...# #.... #...# #.... #.... #...# #...# ..#.. ...#. #..#. #....
#...# #...# #.... #...# #.... #.... #.... #...# ..#.. ...#. #.#.. #....
##### ####. #.... #...# ####. ####. #.### ##### ..#.. ...#. ##... #....
#...# #...# #.... #...# #.... #.... #...# #...# ..#.. ...#. #.#.. #....
#...# #...# #.... #...# #.... #.... #...# #...# ..#.. #..#. #..#. #....
#...# ####. .#### ####. ##### #.... .###. #...# .###. .##.. #...# #####
MNOPQRSTUVWX
#...# #...# .###. ####. .###. ####. .#### ##### #...# #...# #...# #...#
##.## ##..# #...# #...# #...# #...# #.... ..#.. #...# #...# #...# #...#
#.#.# ##..# #...# #...# #...# #...# #.... ..#.. #...# #...# #...# .#.#.
#.#.# #.#.# #...# ####. #...# ####. .###. ..#.. #...# #...# #.#.# ..#..
#...# #..## #...# #.... #.#.# #.#.. ....# ..#.. #...# .#.#. #.#.# .#.#.
#...# #..## #...# #.... #..#. #..#. ....# ..#.. #...# .#.#. ##.## #...#
#...# #...# .###. #.... .##.# #...# ####. ..#.. .###. ..#.. #...# #...#
YZ0123456789
#...# ##### .###. ..#.. .###. .###. ...#. ##### ..##. ##### .###. .###.
#...# ....# #...# .##.. #...# #...# ..##. #.... .#... ....# #...# #...#
.#.#. ...#. #..## ..#.. ....# ....# .#.#. ####. #.... ...#. #...# #...#
..#.. ..#.. #.#.# ..#.. ...#. ..##. #..#. ....# ####. ..#.. .###. .####
..#.. .#... ##..# ..#.. ..#.. ....# ##### ....# #...# ..#.. #...# ....#
..#.. #.... #...# ..#.. .#... #...# ...#. #...# #...# .#... #...# ...#.
..#.. ##### .###. .###. ##### .###. ...#. .###. .###. .#... .###. .##..
-_+./:%()?
..... ..... ..... ..... ....# ..... ##..# ...#. .#... .###.
..... ..... ..#.. ..... ....# ..#.. ##..# ..#.. ..#.. #...#
..... ..... ..#.. ..... ...#. ..#.. ...#. .#... ...#. ....#
.###. ..... ##### ..... ..#.. ..... ..#.. .#... ...#. ..##.
..... ..... ..#.. ..... .#... ..#.. .#... .#... ...#. ..#..
..... ..... ..#.. .##.. #.... ..#.. #..## ..#.. ..#.. .....
..... ##### ..... .##.. #.... ..... #..## ...#. .#... ..#..
"""


@lru_cache(maxsize=1)
def _glyphs() -> dict[str, NDArray[np.bool_]]:
    lines = _BANDS.strip().splitlines()
    glyphs = {" ": np.zeros((GLYPH_HEIGHT, 5), bool)}
    for first in range(0, len(lines), GLYPH_HEIGHT + 1):
        rows = [line.split() for line in lines[first + 1 : first + 1 + GLYPH_HEIGHT]]
        for index, letter in enumerate(lines[first]):
            glyphs[letter] = np.array([[mark == "#" for mark in row[index]] for row in rows])
    return glyphs


@lru_cache(maxsize=512)
def text_mask(text: str, scale: int = 1) -> NDArray[np.bool_]:
    """Return where ``text`` is inked, ``[7 * scale, 6 * scale * len(text)] bool``.

    Small letters are drawn as capitals, underscores as spaces, and what the font does not have as a question mark.
    """
    glyphs = _glyphs()
    mask = np.zeros((GLYPH_HEIGHT, GLYPH_ADVANCE * len(text)), bool)
    for index, letter in enumerate(text.upper().replace("_", " ")):
        mask[:, index * GLYPH_ADVANCE : index * GLYPH_ADVANCE + 5] = glyphs.get(letter, glyphs["?"])
    return mask.repeat(scale, 0).repeat(scale, 1)


def draw_text(
    picture: NDArray[np.uint8], row: int, column: int, text: str, color: tuple[int, int, int], scale: int = 1
) -> None:
    """Ink ``text`` into ``picture`` (``[H, W, 3] uint8``), upper left corner at ``row``, ``column``; cut at edges."""
    mask = text_mask(text, scale)
    part = picture[row : row + mask.shape[0], column : column + mask.shape[1]]
    part[mask[: part.shape[0], : part.shape[1]]] = color
