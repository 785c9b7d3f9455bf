"""How a frame was made: its branch, its place after the keyframe, its latency and the pace of the run."""

from typing import Final

from edge_arseg.spec.frame import Branch, SegmentedFrame
from edge_arseg.video.overlay.plate import DIM, INK, PAPER, Plate
from edge_arseg.video.overlay.scale import Scale

HR: Final = (255, 190, 46)
LR: Final = (104, 182, 255)
_TRACK: Final = (72, 78, 88)


def badge_of_branch(branch: Branch, scale: Scale) -> Plate:
    """Return a plate in the colour of a branch, with its name."""
    text, font, word = scale.text, scale.font, branch.value.upper()
    height, width = round(1.35 * text), round(font.width("HR") + 1.1 * text)
    plate = Plate(height, width, 0.3 * text, solid=True, color=HR if branch is Branch.HR else LR)
    plate.write(font, word, height / 2, (width - font.width(word)) / 2, PAPER)
    return plate


class Status:
    """Makes the plate of the status.

    The badge says ``HR`` or ``LR``. Behind it ``+4`` says how many frames after the keyframe this one is, and the line
    below grows with that until the next keyframe.

    Args:
        scale: of the picture.
    """

    def __init__(self, scale: Scale) -> None:
        self._scale = scale
        self._longest = 1
        font, text = scale.font, scale.text
        self._badges = {branch: badge_of_branch(branch, scale) for branch in Branch}
        badge = self._badges[Branch.HR].width
        self._columns = [
            (badge + 0.6 * text, font.width("+00")),
            (badge + 1.2 * text + font.width("+00"), font.width("0000.0 ms")),
            (badge + 2.0 * text + font.width("+000000.0 ms"), font.width("000 fps")),
        ]

    @property
    def height(self) -> int:
        """Height of the plate, pixels."""
        return round(2.1 * self._scale.text)

    def plate(self, result: SegmentedFrame, fps: float | None, *, solid: bool = False) -> Plate:
        """Return the plate of a frame.

        Args:
            result: the frame.
            fps: of the run; ``None``: not known yet.
            solid: hide the picture.
        """
        scale = self._scale
        text, margin = scale.text, 0.45 * scale.text
        middle = 0.5 * self.height - 0.07 * text
        plate = Plate(self.height, round(margin + sum(self._columns[-1]) + 0.7 * text), scale.radius, solid=solid)
        badge = self._badges[result.branch]
        plate.put(badge, round(middle - badge.height / 2), round(margin))
        words = [
            f"+{result.distance}",
            f"{result.latency_ms:.1f} ms",
            "" if fps is None else f"{fps:.{fps < 10:d}f} fps",
        ]
        for (left, wide), said, color in zip(self._columns, words, (INK, DIM, DIM), strict=True):
            plate.write(scale.font, said, middle, margin + left + wide - scale.font.width(said), color)
        self._draw_line(plate, result.distance, HR if result.branch is Branch.HR else LR)
        return plate

    def _draw_line(self, plate: Plate, distance: int, color: tuple[int, int, int]) -> None:
        self._longest = max(self._longest, distance)
        text = self._scale.text
        high, left = max(1, round(0.12 * text)), round(0.45 * text)
        room = plate.width - 2 * left
        top = plate.height - high - max(1, round(0.12 * text))
        if room <= 0:
            return
        grown = round(room * (distance + 1) / (self._longest + 1))
        plate.fill(top, left, high, room, _TRACK)
        plate.fill(top, left, high, grown, color)
