"""Decoded pictures to frames: resized, turned, with vectors and RGB."""

import math
from collections import deque
from dataclasses import dataclass, replace

import av
import numpy as np
from numpy.typing import NDArray

from edge_arseg.errors import OptionError, SourceError
from edge_arseg.spec.frame import Frame
from edge_arseg.video.decoding.clock import Clock
from edge_arseg.video.decoding.decode import Picture, PictureSource
from edge_arseg.video.decoding.faults import source_faults
from edge_arseg.video.decoding.notices import notice
from edge_arseg.video.decoding.orientation import UPRIGHT, Orientation, orientation_from_picture
from edge_arseg.video.fit import Fit
from edge_arseg.video.vectors.source import VectorSource

_INTRA = 1
_RGB_FORMATS = ("rgb", "bgr", "gbr", "pal", "argb", "abgr")


@dataclass(frozen=True, slots=True)
class Step:
    """A picture that was followed but not yet turned into RGB: all but the pixels of a ``Frame``.

    Attributes:
        picture: not turned, and scaled only if the vectors needed that.
        rest: the frame, its ``rgb`` empty.
        orientation: how the picture is to be shown.
    """

    picture: av.VideoFrame
    rest: Frame
    orientation: Orientation


class FrameMaker:
    """Makes frames of one size out of the pictures of one source.

    A source whose pictures change size keeps the size it began with: later ones are scaled to it, and the first of
    each new size has no vectors, so it becomes a keyframe. The same goes for pictures that are held another way.

    Pictures are shown as the container, the stream or their own EXIF data says: mirrored, turned by quarters. An angle
    between quarters is rounded to the nearest, with a line in the log where it is more than a degree off.

    Args:
        uri: for messages.
        pictures: where the pictures come from.
        first: the first of them.
        motion: see ``VectorSource``.
        size: ``(height, width)`` to deliver, after turning; ``None``: as coded.
        recode_scale: see ``Recoder``.
        live: times count from the first frame, and what passes while a stream is opened anew counts too.
        leap_s: see ``Clock``.
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
        leap_s: float = math.inf,
        buffers: int = 0,
    ) -> None:
        self._uri = uri
        self.orientation = self._orientation = _orientation(first)
        if size is None:
            self.height, self.width = self.orientation.sides(first.frame.height, first.frame.width)
        else:
            _check_size(uri, size, first.frame, *self.orientation.sides(*size))
            self.height, self.width = size
        self._fit = self._fit_for(self.orientation)
        self.vectors = VectorSource(motion, pictures, self._fit, recode_scale=recode_scale, uri=uri)
        self._clock = Clock(pictures.rate, live=live, leap_s=leap_s)
        self._coded: tuple[int, int] | None = None
        self._index = 0
        self._say_rest(self.orientation)
        self._buffers = deque(np.zeros((self.height, self.width, 3), np.uint8) for _ in range(buffers))

    def step(self, picture: Picture) -> Step:
        """Follow the next picture: its vectors and time, without its RGB.

        Raises:
            SourceError: see ``VectorSource.vectors``.
        """
        frame = picture.frame
        orientation = _orientation(picture)
        if orientation != self._orientation:
            self._say_rest(orientation)
            self._orientation, self._fit = orientation, self._fit_for(orientation)
            self.vectors.refit(self._fit)
            self._coded = None
        fresh = self._coded != (frame.height, frame.width)
        self._coded = frame.height, frame.width
        kept, fit = frame, self._fit

        def resized() -> av.VideoFrame:
            nonlocal kept
            kept = _resized(frame, fit.height, fit.width)
            return kept

        intra = int(frame.pict_type) == _INTRA
        time_s = self._clock.time_s(picture.time_s)
        # The recoder overwrites type and time of the picture, so both were read before.
        with source_faults(self._uri):
            vectors = self.vectors.vectors(picture, resized, index=self._index, fresh=fresh)
        rest = Frame(
            index=self._index,
            time_s=time_s,
            rgb=np.empty((0, 0, 3), np.uint8),
            vectors=vectors,
            intra=intra,
            damaged=picture.damaged,
            source=self.vectors.source,
        )
        self._index += 1
        return Step(kept, rest, orientation)

    def frame(self, step: Step, missed: tuple[NDArray[np.void] | None, ...] = ()) -> Frame:
        """The whole frame.

        Its array is one of the ``buffers``, the oldest; without buffers it is the caller's, and nothing here keeps it.
        """
        height, width = step.orientation.sides(self.height, self.width)
        with source_faults(self._uri):
            picture = _resized(step.picture, height, width).reformat(format="rgb24")
        pixels = step.orientation.shown(_rgb_pixels(picture))
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
        self._clock.restart()
        self.vectors.restart(pictures)

    def _fit_for(self, orientation: Orientation) -> Fit:
        return Fit(*orientation.sides(self.height, self.width), orientation.turns, orientation.mirrored)

    def _say_rest(self, orientation: Orientation) -> None:
        if orientation.rest:
            turned = 90 * orientation.turns
            notice(
                f"{self._uri}: it asks to be turned by {turned + orientation.rest:.0f} degrees to the left; "
                f"turned by {turned}, the nearest quarter"
            )


def _orientation(picture: Picture) -> Orientation:
    return picture.orientation or orientation_from_picture(picture.frame) or UPRIGHT


def _resized(frame: av.VideoFrame, height: int, width: int) -> av.VideoFrame:
    """Scaled in the cheaper colour space: RGB stays RGB, everything else passes through 4:2:0.

    Bilinear: scaling 4:2:0 and then converting takes 2.0 ms at 960x720, scaling to RGB at once 2.5 ms, bicubic 5.
    """
    if (frame.height, frame.width) == (height, width):
        return frame
    kind = "rgb24" if frame.format.name.startswith(_RGB_FORMATS) else "yuv420p"
    return frame.reformat(width, height, kind, interpolation="BILINEAR")


def _rgb_pixels(picture: av.VideoFrame) -> NDArray[np.uint8]:
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
