"""Fragments of an MP4 that begin anew at an earlier time, as where recordings are joined."""

from typing import Any

import av

_MP4 = "mp4"


class Restart:
    """Shows the pictures of such a fragment, which FFmpeg takes for copies of earlier ones and hides.

    Args:
        container: FFmpeg's name of it.
        stream: that is decoded; of a fragmented MP4 nothing says how many pictures it has.
    """

    def __init__(self, container: str, stream: Any) -> None:
        self._fragments = _MP4 in container.split(",") and not stream.frames
        self._latest: int | None = None  # time of decoding
        self._anew = False  # inside such a fragment

    def shown(self, packet: Any) -> Any:
        """Return the packet, or one of the same content that is not hidden."""
        if not self._fragments or not packet.size or packet.dts is None:
            return packet
        back = self._latest is not None and packet.dts <= self._latest
        self._anew = bool(packet.is_discard) and (back or self._anew)
        self._latest = packet.dts
        return _not_hidden(packet) if self._anew else packet


def _not_hidden(packet: Any) -> Any:
    shown = av.Packet(bytes(packet))
    shown.stream, shown.time_base = packet.stream, packet.time_base
    shown.pts, shown.dts, shown.duration = packet.pts, packet.dts, packet.duration
    shown.is_keyframe, shown.is_corrupt = packet.is_keyframe, packet.is_corrupt
    return shown
