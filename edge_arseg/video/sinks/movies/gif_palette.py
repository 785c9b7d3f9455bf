"""Pictures in 256 colours, as GIF stores them."""

from fractions import Fraction
from typing import Final

import av
from av.filter import Graph

GIF_TICK: Final = Fraction(1, 100)
"""Times in a GIF are counted in it, seconds."""

SHORTEST: Final = 2
"""Ticks from one picture to the next: browsers show a picture of one tick for ten of them."""


class GifPalette:
    """Gives each picture a palette of its own: an overlay has more colours than one palette for all would hold.

    Args:
        size: rows and columns of the pictures.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        height, width = size
        self._graph = Graph()
        self._in = self._graph.add_buffer(
            width=width, height=height, format=av.VideoFormat("rgb24"), time_base=GIF_TICK
        )
        both = self._graph.add("split")
        found = self._graph.add("palettegen", "stats_mode=single:reserve_transparent=0")
        used = self._graph.add("paletteuse", "new=1:dither=sierra2_4a")
        self._out = self._graph.add("buffersink")
        self._in.link_to(both)
        both.link_to(found, 0, 0)
        both.link_to(used, 1, 0)
        found.link_to(used, 0, 1)
        used.link_to(self._out)
        self._graph.configure()

    def applied(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Return an ``rgb24`` frame as ``pal8``, with its time."""
        self._in.push(frame)
        found = self._out.pull()
        assert isinstance(found, av.VideoFrame)
        return found
