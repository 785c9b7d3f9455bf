"""What FFmpeg reports, as a ``SourceError``: the one place where its errors are translated."""

from collections.abc import Iterator
from contextlib import contextmanager

import av

from edge_arseg.errors import ArsegError, SourceError

_SEEN: tuple[tuple[type[BaseException], str], ...] = (
    (FileNotFoundError, "there is no such file or device; check the path"),
    (IsADirectoryError, "this is a folder; for a folder of images type images://FOLDER/*.png"),
    (PermissionError, "reading it is not permitted; for a camera, add the user to the group 'video'"),
    (ConnectionRefusedError, "nobody listens at this address; check host and port, and that the server runs"),
    (av.error.ExitError, "no data arrived in time; check that the server or camera still sends"),
    (TimeoutError, "no answer in time; check host and port"),
    (
        av.error.InvalidDataError,
        "not readable as video: empty, damaged, cut off before its index, or another kind of file; "
        "expected something that ffprobe can read",
    ),
    (av.error.HTTPNotFoundError, "the server does not know this path"),
    (av.error.HTTPUnauthorizedError, "the server wants a login: rtsp://USER:PASSWORD@host/path"),
    (av.error.HTTPError, "the server refused the request"),
    (av.error.DecoderNotFoundError, "FFmpeg has no decoder for this codec; convert it to H.264 first"),
    (av.error.DemuxerNotFoundError, "FFmpeg cannot read this kind of container"),
    (av.error.ProtocolNotFoundError, "FFmpeg does not speak this protocol"),
)

ANIMATED_WEBP = (
    "an animated WebP, which this FFmpeg cannot decode; convert it to GIF, APNG or MP4 first, "
    "e.g. with `magick IN.webp OUT.gif`"
)


def is_animated_webp(data: bytes) -> bool:
    """Whether a file that begins with ``data`` is a WebP of several pictures."""
    return data[:4] == b"RIFF" and data[8:16] == b"WEBPVP8X" and bool(data[20:21]) and bool(data[20] & 2)


def source_error(uri: str, fault: BaseException) -> SourceError:
    """The ``SourceError`` for an error that FFmpeg raised on ``uri``: what was seen, and what to do."""
    for kind, text in _SEEN:
        if isinstance(fault, kind):
            return SourceError(f"{uri}: {text}")
    detail = getattr(fault, "strerror", None) or str(fault) or type(fault).__name__
    return SourceError(f"{uri}: {detail[:1].lower() + detail[1:]} (reported by FFmpeg while reading)")


@contextmanager
def source_faults(uri: str) -> Iterator[None]:
    """Turn errors of FFmpeg and of the operating system inside the block into ``SourceError``.

    A stall raises ``av.error.ExitError``, which is no ``OSError``; a broken URL option raises ``OverflowError``.
    """
    try:
        yield
    except ArsegError:
        raise
    except (av.error.FFmpegError, OSError, OverflowError) as fault:
        raise source_error(uri, fault) from fault
