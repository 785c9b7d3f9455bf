"""Decoded pictures to frames: resized, turned, with vectors and RGB."""

import math
from dataclasses import dataclass, replace
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

from edge_arseg.arguments import refusal_of, sides_from
from edge_arseg.errors import SourceError
from edge_arseg.spec.frame import Frame
from edge_arseg.spec.geometry.placement import MODEL, SOURCE, FitKind, OutputSize, Placement, placement_of
from edge_arseg.spec.geometry.swapped_size import swap_meant
from edge_arseg.video.decoding.faults import source_faults
from edge_arseg.video.decoding.notices import notice, say_pixel_shape
from edge_arseg.video.decoding.orientation import Orientation
from edge_arseg.video.decoding.picture import Picture, PictureSource
from edge_arseg.video.decoding.times.clock import Clock
from edge_arseg.video.fit import Fit
from edge_arseg.video.rgb import Arrays, resized, upright_rgb
from edge_arseg.video.vectors.source import VectorSource

_INTRA = 1
SMALLEST = 16
"""Rows and columns of frames and results, at least."""
_MOST_CUT = 8
"""Longest side of a cropped picture, over that of the frame: beyond, the scaled picture would be mostly cut off."""


@dataclass(frozen=True, slots=True)
class Step:
    """A picture that was followed but not yet turned into RGB: all but the pixels of a ``Frame``.

    Attributes:
        picture: not turned, and scaled only if the vectors needed that.
        whole: not turned and not scaled; ``None`` where nobody asked for the source's picture.
        rest: the frame, its ``rgb`` empty.
        orientation: how the picture is to be shown.
        placement: where it lies in the frame.
    """

    picture: av.VideoFrame
    whole: av.VideoFrame | None
    rest: Frame
    orientation: Orientation
    placement: Placement


class FrameMaker:
    """Makes frames of one size out of the pictures of one source.

    A source whose pictures change size still gives frames of one size: later ones are fitted into it by their
    own shape, and the first of each new size has no vectors, so it becomes a keyframe. The same goes for pictures that
    are held another way. ``Frame.picture`` has the size of each picture.

    Pictures are shown as the container, the stream or their own EXIF data says: mirrored, turned by quarters. An angle
    between quarters is rounded to the nearest, with a line in the log where it is more than a degree off.

    Args:
        uri: for messages.
        pictures: where the pictures come from.
        first: the first of them.
        motion: see ``VectorSource``.
        size: ``(height, width)`` to deliver, after turning; ``None``: as coded.
        recode_scale: see ``Recoder``.
        live: times count from the first frame, and what passes while a stream is opened anew counts too; intra pictures
            do not end the chain of motion.
        leap_s: see ``Clock``.
        buffers: arrays that RGB is written to in turn; 0: a new array for each frame.
        fit: how a picture of another shape enters the frame.
        output_size: of ``Frame.picture``, see ``open_video``.
        picture: make ``Frame.picture``.
        first_index: index of the first frame.
        anew_at_intra: see ``open_video``.

    Attributes:
        height, width: of the frames.
        output_size: rows and columns of the first frame's output.
        orientation: of the first picture.

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
        fit: FitKind = FitKind.STRETCH,
        output_size: OutputSize = SOURCE,
        picture: bool = False,
        first_index: int = 0,
        anew_at_intra: bool = False,
    ) -> None:
        self._uri = uri
        self._kind, self._output, self._wanted = fit, _checked_output(output_size), picture
        self.orientation = self._orientation = first.held
        if size is None:
            self.height, self.width = self.orientation.sides(first.frame.height, first.frame.width)
        elif (sides := sides_from(size, SMALLEST)) is not None:
            self.height, self.width = sides
        else:
            raise refusal_of("a size of", size, f"(height, width), whole numbers, each {SMALLEST} or more")
        self._placement = self._placement_of(first, self.orientation)
        self.output_size = self._in_output(self._placement).source
        self._fit = _fit(self._placement, self.orientation)
        self.vectors = VectorSource(motion, pictures, self._fit, recode_scale=recode_scale, uri=uri, bridged=live)
        self._clock = Clock(pictures.rate, live=live, leap_s=leap_s)
        self._coded: tuple[int, int, Fraction] | None = None
        self._index, self._anew_at_intra = first_index, anew_at_intra
        self._say_rest(self.orientation)
        self._say_swap(first.frame)
        self._frames, self._pictures = Arrays(buffers), Arrays(buffers)

    def step(self, picture: Picture) -> Step:
        """Follow the next picture: its vectors and time, without its RGB.

        Raises:
            SourceError: see ``VectorSource.vectors``.
        """
        frame = picture.frame
        orientation = picture.held
        if orientation != self._orientation:
            self._say_rest(orientation)
            self._orientation, self._coded = orientation, None
        stored = frame.height, frame.width, picture.pixel
        fresh = self._coded != stored
        if fresh:
            self._coded = stored
            self._placement = self._placement_of(picture, orientation)
            fit = _fit(self._placement, orientation)
            if fit != self._fit:
                self._fit = fit
                self.vectors.refit(fit)
        kept, fit = frame, self._fit

        def scaled() -> av.VideoFrame:
            nonlocal kept
            kept = resized(frame, fit.height, fit.width)
            return kept

        intra = int(frame.pict_type) == _INTRA
        if intra and self._anew_at_intra:
            self.vectors.recode_anew()
        time_s = self._clock.time_s(picture.time_s, picture.came_s)
        # The recoder overwrites type and time of the picture, so both were read before.
        with source_faults(self._uri):
            vectors = self.vectors.vectors(picture, scaled, index=self._index, fresh=fresh)
        rest = Frame(
            index=self._index,
            time_s=time_s,
            rgb=np.empty((0, 0, 3), np.uint8),
            vectors=vectors,
            intra=intra,
            damaged=picture.damaged,
            source=self.vectors.source,
            placement=self._in_output(self._placement),
        )
        self._index += 1
        return Step(kept, frame if self._wanted else None, rest, orientation, self._placement)

    def frame(self, step: Step, missed: tuple[NDArray[np.void] | None, ...] = ()) -> Frame:
        """The whole frame.

        Its arrays are those of the ``buffers``, the oldest; without buffers they are the caller's, and nothing here
        keeps them.
        """
        placement, orientation = step.placement, step.orientation
        with source_faults(self._uri):
            pixels = upright_rgb(step.picture, (placement.height, placement.width), orientation)
        rgb = self._frames.placed(pixels, placement)
        output = step.rest.placement
        picture = None
        if step.whole is not None and output is not None:
            if output.source == placement.frame and (placement.whole or self._output == MODEL):
                picture = rgb
            else:
                with source_faults(self._uri):
                    picture = self._pictures.filled(upright_rgb(step.whole, output.source, orientation))
        return replace(step.rest, rgb=rgb, picture=picture, missed=missed)

    def restart(self, pictures: PictureSource) -> None:
        """Continue with a stream that was opened anew: its first picture has no vectors."""
        self._coded = None
        self._clock.restart()
        self.vectors.restart(pictures)

    def _placement_of(self, picture: Picture, orientation: Orientation) -> Placement:
        """Where a picture lies in the frame; raises ``SourceError`` where its size or shape allows no such thing."""
        source = orientation.sides(picture.frame.height, picture.frame.width)
        pixel = 1 / picture.pixel if orientation.turns % 2 else picture.pixel
        placement = placement_of(source, (self.height, self.width), self._kind, pixel)
        if self._kind is not FitKind.STRETCH:
            say_pixel_shape(self._uri, source, pixel)
        _check_enlargement(self._uri, source, (placement.height, placement.width))
        if placement.height > _MOST_CUT * self.height or placement.width > _MOST_CUT * self.width:
            raise SourceError(
                f"{self._uri}: pictures of {source[0]}x{source[1]} (rows x columns) are too narrow to be cropped "
                f"to {self.height}x{self.width}; type --fit letterbox"
            )
        if not isinstance(self._output, str):
            _check_enlargement(self._uri, source, self._output)
        return placement

    def _in_output(self, placement: Placement) -> Placement:
        if self._output == SOURCE:
            return placement
        if isinstance(self._output, str):
            return placement.of_frame()
        return placement.of_size(*self._output)

    def _say_swap(self, frame: av.VideoFrame) -> None:
        if isinstance(self._output, str):
            return
        shown = self.orientation.sides(frame.height, frame.width)
        if told := swap_meant(self._output, shown, "its pictures"):
            notice(f"{self._uri}: the output size {told}")

    def _say_rest(self, orientation: Orientation) -> None:
        if orientation.rest:
            turned = 90 * orientation.turns
            notice(
                f"{self._uri}: it asks to be turned by {turned + orientation.rest:.0f} degrees to the left; "
                f"turned by {turned}, the nearest quarter"
            )


def _checked_output(size: OutputSize) -> OutputSize:
    """Return the size of results that is asked for; raises ``OptionError`` where it is none."""
    if isinstance(size, str) and size in (SOURCE, MODEL):
        return size
    if (sides := sides_from(size, SMALLEST)) is None:
        expected = f"{SOURCE}, {MODEL} or (height, width), whole numbers, each {SMALLEST} or more"
        raise refusal_of("an output size of", size, expected)
    return sides


def _fit(placement: Placement, orientation: Orientation) -> Fit:
    """The fit of a picture's vectors."""
    sides = orientation.sides(placement.height, placement.width)
    return Fit(*sides, orientation.turns, orientation.mirrored, placement.top, placement.left)


def _check_enlargement(uri: str, source: tuple[int, int], wanted: tuple[int, int]) -> None:
    if max(wanted[0] / source[0], wanted[1] / source[1]) > 15:
        raise SourceError(
            f"{uri}: pictures of {source[0]}x{source[1]} (rows x columns) cannot be enlarged to "
            f"{wanted[0]}x{wanted[1]}; expected at most 15 times the size"
        )
