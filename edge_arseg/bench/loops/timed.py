"""Results one after the other, without an end, each with the time it took."""

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.video.reader import VideoReader


@dataclass(frozen=True, slots=True)
class Timed:
    """One result.

    Attributes:
        result: whose arrays the next one overwrites.
        start_s: ``time.monotonic()`` when it was asked for.
        total_ms: from then to its class map.
        first: of a source that was just opened, so that opening is part of its time; of a source of one frame, only the
            first time.
        index: of the frame; counted on where the source begins again.
        dropped: frames of a live or paced source that were passed over just before it.
        age_ms: from the picture's arrival to its class map; ``nan`` where it was read when it was wanted.
    """

    result: SegmentedFrame
    start_s: float
    total_ms: float
    first: bool
    index: int
    dropped: int
    age_ms: float


def timed_results(
    open_source: Callable[[], VideoReader],
    segment: Callable[[VideoReader], Iterator[SegmentedFrame]],
) -> Generator[Timed, None, None]:
    """Segment a source again and again.

    Args:
        open_source: called at the beginning, and at each end.
        segment: its frames.

    Raises:
        SourceError: the source cannot be read.
    """
    passed, round_of_one = 0, False
    while True:
        with open_source() as reader:
            results = segment(reader)
            last = -1
            while True:
                start = time.monotonic()
                result = next(results, None)
                if result is None:
                    break
                end = time.monotonic()
                frame = result.frame
                yield Timed(
                    result,
                    start,
                    1e3 * (end - start),
                    last < 0 and not round_of_one,
                    passed + frame.index,
                    frame.index - last - 1,
                    float("nan") if frame.arrived_s is None else 1e3 * (end - frame.arrived_s),
                )
                last = frame.index
            passed += last + 1
            round_of_one = last == 0
