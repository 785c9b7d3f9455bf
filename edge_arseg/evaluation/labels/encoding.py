"""Frames encoded anew, so that the stream's own keyframes fall on those of the evaluation."""

import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from edge_arseg.errors import EnvironmentUnfitError, OptionError
from edge_arseg.video.reader import open_video
from edge_arseg.video.sinks.base import sink_errors
from edge_arseg.video.sinks.movies.encoder import Encoder
from edge_arseg.video.sources.images import DEFAULT_RATE


@dataclass(frozen=True, slots=True)
class ClipEncoding:
    """How an evaluation encodes: H.264 by x264, preset medium, one reference frame, no B-frames, a mean bit rate.

    Attributes:
        bitrate: bits per second.
        gop: frames from one keyframe of the stream to the next.
    """

    bitrate: int
    gop: int

    def __str__(self) -> str:
        return f"x264 medium, no B-frames, 1 reference, GOP {self.gop}, {self.bitrate / 1e6:g} Mbit/s"


LEAST, MOST = 1e3, 1e9
"""Bits per second. Beyond, an encoder's numbers end; uncompressed video in 1080p has 0.75e9 at 15 fps."""


def bitrate_from_text(text: str) -> int:
    """Read bits per second: ``1M``, ``500k``, ``1000000``.

    Raises:
        OptionError: something else, or out of the range of ``LEAST`` to ``MOST``.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kKM]?)", text.strip())
    bitrate = float(match[1]) * {"": 1, "k": 1e3, "K": 1e3, "M": 1e6}[match[2]] if match else 0.0
    if not LEAST <= bitrate <= MOST:
        raise OptionError(f"a bit rate of {text!r}: expected bits per second from 1k to 1000M, like 1M or 500k")
    return round(bitrate)


def encode_clip(
    clip: str | Path, target: Path, encoding: ClipEncoding, *, first: int, count: int, stream: int | None = None
) -> None:
    """Encode frames ``first`` to ``count - 1`` of a clip, at their own size and times, to an MP4.

    ``stream`` is that of ``open_video``.

    Raises:
        SourceError: the clip cannot be read.
        SinkError: the file cannot be written.
        EnvironmentUnfitError: there is no x264 in this build of FFmpeg.
    """
    with open_video(clip, motion="zero", stream=stream) as reader:
        options = {"preset": "medium", "refs": "1"}
        try:
            with sink_errors(str(target)):
                encoder = Encoder(
                    target,
                    (reader.height, reader.width),
                    reader.rate or DEFAULT_RATE,
                    codec="libx264",
                    bitrate=encoding.bitrate,
                    gop=encoding.gop,
                    options=options,
                )
        except ValueError as error:  # how PyAV says that FFmpeg has no such encoder
            raise EnvironmentUnfitError(
                "FFmpeg has no x264 here; install PyAV from its wheel, or encode elsewhere"
            ) from error
        try:
            for frame in islice(reader, first, count):
                with sink_errors(str(target)):  # around the sink alone: a SourceError of the reader is an OSError too
                    encoder.write(frame.rgb, frame.time_s)
        except BaseException:
            encoder.abandon()
            raise
        with sink_errors(str(target)):
            encoder.close()
