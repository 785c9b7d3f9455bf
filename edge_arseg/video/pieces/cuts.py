"""Where a video can be cut: read from its packets, nothing is decoded."""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from edge_arseg.video.decoding.ends.packets import Packets
from edge_arseg.video.decoding.faults import source_faults
from edge_arseg.video.decoding.streams import chosen_stream
from edge_arseg.video.decoding.times.display_times import BARE, has_packed_frames
from edge_arseg.video.pieces.decoder import opened_container
from edge_arseg.video.pieces.span import Span
from edge_arseg.video.uri import Source

_STEP_S = 1e-4
"""Frames that are closer get other times than the stream's: see ``Clock``."""
_PAUSE_S = 60.0
"""A longer pause may be a leap of the clock, which is followed from where it began."""


def spans_of(source: Source, length_s: float, *, stream: int | None = None) -> tuple[Span, ...]:
    """Return the pieces of a video, each at least ``length_s`` long but the last; one piece: it cannot be cut.

    A video is cut only where its frames keep their numbers and times that way: each packet has a time, the times
    increase without leaps, and the piece begins with a packet from which decoding can start. The packets of the whole
    video are read.

    Args:
        source: a file.
        length_s: seconds.
        stream: see ``open_video``.

    Raises:
        SourceError: it cannot be read.
        OptionError: ``stream`` is no video stream.
    """
    with source_faults(source.label), opened_container(source) as container:
        video: Any = chosen_stream(source.label, list(container.streams), stream)
        base = float(video.time_base)
        bare = BARE.intersection(container.format.name.split(","))  # its times are counted from its beginning
        if bare or (video.duration is not None and video.duration * base < length_s):
            return (Span(None, None, 0, 0),)
        packets = list(_packets(container, video))
        if has_packed_frames(video.codec_context.extradata):
            return (Span(None, None, 0, 0),)
    return spans_from_packets(packets, base, length_s)


def spans_from_packets(packets: list[tuple[int | None, bool, bool]], base: float, length_s: float) -> tuple[Span, ...]:
    """Return the pieces of a stream; see ``spans_of``.

    Args:
        packets: presentation time, whether decoding can start there, and whether it is shown, in their order.
        base: seconds of a unit of time.
        length_s: of a piece, at least.
    """
    whole = (Span(None, None, 0, 0),)
    times = sorted(time for time, _, shown in packets if time is not None and shown)
    if any(time is None for time, _, _ in packets) or not times:
        return whole
    if any(not _STEP_S <= (after - before) * base <= _PAUSE_S for before, after in pairwise(times)):
        return whole
    seams: list[int] = []
    last = times[0]
    for time, can_start, shown in packets:
        if can_start and shown and time is not None and (time - last) * base >= length_s:
            seams.append(time)
            last = time
    edges = [None, *seams, None]
    counts = [0, *(bisect_left(times, seam) for seam in seams), len(times)]
    return tuple(
        Span(start, end, index, after - index)
        for (start, end), (index, after) in zip(pairwise(edges), pairwise(counts), strict=True)
    )


def _packets(container: Any, stream: Any) -> Iterator[tuple[int | None, bool, bool]]:
    for packet in Packets(container, stream):
        if packet.size:  # of no bytes: a picture that the encoder left out, or the end
            yield packet.pts, packet.is_keyframe, not packet.is_discard
