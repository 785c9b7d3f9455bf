"""A frame blended with the colours of its classes, above a strip that names them and says how the frame was made."""

import numpy as np
from numpy.typing import NDArray

from edge_arseg.errors import OptionError
from edge_arseg.spec.frame import Branch, SegmentedFrame
from edge_arseg.spec.model import ClassInfo
from edge_arseg.video.font import GLYPH_ADVANCE, GLYPH_HEIGHT, draw_text

_PAPER = (24, 26, 30)
_INK = (226, 228, 232)
_KEY = (255, 196, 0)
_BAR = (110, 170, 235)
_LONGEST_BAR = 40


class Overlay:
    """Draws results of one size into one buffer.

    The picture is that of the source blended with the class colours; a pixel whose index is no class is darkened. A
    keyframe has a yellow border. Below it, unless ``legend`` is off, a strip: whether the frame ran through the HR
    branch (``KEY``) or how many frames after the keyframe it is (number and bar), its latency, and the classes.

    Both sides of the picture are even, as video encoders want: an odd frame gets its last row or column twice.

    Attributes:
        shape: ``(height, width)`` of the picture.

    Args:
        size: rows and columns of the frames.
        classes: names and colours, by index.
        alpha: how much of the class colour is mixed in, 0 (only the frame) to 1 (only the classes).
        legend: draw the strip.

    Raises:
        OptionError: ``alpha`` is outside 0 to 1.
    """

    def __init__(
        self, size: tuple[int, int], classes: tuple[ClassInfo, ...], *, alpha: float = 0.5, legend: bool = True
    ) -> None:
        if not 0.0 <= alpha <= 1.0:
            raise OptionError(f"overlay alpha is {alpha:g}; expected 0 (only the frame) to 1 (only the classes)")
        height, width = size
        self._size = size
        self._scale = 1 if width < 640 else 2
        self._keep = np.uint16(round(256 * (1 - alpha)))
        self._colors = np.zeros((256, 3), np.uint8)
        # Rounded down, like the product below: the sum of both never exceeds 255.
        share = 256 - int(self._keep)
        for index, info in enumerate(classes[:256]):
            self._colors[index] = [channel * share >> 8 for channel in info.color]
        even_height, even_width = height + height % 2, width + width % 2
        strip = _strip(even_width, classes, self._scale) if legend else np.empty((0, even_width, 3), np.uint8)
        self.shape = (even_height + strip.shape[0], even_width)
        self._picture = np.zeros((*self.shape, 3), np.uint8)
        self._picture[even_height:] = strip
        self._status = self._picture[even_height : even_height + _line(self._scale)] if legend else None
        self._product = np.empty((height, width, 3), np.uint16)
        self._tint = np.empty((height, width, 3), np.uint8)

    def draw(self, result: SegmentedFrame) -> NDArray[np.uint8]:
        """Return the overlay, ``[*shape, 3] uint8`` RGB; the next call overwrites it.

        Args:
            result: ``frame.picture`` (where there is none, ``frame.rgb``) and ``at_source()`` have the size.
        """
        height, width = self._size
        target = self._picture[:height, :width]
        picture = result.frame.rgb if result.frame.picture is None else result.frame.picture
        np.multiply(picture, self._keep, out=self._product, dtype=np.uint16)
        np.right_shift(self._product, 8, out=self._product)
        np.take(self._colors, result.at_source(), axis=0, out=self._tint, mode="clip")
        np.add(self._product, self._tint, out=target, casting="unsafe")
        if result.branch is Branch.HR:
            self._border(target)
        if height % 2:
            self._picture[height, :width] = self._picture[height - 1, :width]
        if width % 2:
            even_height = height + height % 2
            self._picture[:even_height, width] = self._picture[:even_height, width - 1]
        if self._status is not None:
            self._draw_status(self._status, result)
        return self._picture

    def _border(self, target: NDArray[np.uint8]) -> None:
        wide = max(2, 2 * self._scale)
        target[:wide] = target[-wide:] = _KEY
        target[:, :wide] = target[:, -wide:] = _KEY

    def _draw_status(self, status: NDArray[np.uint8], result: SegmentedFrame) -> None:
        scale = self._scale
        status[...] = _PAPER
        margin, advance = 4 * scale, GLYPH_ADVANCE * scale
        if result.branch is Branch.HR:
            status[2 * scale : -scale, 2 * scale : margin + 4 * advance] = _KEY
            draw_text(status, 3 * scale, margin, "KEY", _PAPER, scale)
        else:
            draw_text(status, 3 * scale, margin, f"+{result.distance}", _INK, scale)
        column = margin + 5 * advance
        length = min(result.distance, _LONGEST_BAR) * 2 * scale
        status[4 * scale : 9 * scale, column : column + length] = _BAR
        words = f"{result.latency_ms:.1f} ms"
        right = status.shape[1] - margin - advance * len(words)
        if right > column + _LONGEST_BAR:
            draw_text(status, 3 * scale, right, words, _INK, scale)


def _line(scale: int) -> int:
    return (GLYPH_HEIGHT + 5) * scale


def _strip(width: int, classes: tuple[ClassInfo, ...], scale: int) -> NDArray[np.uint8]:
    """Return the strip, ``[h, width, 3] uint8`` with h even: an empty line for the status, then the legend."""
    advance, line = GLYPH_ADVANCE * scale, _line(scale)
    places, row, column = [], 1, 4 * scale
    for info in classes:
        wide = 10 * scale + advance * (len(info.name) + 1)
        if column + wide - advance > width and column > 4 * scale:
            row, column = row + 1, 4 * scale
        places.append((row, column))
        column += wide
    height = (row + 1 if classes else 1) * line + 2 * scale
    strip = np.empty((height + height % 2, width, 3), np.uint8)
    strip[...] = _PAPER
    for info, (row, column) in zip(classes, places, strict=True):
        top = row * line + 3 * scale
        strip[top - 1 : top + GLYPH_HEIGHT * scale + 1, column - 1 : column + 7 * scale + 1] = _INK
        strip[top : top + GLYPH_HEIGHT * scale, column : column + 7 * scale] = info.color
        draw_text(strip, top, column + 10 * scale, info.name, _INK, scale)
    return strip
