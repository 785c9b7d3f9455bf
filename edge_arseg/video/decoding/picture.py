"""Decoded pictures, and where they come from."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import av

from edge_arseg.video.decoding.orientation import UPRIGHT, Orientation, orientation_from_picture
from edge_arseg.video.pixel_shape import SQUARE


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture.

    Attributes:
        frame: as PyAV gives it, of the coded size.
        time_s: presentation time in seconds; ``None`` where the stream does not say.
        damaged: the decoder reported corruption in it, or lost what came just before it.
        cut: pictures just before it are not shown, so that its own vectors do not lead to the picture before it.
        unfit: why the stream's own vectors cannot be chained from here on; ``None`` where nothing changed.
        doubt: why they are not trusted from here on.
        orientation: how it is to be shown, where an earlier picture or its file said so; ``None``: as its own side data
            says.
        came_s: when its packet came, seconds of ``time.monotonic``.
        pixel: width of a pixel over its height, as stored.
    """

    frame: av.VideoFrame
    time_s: float | None
    damaged: bool = False
    cut: bool = False
    unfit: str | None = None
    doubt: str | None = None
    orientation: Orientation | None = None
    came_s: float | None = None
    pixel: Fraction = SQUARE

    @property
    def held(self) -> Orientation:
        """How it is to be shown."""
        return self.orientation or orientation_from_picture(self.frame) or UPRIGHT


class PictureSource(Protocol):
    """Where pictures come from.

    Attributes:
        rate: frames a second, if known.
        frame_count: as the container declares, if it does.
        unfit: why the stream's own vectors cannot be chained; ``None`` where they can, and are exported.
        made_by_x264: the stream carries the signature of that encoder.
    """

    rate: float | None
    frame_count: int | None
    unfit: str | None
    made_by_x264: bool

    def pictures(self) -> Iterator[Picture]:
        """The pictures in display order; raises ``SourceError`` on a fault."""

    def close(self) -> None:
        """Let go of files and devices; safe to call twice."""
