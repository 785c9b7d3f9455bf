"""Packets of a file that gave no picture."""

from typing import Any

_JOINED = ("mpegts", "hls")
"""Containers whose streams may continue in another codec, unseen by FFmpeg. Each packet there is a picture."""
_FEW = 4
"""Packets without a picture that prove nothing: a second field, pictures that a decoder holds back."""

_LONG = 1.5  # periods: a step in which a picture is missing


class Gaps:
    """Finds where whole pictures are lost, of which a decoder is silent: it shows the next one, made of wrong ones.

    MPEG-TS counts its packets, and FFmpeg marks one where the count breaks. So it does where recordings are joined:
    there no time is missing.

    Args:
        parsed: FFmpeg's parser puts pictures together. The mark of the packet before the gap is then on the one before
            that.
    """

    def __init__(self, *, parsed: bool) -> None:
        self._marks = [False] * (2 if parsed else 1)  # of the last packets
        self._time: int | None = None
        self._step: int | None = None  # the shortest so far
        self._until_behind = 0  # packets until the first from behind a hole

    def pass_hole(self) -> None:
        """Hear that FFmpeg went over a hole before it gave the next packet. A parser gives the one before it now."""
        self._until_behind = len(self._marks)

    def before(self, packet: Any) -> bool:
        """Whether pictures are lost before a packet; it is the next one of the stream."""
        step = None if self._time is None or packet.dts is None else packet.dts - self._time
        missing = step is None or self._step is None or not 0 < step <= _LONG * self._step
        found = (self._marks[0] and missing) or self._until_behind == 1
        self._until_behind = max(0, self._until_behind - 1)
        if step is not None and step > 0:
            self._step = step if self._step is None else min(step, self._step)
        self._marks = [*self._marks[1:], bool(packet.is_corrupt)]
        self._time = packet.dts
        return found


class Losses:
    """Counts what could not be decoded, so that nothing is left out in silence.

    A decoder refuses some of what it cannot read, and passes over the rest without a message.

    Args:
        container: FFmpeg's name of it.
    """

    def __init__(self, container: str) -> None:
        self._joined = not set(_JOINED).isdisjoint(container.split(","))
        self._refused = 0
        self._silent = 0  # packets that gave nothing, and were not refused, in runs of two or more
        self._run = 0  # since the last picture
        self._held_back = 0  # pictures that came out at the end
        self._pictures = 0
        self._before = 0  # what was lost until the first picture

    def look(self, packet: Any, pictures: int, *, refused: bool) -> None:
        """Take notice of what a packet gave; at the end of the stream one without data brings what was held back."""
        self._pictures += pictures
        if pictures == self._pictures > 0:
            self._before = self._refused + self._run
        if not packet.size:
            self._held_back = pictures
        elif refused:
            self._refused += 1
        elif pictures:
            self._silent += self._run if self._run > 1 else 0
            self._run = 0
        elif self._joined:
            self._run += 1

    @property
    def count(self) -> int:
        """Packets that gave no picture."""
        silent = self._silent + self._run - self._held_back
        return self._refused + (silent if silent > _FEW else 0)

    @property
    def at_end(self) -> bool:
        """Whether the last packets gave no picture."""
        return self._run - self._held_back > _FEW

    @property
    def told(self) -> str:
        """How much was lost, for a message."""
        packets = "1 packet" if self.count == 1 else f"{self.count:,} packets"
        return f"{packets} of its video could not be decoded, and gave no picture"

    @property
    def advice(self) -> str:
        """What to do about it, where more than damage may be the reason; else nothing."""
        if not self._joined or self.count <= 1:
            return ""
        if self._pictures and self.count <= self._before:
            return "; it begins between two intra frames, or with another codec"
        return (
            "; where recordings of two codecs were joined, only one of them can be decoded: make each a file of its own"
        )
