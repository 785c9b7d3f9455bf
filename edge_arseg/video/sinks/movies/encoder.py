"""Pictures to a video file."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import IO, Final

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from edge_arseg.video.pixel_shape import SQUARE
from edge_arseg.video.sinks.movies.gif_palette import GIF_TICK, SHORTEST, GifPalette

TIME_BASE: Final = Fraction(1, 60000)
"""Holds the frame times of all usual rates, NTSC's too, and is the finest that MPEG-4 (16 bits) takes."""

SLOWEST: Final = Fraction(1, 1000)
"""Frames per second that an encoder is told of at least: of slower pictures it computes with 0. Times stay exact."""

LONGEST_GAP_S: Final = 9 * 3600
"""Seconds between two pictures that MP4 and MOV hold at most: their muxer keeps ticks of them in 31 bits."""
_OF_MP4: Final = ("mp4", "mov", "ipod")
"""Names of FFmpeg's muxer for ``.mp4``, ``.mov`` and ``.m4v``."""

MOST_SKIPPED: Final = 60_000
"""Frames between two pictures that FFmpeg writes to an AVI at most, 40 minutes at 25 frames a second."""

_PIXEL_FORMATS: Final = {"mjpeg": "yuvj420p", "gif": "pal8"}
_BT601: Final = 5
_LIMITED_RANGE: Final = 1


def first_codec(*names: str) -> str:
    """Return the first of the encoders that this build of FFmpeg has, or the last of them."""
    for name in names:
        try:
            av.Codec(name, "w")
        except (av.error.FFmpegError, ValueError):
            continue
        return name
    return names[-1]


class Encoder:
    """Encodes pictures of one size into one file or stream; the name's ending chooses the container of a file.

    Odd sides get their last row or column twice. Times are kept as given, to 1/60000 s, relative to the first picture;
    one that is not after the one before is moved to the next tick. A gap that is longer than a container holds is cut:
    to 9 hours in MP4 and MOV, to 60,000 frames in AVI. Foreign errors pass through.

    The shape of pixels is told in the stream: VP9 and GIF have no place for it.

    A GIF counts in 1/100 s, and pictures that come sooner than 1/50 s after the one before are left out.

    Args:
        place: the file, replaced if there is one; an open pipe; or FFmpeg's name of one, ``pipe:3``.
        size: rows and columns of the pictures.
        rate: frames per second, as a hint for the encoder.
        codec: name of an FFmpeg encoder; by default H.264 where there is one, else MPEG-4.
        bitrate: bits per second; by default a constant quality.
        gop: most frames from one keyframe to the next; by default one second.
        bframes: most B-frames in a row.
        options: further options of the encoder, over the default ones.
        container: name of FFmpeg's container; by default what the ending says.
        container_options: options of the container.
        opened: opens a file that the container writes, by FFmpeg's name of it, flags and options; by default FFmpeg
            does. See ``MuxedFiles``.
        live: give every picture out at once instead of looking ahead.
        steady: the container counts frames at ``rate``, as AVI does: times are rounded to it.
    """

    def __init__(
        self,
        place: Path | IO[bytes] | str,
        size: tuple[int, int],
        rate: float,
        *,
        codec: str | None = None,
        bitrate: int | None = None,
        gop: int | None = None,
        bframes: int = 0,
        options: dict[str, str] | None = None,
        container: str | None = None,
        container_options: dict[str, str] | None = None,
        opened: Callable[[str, int, dict[str, str]], object] | None = None,
        live: bool = False,
        steady: bool = False,
    ) -> None:
        codec = codec or first_codec("libx264", "libopenh264", "mpeg4")
        height, width = size
        self._size = size
        even = (height + height % 2, width + width % 2)
        self._padded = np.empty((*even, 3), np.uint8) if even != size else None
        self._pixel_format = _PIXEL_FORMATS.get(codec, "yuv420p")
        self._palette = GifPalette(even) if codec == "gif" else None
        self._container = av.open(
            f"file:{place}" if isinstance(place, Path) else place,
            "w",
            format=container,
            container_options=container_options or {},
            io_open=opened,
        )
        try:
            hint = max(Fraction(rate).limit_denominator(1001), SLOWEST)
            stream = self._container.add_stream(
                codec, rate=hint, options=_defaults(codec, bitrate, live) | (options or {})
            )
            assert isinstance(stream, VideoStream)
            stream.width, stream.height, stream.pix_fmt = even[1], even[0], self._pixel_format
            self._time_base = GIF_TICK if codec == "gif" else 1 / hint if steady else TIME_BASE
            stream.time_base = self._time_base
            context = stream.codec_context
            context.time_base = self._time_base
            context.gop_size = gop or max(1, round(rate))
            context.max_b_frames = bframes
            if bitrate is not None:
                context.bit_rate = bitrate
            if self._pixel_format == "yuv420p":  # said in the file, else players guess BT.709 for large pictures
                context.colorspace = _BT601
                context.color_range = _LIMITED_RANGE
        except BaseException:
            self._container.close()
            raise
        self._stream = stream
        self._duration = round(1 / rate / self._time_base)
        self._first_s: float | None = None
        self._last = -1
        self._longest: int | None = None
        if self._container.format.name in _OF_MP4:
            self._longest = round(LONGEST_GAP_S / self._time_base)
            self._duration = min(self._duration, self._longest)
        elif self._container.format.name == "avi":
            self._longest = MOST_SKIPPED
        self._cut = 0

    def write(self, rgb: NDArray[np.uint8], time_s: float, pixel: Fraction = SQUARE) -> None:
        """Encode one picture, ``[H, W, 3] uint8`` RGB.

        Args:
            rgb: the picture.
            time_s: seconds.
            pixel: width of its pixels over their height; that of the first counts.
        """
        if self._first_s is None:
            self._first_s = time_s
            if pixel != SQUARE:
                self._stream.codec_context.sample_aspect_ratio = pixel
        ticks = round((time_s - self._first_s) / self._time_base) - self._cut
        if self._palette is not None and self._last >= 0 and ticks < self._last + SHORTEST:
            return
        if self._longest is not None and self._last >= 0 and ticks - self._last > self._longest:
            self._cut += ticks - self._last - self._longest
            ticks = self._last + self._longest
        ticks = max(ticks, self._last + 1)
        self._last = ticks
        frame = av.VideoFrame.from_numpy_buffer(self._even(rgb), format="rgb24")
        if self._palette is None:
            frame = frame.reformat(format=self._pixel_format)
        frame.pts = ticks
        frame.time_base = self._time_base
        self._mux(frame if self._palette is None else self._palette.applied(frame))

    def close(self) -> None:
        """Encode what is still held back, and finish the file."""
        try:
            if self._first_s is not None:
                self._mux(None)
        finally:
            self._container.close()

    def abandon(self) -> None:
        """Close the file without encoding anything more."""
        self._container.close()

    def _mux(self, frame: av.VideoFrame | None) -> None:
        for packet in self._stream.encode(frame):
            packet.duration = self._duration  # counts for the last one only: the others last until the next
            self._container.mux(packet)

    def _even(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if self._padded is None:
            return np.ascontiguousarray(rgb)
        height, width = self._size
        self._padded[:height, :width] = rgb
        self._padded[height:, :width] = rgb[-1:]
        self._padded[:, width:] = self._padded[:, width - 1 : width]
        return self._padded


def _defaults(codec: str, bitrate: int | None, live: bool) -> dict[str, str]:
    if codec == "libx264":
        options = {"preset": "veryfast"}
        if bitrate is None:
            options["crf"] = "23"
        if live:
            options["tune"] = "zerolatency"
        return options
    if codec == "libvpx-vp9":
        speed = {"deadline": "realtime", "cpu-used": "8", "row-mt": "1"}
        return speed | ({"crf": "32", "b": "0"} if bitrate is None else {})
    if codec in ("mpeg4", "mjpeg") and bitrate is None:
        return {"flags": "+qscale", "global_quality": str(4 * 118)}  # quality 4 in FFmpeg's unit of 118
    return {}
