"""Results drawn on the pictures of their source."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.spec.geometry.placement import placement_of
from edge_arseg.spec.model import ClassInfo
from edge_arseg.video.overlay.arrows import Arrows
from edge_arseg.video.overlay.contours import Contours
from edge_arseg.video.overlay.facts.legend import Legend
from edge_arseg.video.overlay.facts.pace import Pace
from edge_arseg.video.overlay.facts.shares import Shares
from edge_arseg.video.overlay.facts.status import Status
from edge_arseg.video.overlay.facts.strip import Strip
from edge_arseg.video.overlay.labels import Labels
from edge_arseg.video.overlay.paint import Paint
from edge_arseg.video.overlay.palette.choice import colors_of_classes
from edge_arseg.video.overlay.plate import DIM, PAPER, Plate
from edge_arseg.video.overlay.scale import scale_of
from edge_arseg.video.overlay.style import DEFAULT_STYLE, OverlayStyle
from edge_arseg.video.overlay.text.font import drawable, missing
from edge_arseg.video.overlay.tint import Tint

_MOST_CLASSES = 256


class Overlay:
    """Draws results of one size.

    The picture is that of the source, ``result.frame.picture``, or ``result.frame.rgb`` where there is none, mixed
    with the colours of the classes. A pixel whose index is no class is darkened. Both sides of what is drawn are even,
    as video encoders want: an odd picture gets its last row or column twice.

    Attributes:
        shape: ``(height, width)`` of what is drawn.

    Args:
        size: rows and columns of the pictures.
        classes: names and colours, by index.
        style: how it looks.
        pace: returns the frames per second that are shown, once for each frame; by default those of the calls.
    """

    def __init__(
        self,
        size: tuple[int, int],
        classes: tuple[ClassInfo, ...],
        style: OverlayStyle = DEFAULT_STYLE,
        *,
        pace: Callable[[], float | None] | None = None,
    ) -> None:
        height, width = self._size = size
        classes = classes[:_MOST_CLASSES]
        colors = colors_of_classes(classes, style.palette)
        names = [_shown_name(info.name, index) for index, info in enumerate(classes)]
        self._style, self._scale = style, scale_of(height, width)
        self._left = width if style.compare else 0
        by_index = np.zeros((_MOST_CLASSES, 3), np.uint8)
        by_index[: len(colors)] = colors
        contours = Contours(size, by_index, self._scale.line) if style.contours else None
        self._paint = Paint(Tint(size, colors, style.alpha), contours)
        self._labels = Labels(names, colors, self._scale, size) if style.labels else None
        self._arrows = Arrows(size, self._scale) if style.motion else None
        self._legend = Legend(names, colors, self._scale, (height, self._left + width if style.strip else width))
        self._shares = Shares(len(classes))
        self._status = Status(self._scale)
        self._caption = self._made_caption("source")
        self._pace = pace or Pace().frame
        self._strip = (
            Strip(self._scale, self._status, self._legend, len(classes) if style.legend else 0) if style.strip else None
        )
        whole = self._left + width
        below = self._strip.height if self._strip is not None else 0
        self.shape = (height + height % 2 + below, whole + whole % 2)
        self._room = self.new_picture()
        whole_rows = self.shape[1] == width
        self._own_room = np.empty((0 if whole_rows else height, width, 3), np.uint8)

    def new_picture(self) -> NDArray[np.uint8]:
        """Return room for what is drawn, ``[*shape, 3] uint8``."""
        return np.zeros((*self.shape, 3), np.uint8)

    def draw(self, result: SegmentedFrame, out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        """Return what is drawn, ``[*shape, 3] uint8`` RGB.

        Args:
            result: of which ``frame.picture`` and ``at_source()`` have the size of the overlay; or ``frame.rgb`` and
                ``class_map`` where there is no picture.
            out: of that shape, C order, overwritten and returned; by default an array that the next call overwrites.
        """
        out = self._room if out is None else out
        height, width = self._size
        picture, class_map = picture_of(result)
        self._draw_result(out, result, picture, class_map)
        if self._style.compare:
            out[:height, :width] = picture
            self._caption.lay(out[:height, :width], self._scale.margin, self._scale.margin)
            middle = max(1, self._scale.line)
            out[:height, width - middle : width + middle] = PAPER
        whole = self._left + width
        if height % 2:
            out[height, :whole] = out[height - 1, :whole]
        if whole % 2:
            even = height + height % 2
            out[:even, whole] = out[:even, whole - 1]
        return out

    def _draw_result(
        self,
        out: NDArray[np.uint8],
        result: SegmentedFrame,
        picture: NDArray[np.uint8],
        class_map: NDArray[np.uint8],
    ) -> None:
        style, scale = self._style, self._scale
        height, width = self._size
        place = out[:height, self._left : self._left + width]
        target = place if place.flags.c_contiguous else self._own_room
        self._paint.lay(picture, class_map, target)
        if self._arrows is not None and result.motion is not None:
            placement = result.frame.placement
            if placement is None or placement.source != self._size:  # without a picture, or of another size before
                placement = placement_of(self._size, (result.frame.rgb.shape[0], result.frame.rgb.shape[1]))
            self._arrows.draw(target, result.motion, placement)
        fps = self._pace()
        plates: list[tuple[Plate, int, int]] = []
        shares = self._shares.follow(class_map) if style.legend else []
        if self._strip is not None:
            room = out[-self._strip.height :]
            self._strip.draw(room, self._status.plate(result, fps, solid=True), self._legend.plate(shares, solid=True))
        elif style.legend:
            plates.append((self._status.plate(result, fps), scale.margin, scale.margin))
            legend = self._legend.plate(shares)
            if legend is not None:
                plates.append((legend, height - legend.height - scale.margin, scale.margin))
        if self._labels is not None:
            taken = [(top, left, top + plate.height, left + plate.width) for plate, top, left in plates]
            self._labels.draw(target, class_map, taken)
        for plate, top, left in plates:
            plate.lay(target, top, left)
        if target is not place:
            place[...] = target

    def _made_caption(self, text: str) -> Plate:
        scale = self._scale
        plate = Plate(self._status.height, round(scale.font.width(text) + 1.4 * scale.text), scale.radius)
        plate.write(scale.font, text, plate.height / 2, 0.7 * scale.text, DIM)
        return plate


def picture_of(result: SegmentedFrame) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the picture that is drawn on, ``[H, W, 3] uint8``, and its class map, ``[H, W] uint8``."""
    if result.frame.picture is None:
        return result.frame.rgb, result.class_map
    return result.frame.picture, result.at_source()


def _shown_name(name: str, index: int) -> str:
    """Return the name in letters that the font has; where most are missing, the number of the class."""
    text = " ".join(name.replace("_", " ").split())
    return drawable(text) if missing(text) <= 0.5 else f"class {index}"
