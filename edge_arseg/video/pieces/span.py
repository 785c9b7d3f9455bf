"""A piece of a video: from one intra frame up to another."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """Part of a video stream that is decoded by itself. Times are in units of the stream's own clock.

    Attributes:
        start: presentation time of the intra frame that it begins with; ``None``: the stream's beginning.
        end: of the one that the next piece begins with; ``None``: the stream's end.
        index: of its first frame in the source.
        frames: in it.
    """

    start: int | None
    end: int | None
    index: int
    frames: int
