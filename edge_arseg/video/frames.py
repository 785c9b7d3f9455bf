"""Decoded pictures to frames: resized, turned, with vectors and RGB."""

import time
from collections import deque
from dataclasses import dataclass, replace

import av
import numpy as np

from edge_arseg.errors import OptionError, SourceError
from edge_arseg.spec.frame import Frame
from edge_arseg.video.decode import Picture, PictureSource
from edge_arseg.video.faults import source_faults
from edge_arseg.video.fit import Fit
from edge_arseg.video.vector_source import VectorSource

_INTRA = 1
_RGB_FORMATS = ("rgb", "bgr", "gbr", "pal", "argb", "abgr")


@dataclass(frozen=True, slots=True)
class Step:
    """A picture that was followed but not yet turned into RGB: all but the pixels of a ``Frame``.

    Attributes:
        picture: not turned, and scaled only if the vectors needed that.
        rest: the frame, its ``rgb`` empty.
    """

    picture: av.VideoFrame
    rest: Frame


class FrameMaker:
    """Makes frames of one size out of the pictures of one source.

    A source whose pictures change size keeps the size it began with: later ones are scaled to it, and the first of
    each new size has no vectors, so it becomes a keyframe.

    Args:
        uri: for messages.
        pictures: where the pictures come from.
        first: the first of them.
        motion: see ``VectorSource``.
        size: ``(height, width)`` to deliver, after turning; ``None``: as coded.
        recode_scale: see ``Recoder``.
        live: times count from the first frame, and go on where a stream had to be opened anew.
        buffers: arrays that RGB is written to in turn; 0: a new array for each frame.

    Raises:
        OptionError: a value is out of range.
        SourceError: ``motion`` cannot be used with this source.
    """

    def __init__(
        self,
        uri: str,
        pictures: PictureSource,
        first: Picture,
        *,
        motion: str,
        size: tuple[int, int] | None,
        recode_scale: float,
        live: bool = False,
        buffers: int = 0,
    ) -> None:
        self._uri = uri
        self.rotation = int(first.frame.rotation)
        turns = self.rotation // 90 % 4 if self.rotation % 90 == 0 else 0
        if size is None:
            height, width = first.frame.height, first.frame.width
        else:
            height, width = size if turns % 2 == 0 else size[::-1]
            _check_size(uri, size, first.frame, height, width)
        self._fit = Fit(height, width, turns)
        self.height, self.width = (height, width) if turns % 2 == 0 else (width, height)
        self.vectors = VectorSource(motion, pictures, self._fit, recode_scale=recode_scale, uri=uri)
        self._coded: tuple[int, int] | None = None
        self._rate = pictures.rate or 25.0
        self._index = 0
        self._time_s = 0.0
        self._clock_s = 0.0  # when the last picture came, on the clock of this process
        self._offset_s: float | None = None if live else 0.0
        self._buffers = deque(np.zeros((self.height, self.width, 3), np.uint8) for _ in range(buffers))

    def step(self, picture: Picture) -> Step:
        """Follow the next picture: its vectors and time, without its RGB.

        Raises:
            SourceError: see ``VectorSource.vectors``.
        """
        frame = picture.frame
        fresh = self._coded != (frame.height, frame.width)
        self._coded = frame.height, frame.width
        kept = frame

        def resized() -> av.VideoFrame:
            nonlocal kept
            kept = self._resized(frame)
            return kept

        intra = int(frame.pict_type) == _INTRA
        self._time_s = self._time(picture.time_s)
        # The recoder overwrites type and time of the picture, so both were read before.
        with source_faults(self._uri):
            vectors = self.vectors.vectors(frame, resized, fresh=fresh)
        rest = Frame(
            index=self._index,
            time_s=self._time_s,
            rgb=np.empty((0, 0, 3), np.uint8),
            vectors=vectors,
            intra=intra,
            damaged=picture.damaged,
            source=self.vectors.source,
        )
        self._index += 1
        return Step(kept, rest)

    def frame(self, step: Step, missed: tuple[np.ndarray | None, ...] = ()) -> Frame:
        """The whole frame.

        Its array is one of the ``buffers``, the oldest; without buffers it is the caller's, and nothing here keeps it.
        """
        with source_faults(self._uri):
            picture = self._resized(step.picture).reformat(format="rgb24")
        pixels = np.rot90(_rgb_pixels(picture), self._fit.turns)
        if self._buffers:
            rgb = self._buffers[0]
            self._buffers.rotate(-1)
            np.copyto(rgb, pixels)
        else:
            rgb = np.array(pixels, order="C")
        return replace(step.rest, rgb=rgb, missed=missed)

    def restart(self, pictures: PictureSource) -> None:
        """Go on with a stream that was opened anew: its first picture has no vectors."""
        self._coded = None
        self._offset_s = None
        self.vectors.restart(pictures)

    def _time(self, time_s: float | None) -> float:
        """Presentation time of the next picture, whose stream says ``time_s``."""
        now = time.monotonic()
        passed = max(now - self._clock_s, 1 / self._rate) if self._index else 0.0
        self._clock_s = now
        if time_s is None:
            return self._time_s + (1 / self._rate if self._index else 0.0)
        if self._offset_s is None:  # the first picture of a live stream: its own clock starts anywhere
            self._offset_s = self._time_s + passed - time_s
        return time_s + self._offset_s

    def _resized(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Scaled in the cheaper colour space: RGB stays RGB, everything else passes through 4:2:0.

        Bilinear: scaling 4:2:0 and then converting takes 2.0 ms at 960x720, scaling to RGB at once 2.5 ms, bicubic 5.
        """
        if (frame.height, frame.width) == (self._fit.height, self._fit.width):
            return frame
        kind = "rgb24" if frame.format.name.startswith(_RGB_FORMATS) else "yuv420p"
        return frame.reformat(self._fit.width, self._fit.height, kind, interpolation="BILINEAR")


def _rgb_pixels(picture: av.VideoFrame) -> np.ndarray:
    """``[H, W, 3]``, a view of a picture that is RGB already."""
    plane = picture.planes[0]
    lines = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return lines[: picture.height, : 3 * picture.width].reshape(picture.height, picture.width, 3)


def _check_size(uri: str, size: tuple[int, int], frame: av.VideoFrame, height: int, width: int) -> None:
    if len(size) != 2 or min(size) < 16:
        raise OptionError(f"a size of {size}: expected (height, width), each 16 or more")
    if max(height / frame.height, width / frame.width) > 15:
        raise SourceError(
            f"{uri}: pictures of {frame.width}x{frame.height} cannot be enlarged to {width}x{height}; "
            "expected at most 15 times the size"
        )
