"""Changes inside a stream that its vectors do not survive, nor a picture that a decoder holds back."""

from typing import Any, cast

import av

from edge_arseg.video.vectors.codec import B_FRAMES, made_by_x264, unfit_parameters
from edge_arseg.video.vectors.h264_units import is_referred_to, length_size, parameter_sets
from edge_arseg.video.vectors.sps import parameter_sets_of_extradata

_DROPPING = ("mpeg1video", "mpeg2video")
_SEQUENCE, _LOOKED_AT = b"\0\0\1\xb3", 1024
"""Begins the header of a sequence, with 12 bits each of columns and rows behind it, and how far it is looked for."""


class ParameterWatch:
    """Reads what comes with each packet of a stream whose vectors are chained, before the packet is decoded.

    Attributes:
        unfit: why the vectors can be chained no more; ``None`` while they can.
        doubt: why they are not trusted any more, although they could be chained; ``None`` while they are.

    Args:
        codec: FFmpeg's name of the decoder.
        extradata: of the stream as it was opened.
    """

    def __init__(self, codec: str, extradata: bytes | None) -> None:
        self.unfit: str | None = None
        self.doubt: str | None = None
        self._h264 = codec == "h264"
        self._length_size = length_size(extradata)
        self._known = set(parameter_sets_of_extradata(extradata)) if self._h264 else set()

    def look(self, packet: Any) -> None:
        """Take notice of the next packet."""
        if self.unfit is not None:
            return
        if packet.is_disposable or packet.opaque is not None:  # of a recording, which cannot set the flag
            self.unfit = _LAYERS
        if not self._h264:
            return
        data = bytes(packet)
        units = parameter_sets(data, self._length_size)
        # A container with several descriptions of its samples sends them along.
        if packet.has_sidedata("new_extradata"):
            extradata = bytes(packet.get_sidedata("new_extradata"))
            self._length_size = length_size(extradata)
            units = parameter_sets_of_extradata(extradata) + parameter_sets(data, self._length_size)
        for unit in units:
            if unit not in self._known:
                self._known.add(unit)
                self.unfit = self.unfit or unfit_parameters(unit)
                if not made_by_x264(packet):
                    self.doubt = "from here on another encoder made the stream, and it is not known for good vectors"
        if self.unfit is None and not is_referred_to(data, self._length_size):
            self.unfit = _LAYERS

    def decoded(self, context: av.VideoCodecContext) -> None:
        """Take notice of what the decoder found in the packet."""
        if self.unfit is None and context.has_b_frames:
            self.unfit = B_FRAMES


class SizeChange:
    """Fetches the picture that a decoder of MPEG-1 or MPEG-2 holds back, before it drops it: where the size changes.

    Args:
        context: of the decoder, before its first packet. Of other codecs nothing is fetched.
    """

    def __init__(self, context: Any) -> None:
        self._context = context
        self._looks = context.name in _DROPPING
        self._size = b""

    def held_back(self, packet: Any) -> list[av.VideoFrame]:
        """The pictures that belong before a packet which begins another size; else none."""
        if not self._looks or not packet.size:
            return []
        data = bytes(packet)[:_LOOKED_AT]
        place = data.find(_SEQUENCE)
        before, self._size = self._size, data[place + 4 : place + 7] if place >= 0 else self._size
        if before in (b"", self._size):
            return []
        pictures = cast(list[av.VideoFrame], self._context.decode(None))
        self._context.flush_buffers()
        return pictures


_LAYERS = "the stream has pictures that the next one does not refer to"
