"""How large things are drawn on a picture of a size."""

from dataclasses import dataclass

from edge_arseg.video.overlay.text.font import Font, font_of_size


@dataclass(frozen=True, slots=True)
class Scale:
    """Sizes in pixels.

    Attributes:
        text: of the letters' em.
        margin: from the edge of the picture to a plate, and inside a plate.
        line: width of a contour.
        radius: of a plate's corners.
    """

    text: float
    margin: int
    line: int
    radius: float

    @property
    def font(self) -> Font:
        """The font of that size."""
        return font_of_size(self.text)

    @property
    def row(self) -> int:
        """Height of a row of text with the room around it."""
        return round(1.7 * self.text)


def scale_of(height: int, width: int) -> Scale:
    """Return the sizes for a picture: read at arm's length in a small one, not loud in a large one."""
    short = min(height, width)
    text = round(12 + (short - 360) * 0.018, 1) if short >= 360 else max(6.0, short / 30)
    return Scale(text, max(2, round(0.7 * text)), 1 + (short >= 500) + (short >= 1000) + (short >= 2000), 0.45 * text)
