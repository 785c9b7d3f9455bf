"""Source URIs, in the manner of jetson-inference."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from os import PathLike, fspath
from urllib.parse import parse_qsl, unquote

from edge_arseg.errors import SourceError


class SourceKind(str, Enum):
    """What a source URI names."""

    FILE = "file"
    IMAGES = "images"
    DEVICE = "device"
    STREAM = "stream"
    STREET = "street"


_STREAMS = ("rtsp", "rtsps", "rtmp", "udp", "tcp", "srt")
_KNOWN = "a path, file://, images://, /dev/videoN, v4l2://, rtsp://, udp://, http:// or test://"


@dataclass(frozen=True, slots=True)
class Source:
    """A parsed source URI.

    Attributes:
        uri: as given.
        kind: what it names.
        location: a path, a pattern, a device or a URL, as the kind needs it.
        query: what stood behind ``?``, for devices, images and ``test://``.
    """

    uri: str
    kind: SourceKind
    location: str
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def live(self) -> bool:
        """Frames arrive at their own pace and cannot be asked for again."""
        return self.kind in (SourceKind.DEVICE, SourceKind.STREAM)


def source_from_uri(uri: str | PathLike[str]) -> Source:
    """Parse a source URI. Nothing is opened.

    ========================================  ==================================================================
    ``clip.mp4``, ``file:///clips/clip.mp4``  a file
    ``http://``, ``https://``                 a file on a server
    ``images://dir/%06d.png?rate=15``         numbered images in order of their numbers
    ``images://dir/*.png?rate=15``            images in order of their names
    ``/dev/video0``, ``v4l2:///dev/video0``   a camera; ``?video_size=1280x720&framerate=30&input_format=mjpeg``
    ``rtsp://host/path``, ``udp://...``       a live stream (also rtsps, rtmp, tcp, srt)
    ``test://street?frames=48``               a street drive rendered in code
    ========================================  ==================================================================

    Raises:
        SourceError: the scheme is unknown, or the URI is incomplete.
    """
    text = fspath(uri)
    if not text:
        raise SourceError(f"an empty source: expected {_KNOWN}")
    match = re.match(r"([a-zA-Z][a-zA-Z0-9+.-]*)://", text)
    scheme = match.group(1).lower() if match else ""
    rest = text[match.end() :] if match else text
    if scheme in _STREAMS or scheme in ("http", "https"):
        return Source(text, SourceKind.STREAM if scheme in _STREAMS else SourceKind.FILE, text)
    if scheme == "csi":
        raise SourceError(
            f"{text}: CSI cameras need GStreamer's nvarguscamerasrc, which this package does not use; expected "
            "a V4L2 camera (/dev/video0) or an RTSP stream of the CSI camera (rtsp://localhost:8554/csi)"
        )
    if scheme == "file":
        path = unquote(rest.removeprefix("localhost"))
        return Source(text, SourceKind.FILE, _complete(path, text, "file:///clips/clip.mp4"))
    if scheme == "images":
        location, query = _split(rest)
        return Source(text, SourceKind.IMAGES, _complete(location, text, "images://frames/%06d.png"), query)
    if scheme == "test":
        location, query = _split(rest)
        return Source(text, SourceKind.STREET, location or "street", query)
    if scheme == "v4l2" or (not scheme and text.startswith("/dev/video")):
        location, query = _split(rest)
        device = f"/dev/video{location}" if location.isdigit() else location
        return Source(text, SourceKind.DEVICE, _complete(device, text, "v4l2:///dev/video0"), query)
    if scheme:
        raise SourceError(f"{text}: unknown kind of source {scheme}://; expected {_KNOWN}")
    return Source(text, SourceKind.FILE, text)


def _split(rest: str) -> tuple[str, dict[str, str]]:
    location, _, query = rest.partition("?")
    return location, dict(parse_qsl(query))


def _complete(location: str, uri: str, example: str) -> str:
    if not location:
        raise SourceError(f"{uri}: nothing behind ://; expected for example {example}")
    return location
