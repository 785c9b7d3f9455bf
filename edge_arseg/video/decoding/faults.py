"""What FFmpeg reports, as a ``SourceError``: the one place where its errors are translated."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import av

from edge_arseg.errors import ArsegError, LoginError, SourceError
from edge_arseg.storage.object_store import StoreError
from edge_arseg.storage.url import HIDDEN, NETWORK, text_without_logins

_SEEN: tuple[tuple[type[BaseException], str], ...] = (
    (FileNotFoundError, "there is no such file or device; check the path"),
    (IsADirectoryError, "this is a folder; name a file in it, or FOLDER/*.png"),
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
    (av.error.HTTPError, "the server refused the request"),
    (av.error.DecoderNotFoundError, "FFmpeg has no decoder for this codec; convert it to H.264 first"),
    (av.error.DemuxerNotFoundError, "FFmpeg cannot read this kind of container"),
    (av.error.ProtocolNotFoundError, "FFmpeg does not speak this protocol"),
)

ANIMATED_WEBP = (
    "an animated WebP, which this FFmpeg cannot decode; convert it to GIF, APNG or MP4 first, "
    "e.g. with `magick IN.webp OUT.gif`"
)

NOTHING_DECODED = (
    "FFmpeg can decode no picture of it; it is cut off or damaged, or of a kind that FFmpeg does not know: convert it "
    "first, a video to H.264 and an image to PNG"
)


def is_animated_webp(data: bytes) -> bool:
    """Whether a file that begins with ``data`` is a WebP of several pictures."""
    return data[:4] == b"RIFF" and data[8:16] == b"WEBPVP8X" and bool(data[20:21]) and bool(data[20] & 2)


_LOGIN_ADVICE = "; characters such as # @ / ? % in a login are written %23 %40 %2F %3F %25"


def source_error(label: str, fault: BaseException, *, begun: bool = False) -> SourceError:
    """The ``SourceError`` for an error that FFmpeg raised on a source: what was seen, and what to do.

    Args:
        label: the source's (``Source.label``), which shows no login.
        fault: the error. FFmpeg writes the URL into it, so logins are taken out of it as well.
        begun: data of it had come before.
    """
    _hide_logins(fault)
    remote = label.lower().startswith(tuple(f"{scheme}://" for scheme in NETWORK))
    given = remote and f"{HIDDEN}@" in label
    if isinstance(fault, av.error.HTTPUnauthorizedError):
        if given:
            return LoginError(f"{label}: the server refuses this login; check user and password{_LOGIN_ADVICE}")
        return LoginError(f"{label}: the server wants a login: {label.partition(':')[0]}://USER:PASSWORD@host/path")
    if isinstance(fault, StoreError):
        return SourceError(f"{label}: {fault}")
    for kind, text in _SEEN:
        if isinstance(fault, kind):
            return SourceError(f"{label}: {text}")
    if isinstance(fault, av.error.FFmpegError) and fault.errno == errno.EINVAL and remote:
        advice = _LOGIN_ADVICE if given else ""
        return SourceError(f"{label}: FFmpeg cannot use this URL; expected scheme://host:port/path{advice}")
    if isinstance(fault, OSError) and fault.errno == errno.EIO and remote and begun:
        return SourceError(f"{label}: the connection broke off before the end; check the server and the network")
    if isinstance(fault, OSError) and fault.errno == errno.EIO and remote:
        return SourceError(f"{label}: the server cannot be reached; check the name of the host and the network")
    if isinstance(fault, OSError) and fault.errno == errno.EPROTONOSUPPORT and remote:
        return SourceError(f"{label}: the server does not send over this transport; type --rtsp-transport auto")
    detail = text_without_logins(getattr(fault, "strerror", None) or str(fault) or type(fault).__name__)
    return SourceError(f"{label}: {detail[:1].lower() + detail[1:]} (reported by FFmpeg while reading)")


def _hide_logins(fault: BaseException) -> None:
    """Take logins out of an error's arguments and of what FFmpeg logged, so that no trace of it shows one."""
    fault.args = _without_logins(fault.args)
    if isinstance(fault, av.error.FFmpegError):  # gives its name and text out of ``args``
        return
    for name in ("filename", "strerror"):
        if isinstance(text := getattr(fault, name, None), str):
            setattr(fault, name, text_without_logins(text))


def _without_logins(part: Any) -> Any:
    if isinstance(part, tuple):  # the arguments, and what FFmpeg logged last
        return tuple(map(_without_logins, part))
    return text_without_logins(part) if isinstance(part, str) else part


@contextmanager
def source_faults(label: str, *, begun: bool = False) -> Iterator[None]:
    """Turn errors of FFmpeg and of the operating system inside the block into ``SourceError``.

    A stall raises ``av.error.ExitError``, which is no ``OSError``; a broken URL option raises ``OverflowError``.

    Args:
        label: the source's (``Source.label``), which shows no login.
        begun: data of it had come before.
    """
    try:
        yield
    except ArsegError:
        raise
    except (av.error.FFmpegError, OSError, OverflowError) as fault:
        raise source_error(label, fault, begun=begun) from fault
