"""Frames really encoded and really decoded, as they come out of a camera's stream."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge_arseg.errors import EnvironmentUnfitError
from edge_arseg.storage.scratch import scratch_folder
from edge_arseg.training.pairs.decoded_clip import DecodedClip, decoded_clip
from edge_arseg.training.simulation.clip import RATE, LabelledFrame
from edge_arseg.video.sinks.base import sink_errors
from edge_arseg.video.sinks.movies.encoder import Encoder

_PIXELS = 360 * 480
_LEAST, _MOST = 0.4e6, 3.0e6
"""Bits per second for frames of 480x360, 15 a second; other sizes get as much per pixel."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a simulated clip is encoded: H.264 by x264, no B-frames, one reference, one GOP.

    Attributes:
        bitrate: bits per second.
        preset: of x264.
    """

    bitrate: int
    preset: str

    def __str__(self) -> str:
        return f"x264 {self.preset}, no B-frames, 1 reference, {self.bitrate / 1e6:g} Mbit/s"


def encoding_from_seed(rng: np.random.Generator, height: int, width: int) -> Encoding:
    """Draw a bit rate, each octave as likely, and a preset: mostly medium."""
    bitrate = np.exp(rng.uniform(np.log(_LEAST), np.log(_MOST))) * height * width / _PIXELS
    return Encoding(round(bitrate / 1000) * 1000, "medium" if rng.random() < 0.7 else "veryfast")


def clip_from_frames(
    frames: Sequence[LabelledFrame], encoding: Encoding, *, motion: str, distances: Sequence[int]
) -> DecodedClip:
    """Encode frames as one GOP, decode them, and keep some distances.

    Args:
        frames: of one size.
        encoding: how.
        motion: see ``open_video``.
        distances: those to keep.

    Raises:
        EnvironmentUnfitError: there is no x264 in this build of FFmpeg.
        SinkError: the temporary file cannot be written.
    """
    gop = len(frames)
    with scratch_folder("train") as folder:
        path = folder / "clip.mp4"
        # One thread: more give other bits.
        options = {"preset": encoding.preset, "refs": "1", "threads": "1"}
        with sink_errors(str(path)):
            try:
                size = frames[0].label.shape
                encoder = Encoder(path, size, RATE, codec="libx264", bitrate=encoding.bitrate, gop=gop, options=options)
            except ValueError as error:  # how PyAV says that FFmpeg has no such encoder
                raise EnvironmentUnfitError(
                    "FFmpeg has no x264 here; install PyAV from its wheel, or prepare elsewhere"
                ) from error
            try:
                for index, frame in enumerate(frames):
                    encoder.write(frame.rgb, index / RATE)
            except BaseException:
                encoder.abandon()
                raise
            encoder.close()
        return decoded_clip(
            path,
            lambda index: frames[index].label,
            motion=motion,
            distances=distances,
            gop=gop,
            size=(size[0], size[1]),
        )
