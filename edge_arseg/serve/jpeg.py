"""Pictures to JPEG, one after the other, by FFmpeg."""

from fractions import Fraction

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

LONGEST_SIDE = 1280
"""Pixels; a larger picture is made smaller on its way: a page is seldom wider, and encoding takes time by pixels."""

_QUALITY = 5
"""FFmpeg's scale, 2 (best) to 31."""


class JpegEncoder:
    """Encodes pictures of any size; one encoder is kept while the size stays."""

    def __init__(self) -> None:
        self._context: VideoCodecContext | None = None

    def encode(self, rgb: NDArray[np.uint8]) -> bytes:
        """Return a picture ``[H, W, 3] uint8`` RGB as JPEG, at most ``LONGEST_SIDE`` a side, both sides even."""
        height, width = rgb.shape[:2]
        scale = min(1.0, LONGEST_SIDE / max(height, width))
        size = tuple(max(2, round(side * scale / 2) * 2) for side in (width, height))
        frame = av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(rgb), format="rgb24")
        small = frame.reformat(width=size[0], height=size[1], format="yuvj420p")
        context = self._context
        if context is None or (context.width, context.height) != size:
            context = self._context = _new_context(*size)
        small.pts = None
        packets = context.encode(small)
        return b"".join(bytes(packet) for packet in packets)


def _new_context(width: int, height: int) -> VideoCodecContext:
    context = av.CodecContext.create("mjpeg", "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height, context.pix_fmt = width, height, "yuvj420p"
    context.time_base = Fraction(1, 30)
    context.thread_count = 1
    context.options = {"flags": "+qscale", "global_quality": str(_QUALITY * 118), "huffman": "default"}
    return context
