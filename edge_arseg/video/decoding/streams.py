"""Which video stream of a container is decoded."""

from collections.abc import Sequence
from typing import Any

from edge_arseg.errors import SourceError, StreamError
from edge_arseg.video.decoding.metadata import tagged_duration_s
from edge_arseg.video.decoding.notices import notice

_COVER = 0x400  # of dispositions: attached pictures, and the thumbnails that stand for chapters
_PART = 0x80000  # a tile of a larger picture
_DEFAULT = 1
_VARIANTS = ("hls", "dash")
_NOT_AT_ALL = 48  # of FFmpeg's ways to leave out packets
_LETTERS = {"ansi", "bintext", "xbin", "idf"}
"""Decoders that draw letters: FFmpeg plays text files as pictures of a terminal."""


def chosen_stream(label: str, streams: Sequence[Any], wanted: int | None = None) -> Any:
    """The largest video stream, see ``largest_video``; or the one that is wanted.

    A line in the log names the others.

    Args:
        label: of the source, for messages.
        streams: all of the container, as PyAV gives them.
        wanted: take the stream with this index, counted from 0 over all streams, as ffprobe does.

    Raises:
        SourceError: there is no video, only a cover, only letters, or no decoder for it.
        OptionError: the stream that is wanted is no video.
    """
    if wanted is not None:
        return _wanted(label, streams, wanted)
    chosen = largest_video(label, streams)
    others = [stream for stream in _videos(streams) if stream is not chosen]
    if others:
        left = ", ".join(_told(stream) for stream in others)
        notice(f"{label}: taking {_told(chosen)} and not {left}; --stream N takes stream N")
    return chosen


def fetch_alone(container: str, streams: Sequence[Any], chosen: Any) -> None:
    """Let FFmpeg fetch one stream of a playlist (HLS, DASH) and leave the others on the server: it fetches them all.

    Args:
        container: FFmpeg's name of it; of others nothing changes.
        streams: all of the container. Those of older PyAV cannot be left.
        chosen: of them.
    """
    for stream in streams if container in _VARIANTS else ():
        if stream is not chosen and hasattr(stream, "discard"):
            stream.discard = _NOT_AT_ALL


def largest_video(label: str, streams: Sequence[Any]) -> Any:
    """The largest video stream that is no cover; among equals, what the container prefers, then the first.

    Beside streams of several pictures one of a single picture is a cover too, whether it says so or not: recorders
    keep such a thumbnail, and an animated AVIF begins with a still.

    Args:
        label: of the source, for messages.
        streams: all of the container, as PyAV gives them.

    Raises:
        SourceError: there is no video, only a cover, only letters, or no decoder for it.
    """
    videos = _videos(streams)
    if not videos:
        kinds = sorted({stream.type for stream in streams if stream.type != "video"})
        covers = ["a cover"] if any(stream.type == "video" for stream in streams) else []
        seen = f"only {' and '.join(kinds + covers)}" if kinds or covers else "and no other stream"
        raise SourceError(f"{label}: no video in it, {seen}; expected a video stream")
    counts = _counts(videos)
    most = max(counts.values())  # a container may declare streams that hold nothing

    def order(stream: Any) -> tuple[bool, bool, int, bool, int]:
        context = stream.codec_context
        area = context.width * context.height if context is not None else 0
        empty = counts[stream.index] < min(most, 2)
        return context is not None, not empty, area, bool(_disposition(stream) & _DEFAULT), -stream.index

    chosen = max(videos, key=order)
    _check(label, chosen)
    return chosen


def _videos(streams: Sequence[Any]) -> list[Any]:
    return [stream for stream in streams if stream.type == "video" and not _is_cover(stream)]


def _counts(videos: Sequence[Any]) -> dict[int, int]:
    """Pictures of each stream, by its index, as far as that is known; by their lengths, where all have that alone."""
    counts = {stream.index: int(stream.frames) for stream in videos}
    lengths = [(stream.index, tagged_duration_s(stream), stream.average_rate) for stream in videos]
    if any(counts.values()) or not all(length_s is not None and rate for _, length_s, rate in lengths):
        return counts
    return {index: round((length_s or 0.0) * float(rate)) for index, length_s, rate in lengths}


def _wanted(label: str, streams: Sequence[Any], wanted: int) -> Any:
    for stream in streams:
        if stream.index == wanted and stream.type == "video":
            _check(label, stream)
            return stream
    videos = ", ".join(_told(stream) for stream in streams if stream.type == "video") or "no video stream"
    raise StreamError(f"{label}: its stream {wanted} is no video; expected one of its video streams: {videos}")


def _check(label: str, stream: Any) -> None:
    context = stream.codec_context
    if context is None:
        raise SourceError(f"{label}: FFmpeg has no decoder for its video; convert it to H.264 first")
    if context.name in _LETTERS:
        raise SourceError(f"{label}: this is text, which FFmpeg would draw as letters on a screen; expected a video")
    if _disposition(stream) & _PART:
        raise SourceError(f"{label}: FFmpeg gives this picture only in tiles; convert it to JPEG or PNG first")


def _told(stream: Any) -> str:
    context = stream.codec_context
    what = "of an unknown codec" if context is None else f"{context.name}, {context.width}x{context.height}"
    return f"stream {stream.index} ({what})"


def _disposition(stream: Any) -> int:
    flags = stream.disposition
    return int(getattr(flags, "value", flags))  # PyAV 16.1 gives a flag that is no number


def _is_cover(stream: Any) -> bool:
    return bool(_disposition(stream) & _COVER)
