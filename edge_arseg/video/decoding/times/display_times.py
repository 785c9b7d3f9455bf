"""Times at which pictures are shown, where the packets have those of decoding alone."""

import heapq
import re
from typing import Any

from av.video.frame import PictureType

_OF_DECODING = "mpegvideo"
"""FFmpeg's name of bare MPEG-1 and MPEG-2: the first time of display is off by a period, those of decoding are not."""
_LATE = "avi"
"""A container that begins at 0 with the first packet: FFmpeg shows that picture a period later, or more."""
_ONE_TIME = (_LATE, "asf")
"""Containers in which a packet has one time. FFmpeg takes it for that of decoding, and guesses when it is shown."""
_PACKED = re.compile(rb"DivX\d+(Build|b)\d+p")
BARE = frozenset(("h264", "hevc", "vvc"))
"""Streams without a container. FFmpeg gives them 25 pictures a second, whatever they say of themselves."""

_FASTEST = 1000
"""Frames a second that are believed."""


def has_packed_frames(extradata: bytes | None) -> bool:
    """Whether a packet of MPEG-4 may hold two pictures, as DivX and Xvid write them into an AVI.

    Args:
        extradata: of the stream.
    """
    return _PACKED.search(extradata or b"") is not None


def stated_rate(container: str, stream: Any) -> float | None:
    """Frames a second of an opened stream, if known.

    Args:
        container: FFmpeg's name of it.
        stream: as PyAV gives it.
    """
    bare = set(container.split(",")) & {*BARE, _OF_DECODING}
    rate = (stream.codec_context.framerate if bare else None) or stream.average_rate
    if rate and rate > _FASTEST:  # of bare DV the units of its clock
        rate = stream.guessed_rate
    return float(rate) if rate and rate <= _FASTEST else None


class DisplayTimes:
    """Gives pictures the times of their packets, in the order in which they are shown.

    With B-frames pictures are not stored in that order. An AVI does not say it, and an MP4 or Matroska file made from
    one says it wrongly: there the times of packets always increase, which true ones do not do once there is a B-frame.
    From the first B-frame on, the pictures that come out of the decoder get these times in turn. Until then a picture
    says its own time, whatever was lost before it.

    Of an AVI FFmpeg guesses when pictures are shown. It is wrong where a packet holds two pictures (packed B-frames of
    DivX and Xvid), and where it gives the first picture no delay (MPEG-1). There pictures get the times of decoding in
    turn. They are a little early where a recorder left pictures out, so that others keep FFmpeg's.

    Without B-frames FFmpeg takes a picture of H.264 in an AVI or ASF to be shown when the next one is decoded, which is
    long after it where a recorder left pictures out: there the times of decoding count.

    Args:
        container: FFmpeg's name of it; ``None``: a live source, of which packets may be lost, is believed.
        rate: frames a second, if known.
        first: packet of the stream.
        reordered: the decoder expects pictures in another order than that in which they are shown.
        extradata: of the stream.
    """

    def __init__(
        self,
        container: str | None,
        rate: float | None,
        first: Any,
        *,
        reordered: bool = True,
        extradata: bytes | None = None,
    ) -> None:
        names = set((container or "").split(","))
        self._as_decoded = not reordered and not names.isdisjoint(_ONE_TIME)
        known = first.pts is not None and first.dts is not None
        self._lead = first.pts - first.dts if _LATE in names and known else 0
        guessed = _LATE in names and known and (has_packed_frames(extradata) or not self._lead)
        self._as_decoded = self._as_decoded or guessed
        self._of_decoding = _OF_DECODING in names or self._as_decoded
        self._period_s = 1 / (rate or 25.0) if names & BARE else None  # between packets, where they have no times
        self._increase = container is not None
        self._count = 0
        self._last: int | None = None
        self._waiting: list[tuple[int, int]] = []  # time, and which time the picture will say it has
        self._new: tuple[int, int] | None = None  # of the packet that was looked at last
        self._held: int | None = None  # packets that wait while one picture is given out
        self._in_turn = _OF_DECODING in names or self._period_s is not None

    def look(self, packet: Any) -> None:
        """Take notice of the next packet, before it is decoded."""
        self._new = None
        if not self._increase or not packet.size or packet.is_discard:
            return
        time = packet.dts if self._of_decoding else packet.pts
        if self._period_s is not None:
            time, self._count = self._count, self._count + 1
        if time is None or (self._last is not None and time <= self._last):
            self._increase = False  # for good: the pictures say when they are shown
            self._waiting.clear()
            return
        self._last = time
        self._new = (time, time if packet.pts is None else packet.pts)
        heapq.heappush(self._waiting, self._new)

    def decoded(self, *, refused: bool) -> None:
        """Hear whether the decoder refused the packet that was looked at last: then no picture has its time."""
        if refused and self._new is not None:
            self._waiting.remove(self._new)
            heapq.heapify(self._waiting)

    def time_s(self, frame: Any) -> float | None:
        """Seconds of the next picture; ``None`` where nothing says it."""
        unit = self._period_s or frame.time_base
        self._in_turn = self._in_turn or frame.pict_type == PictureType.B
        if self._increase and self._waiting and unit:
            if self._in_turn or frame.pts is None:
                return float((self._next(frame.pts) - (0 if self._of_decoding else self._lead)) * unit)
            own = self._own(frame.pts)
            self._held = len(self._waiting)
            if self._as_decoded and own is not None:
                return float(own * unit)
        if self._period_s is not None or not unit:
            return None
        time = frame.dts if frame.pts is None else frame.pts - self._lead
        return None if time is None else float(time * unit)

    def _own(self, said: int) -> int | None:
        """The time of the packet of a picture; it and all before it wait no more. Two packets may say the same."""
        while self._waiting and self._waiting[0][1] < said:
            heapq.heappop(self._waiting)
        if not self._waiting or self._waiting[0][1] > said:
            return None
        return heapq.heappop(self._waiting)[0]

    def _next(self, said: int | None) -> int:
        """The smallest time that waits, without those of packets that gave no picture.

        Without a container each picture is one period behind the one before, unless a packet was refused.
        """
        if self._held is None:
            # The first picture that is shown is the first that could be decoded.
            while said is not None and len(self._waiting) > 1 and self._waiting[0][1] < said:
                heapq.heappop(self._waiting)
            self._held = len(self._waiting) - 1
        while self._period_s is None and len(self._waiting) > self._held + 1:
            heapq.heappop(self._waiting)
        return heapq.heappop(self._waiting)[0]
