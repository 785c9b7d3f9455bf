"""Motion vectors for any picture: encode it again with MPEG-4 and read the vectors back."""

from fractions import Fraction
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from edge_arseg.spec.frame import VECTOR_DTYPE
from edge_arseg.video.fit import Fit
from edge_arseg.video.vectors.codec import vectors_from_picture

_INTRA, _ANY = 1, 0  # picture types: I, and as the encoder likes
_LONGEST = 8190
"""Pixels of a side, at most: MPEG-4 writes them in 13 bits."""


class Recoder:
    """Encodes each picture in process, without B-frames and with one reference, so each vector means one step.

    No latency: the vectors of a picture come back before the next one goes in. The chosen options were measured: four
    vectors a block, finest quantiser 4, a wide search.

    Args:
        height: of the pictures, pixels; odd sizes are padded.
        width: of the pictures, pixels.
        scale: encode at this share of the size, 0 to 1; 0.5 takes a third of the time, and finds coarser motion. Larger
            pictures than MPEG-4 has are encoded at a smaller one.
    """

    def __init__(self, height: int, width: int, *, scale: float = 1.0) -> None:
        scale = min(scale, _LONGEST / max(height, width))
        self._height, self._width, self._scale = height, width, scale
        # MPEG-4 wants even sides.
        self._coded_height, self._coded_width = (-(-max(1, round(side * scale)) // 2) * 2 for side in (height, width))
        encoder = av.CodecContext.create("mpeg4", "w")
        encoder.width, encoder.height, encoder.pix_fmt = self._coded_width, self._coded_height, "yuv420p"
        encoder.time_base, encoder.framerate = Fraction(1, 30), Fraction(30, 1)
        # One endless group of pictures. Without strict=experimental FFmpeg puts in an intra picture, which has no
        # vectors, every 600 pictures.
        encoder.gop_size = 1 << 30
        encoder.options = {
            "strict": "experimental",
            "flags": "+mv4+qscale",
            "qmin": "4",
            "last_pred": "3",
            "dia_size": "2",
        }
        # Threads read each other's vectors while searching: with more than one, no two runs agree.
        encoder.thread_count = 1
        decoder = av.CodecContext.create("mpeg4", "r")
        decoder.options = {"flags2": "+export_mvs"}
        decoder.thread_type = "NONE"
        self._encoder, self._decoder = encoder, decoder
        self._count = 0

    def vectors(self, picture: av.VideoFrame, *, fresh: bool = False) -> NDArray[np.void] | None:
        """Vectors from ``picture`` to the picture given before, in pixels of the picture.

        Args:
            picture: of the size given, any pixel format; its type and time are overwritten.
            fresh: do not look back at the picture before.

        Returns:
            ``[N]`` of ``VECTOR_DTYPE``; ``None`` for the first picture, a fresh one, or one unlike the one before.

        Raises:
            av.error.FFmpegError: the codec failed.
        """
        picture = self._coded(picture)
        picture.pict_type = _INTRA if fresh else _ANY
        picture.pts, picture.time_base = self._count, self._encoder.time_base
        self._count += 1
        vectors = None
        for packet in self._encoder.encode(picture):
            for decoded in self._decoder.decode(packet):
                vectors = vectors_from_picture(decoded)
        if self._scale != 1:
            vectors = Fit(self._height, self._width, turns=0).vectors(vectors, self._coded_height, self._coded_width)
        return vectors

    def _coded(self, picture: av.VideoFrame) -> av.VideoFrame:
        if self._scale != 1:
            return picture.reformat(self._coded_width, self._coded_height, "yuv420p", interpolation="BILINEAR")
        picture = picture.reformat(format="yuv420p")
        if (picture.width, picture.height) == (self._coded_width, self._coded_height):
            return picture
        padded = av.VideoFrame(self._coded_width, self._coded_height, "yuv420p")
        for source, target in zip(picture.planes, padded.planes, strict=True):
            pixels, room = _pixels(source), _pixels(target)
            room[...] = np.pad(
                pixels, [(0, room.shape[0] - pixels.shape[0]), (0, room.shape[1] - pixels.shape[1])], mode="edge"
            )
        return padded


def _pixels(plane: Any) -> NDArray[np.uint8]:
    return np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]


def still_vectors(height: int, width: int) -> NDArray[np.void]:
    """Vectors that say: nothing moved. ``[N]`` of ``VECTOR_DTYPE``, 16x16 blocks over the whole frame; read-only."""
    y, x = np.mgrid[8 : height + 8 : 16, 8 : width + 8 : 16]
    vectors = np.zeros(x.size, VECTOR_DTYPE)
    vectors["x"], vectors["y"] = x.reshape(-1), y.reshape(-1)
    vectors["width"] = vectors["height"] = 16
    vectors.setflags(write=False)
    return vectors
