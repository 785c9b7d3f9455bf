"""A video that another program writes into the standard input."""

import logging
import os
import select
import stat
from collections.abc import Iterator
from contextlib import suppress

from edge_arseg.errors import SourceError
from edge_arseg.video.decoding.decode import Decoder
from edge_arseg.video.decoding.picture import Picture, PictureSource
from edge_arseg.video.sources.kinds import Wishes
from edge_arseg.video.uri import Source

_log = logging.getLogger(__name__)

EXAMPLE = "ffmpeg -i IN -f matroska - | edge-arseg run - out.mp4"
_PATIENCE_S = 10.0
_MP4_ADVICE = (
    "expected MPEG-TS, Matroska, AVI, Y4M, MJPEG or H.264, or an MP4 whose index comes first (ffmpeg: -movflags "
    "frag_keyframe+empty_moov); raw pixels have no size: send them as Y4M (ffmpeg: -f yuv4mpegpipe)"
)


class PipedBytes:
    """Bytes of the standard input, as FFmpeg asks for them; waiting for them can be ended from another thread.

    A pipe keeps the pace of its reader: what is not read yet waits in it, and no frame is dropped.

    Raises:
        SourceError: nothing can come: it is closed, a terminal or an empty device, or was read before.
    """

    _read_before = False

    def __init__(self, label: str) -> None:
        self._label = label
        self._descriptor = _open_input(label)
        if PipedBytes._read_before:
            os.close(self._descriptor)
            raise SourceError(f"{label}: it was read already, and comes only once; save it to a file, and name that")
        PipedBytes._read_before = True
        self._ear, self._mouth = os.pipe()
        self._ended = self._began = False
        self._stopped_by: BaseException | None = None

    def read(self, count: int) -> bytes:
        """Return at most ``count`` bytes, as soon as there are some; none at the end, or after ``end``.

        FFmpeg calls it, and PyAV drops what it raises: that is kept for ``check``.
        """
        try:
            return self._read(count)
        except BaseException as fault:
            self._stopped_by = fault
            self._ended = True
            return b""

    def check(self) -> None:
        """Raise what a read raised, Ctrl-C for example."""
        if self._stopped_by is not None:
            raise self._stopped_by

    def _read(self, count: int) -> bytes:
        come = select.poll()  # `select` takes no descriptor from 1024 on
        for descriptor in (self._descriptor, self._ear):
            come.register(descriptor, select.POLLIN)
        while not self._ended:
            ready = [descriptor for descriptor, _ in come.poll(None if self._began else 1e3 * _PATIENCE_S)]
            if self._descriptor in ready:
                self._began = True
                return os.read(self._descriptor, count)
            if not ready:
                _log.warning("%s: nothing came for %.0f s; waiting", self._label, _PATIENCE_S)
                self._began = True
        return b""

    def end(self) -> None:
        """Make the read that waits return, and all later ones; from any thread."""
        self._ended = True
        with suppress(OSError):
            os.write(self._mouth, b"x")

    def close(self) -> None:
        """Let go; safe to call twice."""
        self._ended = True
        for descriptor in (self._descriptor, self._ear, self._mouth):
            with suppress(OSError):
                os.close(descriptor)
        self._descriptor = self._ear = self._mouth = -1


class PipedDecoder(Decoder):
    """Decodes the standard input; see ``Decoder``."""

    def __init__(self, source: Source, wishes: Wishes) -> None:
        self._bytes = PipedBytes(source.label)
        try:
            super().__init__(
                source,
                options=wishes.options,
                own_vectors=wishes.own_vectors,
                stream=wishes.stream,
                data=self._bytes,
            )
        except SourceError as error:
            self._bytes.close()
            self._bytes.check()
            raise SourceError(f"{error}; {_MP4_ADVICE}") from error
        except BaseException:
            self._bytes.close()
            raise

    def pictures(self) -> Iterator[Picture]:
        """See ``Decoder.pictures``."""
        for picture in super().pictures():
            self._bytes.check()
            yield picture
        self._bytes.check()

    def interrupt(self) -> None:
        """End the read that waits for more."""
        self._bytes.end()

    def close(self) -> None:
        """Close the decoder, and let go of the standard input."""
        super().close()
        self._bytes.close()


def pictures_from_source(source: Source, wishes: Wishes) -> PictureSource:
    """Open the standard input; errors are those of ``PipedBytes`` and ``Decoder``."""
    return PipedDecoder(source, wishes)


def _open_input(label: str) -> int:
    """Return a descriptor of the standard input.

    Raises:
        SourceError: nothing can come from it.
    """
    try:
        mode = os.fstat(0).st_mode
    except OSError as error:
        raise SourceError(f"{label}: it is closed; pipe a video into it: {EXAMPLE}") from error
    if os.isatty(0):
        raise SourceError(f"{label}: it is a terminal; pipe a video into it: {EXAMPLE}")
    if stat.S_ISCHR(mode):
        raise SourceError(f"{label}: nothing is piped into it; expected for example {EXAMPLE}")
    return os.dup(0)
