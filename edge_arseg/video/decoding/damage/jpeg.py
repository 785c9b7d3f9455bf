"""JPEG pictures in a stream of which a part is missing or damaged."""

from typing import Any, cast

import av

from edge_arseg.video.decoding.damage.stills import is_still

_CODEC = "mjpeg"


class PatchedJpeg:
    """Makes a decoder of JPEG refuse damage, and gives what it refuses as FFmpeg patches it up.

    A decoder that is not strict gives such a picture as a sound one, with its lower part green or shifted. Cameras send
    them where a cable or a network fails. Some send nothing else, with an end that is a few bits short, and are watched
    anyway.

    Args:
        container: FFmpeg's name of it; a still is refused as a whole, see ``demand_whole``.
        context: of the decoder, before its first packet. Of other codecs it stays as it is.
    """

    def __init__(self, container: str, context: Any) -> None:
        self._patching: Any = None
        if context.name != _CODEC or is_still(container):
            return
        context.options = {"err_detect": "explode"}
        self._patching = av.CodecContext.create(_CODEC, "r")
        self._patching.extradata, self._patching.codec_tag = context.extradata, context.codec_tag
        self._patching.thread_type = "NONE"

    def pictures(self, packet: Any) -> list[av.VideoFrame]:
        """The picture of a packet that was refused, to be taken as damaged; none where nothing can be made of it."""
        if self._patching is None or not packet.size:
            return []
        try:
            return cast(list[av.VideoFrame], self._patching.decode(packet))
        except av.error.FFmpegError:
            return []
