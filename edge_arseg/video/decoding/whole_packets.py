"""Packets that each hold one picture, so that none needs to wait for the next to be known as whole."""

from typing import Any

from edge_arseg.errors import SourceError
from edge_arseg.video.vectors.h264_units import units

CONTAINER = "mpegts"
"""Others frame their pictures themselves, and give them out at once, or cut them anywhere."""

CARRIERS = ("udp", "tcp", "srt")
"""Schemes of sources that may send it."""

OPTIONS = {"fflags": "noparse"}
"""For the demuxer: FFmpeg's parser holds each picture of MPEG-TS back until the next begins."""


class PacketsError(SourceError):
    """Low latency is not possible; opened again, the source is read without it."""


class WholePackets:
    """Takes packets of MPEG-TS for pictures, until one is found that is none.

    Args:
        label: of the source, for messages.

    Attributes:
        believed: nothing was found yet that speaks against it; kept when the source is opened again.
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self.believed = True

    def check_stream(self, container: str, codec: str) -> None:
        """Look at what was opened.

        Args:
            container: FFmpeg's name of it.
            codec: FFmpeg's name of the decoder.

        Raises:
            PacketsError: its packets may not be pictures.
        """
        if container != CONTAINER or codec not in _STARTS:
            seen = codec if container == codec else f"{codec} in {container}"
            raise self._doubted(f"a stream of {seen}, where low latency needs H.264 or H.265 in MPEG-TS")

    def look(self, packet: Any, codec: str) -> None:
        """Look at the next packet before it is decoded. One that lost a part is not judged.

        Raises:
            PacketsError: it is not one picture.
        """
        if packet.size and not packet.is_corrupt and not is_one_picture(bytes(packet), codec):
            raise self._doubted("a packet holds no picture, a part of one, or several, where low latency needs one")

    def _doubted(self, why: str) -> PacketsError:
        self.believed = False
        return PacketsError(f"{self._label}: {why}; it is read without low latency from here on")


_STARTS = {"h264": (range(1, 6), 31, 0, 1), "hevc": (range(32), 63, 1, 2)}
"""Kinds of units that hold slices, what masks a unit's kind after how many bits, and the byte whose first bit says that
the slice is the first of its picture."""


def is_one_picture(data: bytes, codec: str) -> bool:
    """Whether a packet of H.264 or H.265 holds one picture from its beginning, and nothing of another.

    Args:
        data: of the packet, units between start codes.
        codec: ``h264`` or ``hevc``.
    """
    kinds, mask, shift, behind = _STARTS[codec]
    firsts = [
        start + behind < end and data[start + behind] >= 0x80
        for start, end in units(data, 0)
        if data[start] >> shift & mask in kinds
    ]
    return firsts[:1] == [True] and not any(firsts[1:])
