"""The kinds of sources there are: one row each in ``KINDS``, which parsing and opening follow.

To add one: a module with a ``PictureSource`` and a function that makes it, and a row here.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl

from edge_arseg.errors import SourceError
from edge_arseg.storage.object_store import PACKAGES
from edge_arseg.storage.url import NETWORK, url_with_encoded_login
from edge_arseg.suggestion import one_of
from edge_arseg.video.decoding.whole_packets import WholePackets
from edge_arseg.video.pieces.span import Span

Parts = tuple[str, dict[str, str]]
"""Location and query, as ``Source`` has them."""

_RATE = re.compile(r"\?(rate=[^?/&]*)")


class SourceKind:
    """Names of the kinds that come with the package."""

    FILE = "file"
    IMAGES = "images"
    DEVICE = "device"
    STREAM = "stream"
    STREET = "street"
    PIPE = "pipe"
    OBJECT = "object"
    REPLAY = "replay"
    GSTREAMER = "gstreamer"


class Recorder(Protocol):
    """Keeps what a live source sends: a ``TapeWriter``."""

    def connection(self, stream: Any, context: Any, *, facts: dict[str, Any]) -> None:
        """A stream was opened."""

    def packet(self, packet: Any, arrived_s: float, *, after_empty: bool = False) -> None:
        """A packet came."""

    def taken(self, index: int) -> None:
        """A frame is segmented."""

    def end(self, fault: str) -> None:
        """The stream ended, or broke."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a source is to be opened; a kind takes what it knows. The fields are arguments of ``open_video``.

    Attributes:
        own_vectors: the stream's own vectors are asked for.
        tape: keeps what comes, of a kind that is decoded from packets.
        span: the piece that is asked for; ``None``: the whole.
        transport: options for FFmpeg that say what a stream is sent over.
        whole: packets are taken for pictures while that is believed.
    """

    rate: float | None = None
    options: Mapping[str, str] | None = None
    timeout_s: tuple[float, float] = (10.0, 5.0)
    own_vectors: bool = True
    stream: int | None = None
    tape: Recorder | None = None
    span: Span | None = None
    transport: Mapping[str, str] = field(default_factory=dict)
    whole: WholePackets | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """What the rest of the package knows of a kind of source.

    Attributes:
        expected: how one is written, for messages.
        schemes: what stands before ``://``, in lower case.
        parts: of the URI, what is behind ``://`` in it, and its label: location and query; raises ``SourceError``.
        pictures: ``module:function`` of ``Source`` and ``Wishes`` to a ``PictureSource``; imported at the first use.
        live: frames arrive at their own pace and cannot be asked for again.
        streams: it is a container, whose streams have numbers.
    """

    expected: str
    schemes: tuple[str, ...]
    parts: Callable[[str, str, str], Parts]
    pictures: str
    live: bool = False
    streams: bool = False


def pattern_and_rate(rest: str) -> Parts:
    """``?`` may stand for a character of a name, so only ``?rate=`` at the end is a query."""
    match = re.fullmatch(rf"(.*?){_RATE.pattern}", rest, re.DOTALL)
    return (match[1], dict(parse_qsl(match[2], keep_blank_values=True))) if match else (rest, {})


def complete(location: str, label: str, example: str) -> str:
    """Return ``location``; raise ``SourceError`` where it is empty."""
    if not location:
        raise SourceError(f"{label}: nothing behind ://; expected for example {example}")
    return location


def _url(text: str, _rest: str, _label: str) -> Parts:
    return url_with_encoded_login(text), {}


def _images(_text: str, rest: str, label: str) -> Parts:
    location, query = pattern_and_rate(rest)
    return complete(location, label, "images://frames/%06d.png"), query


def _device(_text: str, rest: str, label: str) -> Parts:
    location, query = split(rest)
    device = f"/dev/video{location}" if location.isdigit() else location
    return complete(device, label, "v4l2:///dev/video0"), query


def _object(text: str, rest: str, label: str) -> Parts:
    complete(rest, label, "s3://bucket/clip.mp4")
    return text, {}


def _street(_text: str, rest: str, label: str) -> Parts:
    location, query = split(rest)
    if location.rstrip("/") not in ("", "street"):
        raise SourceError(f"{label}: there is no such test source; expected test://street")
    return "street", query


def _replay(_text: str, rest: str, label: str) -> Parts:
    location, query = split(rest)
    if query not in ({}, {"frames": "every"}):
        raise SourceError(f"{label}: behind ? expected nothing but frames=every")
    return complete(location, label, "replay://drive.tape"), query


def _pipeline(text: str, rest: str, label: str) -> Parts:
    if text.lower().startswith("csi:"):
        location, query = split(rest)
        return complete(location, label, "csi://0"), query
    return complete(" ".join(rest.split()), label, "'gst://videotestsrc is-live=true ! video/x-raw,width=640'"), {}


def _pipe(_text: str, _rest: str, _label: str) -> Parts:
    return "-", {}


def split(rest: str) -> Parts:
    """Return what is before the first ``?``, and the query behind it."""
    location, _, query = rest.partition("?")
    return location, dict(parse_qsl(query))


_SERVERS = ("http", "https")
_STREAMS = tuple(scheme for scheme in NETWORK if scheme not in _SERVERS)
_DECODED = "edge_arseg.video.decoding.decode:pictures_from_source"

KINDS: dict[str, Kind] = {
    SourceKind.FILE: Kind("a path, a folder, file://, http://", _SERVERS, _url, _DECODED, streams=True),
    SourceKind.IMAGES: Kind("images://", ("images",), _images, "edge_arseg.video.sources.images:pictures_from_source"),
    SourceKind.DEVICE: Kind(
        "0 (the first camera), /dev/videoN, v4l2://", ("v4l2",), _device, _DECODED, live=True, streams=True
    ),
    SourceKind.STREAM: Kind("rtsp://, udp://", _STREAMS, _url, _DECODED, live=True, streams=True),
    SourceKind.STREET: Kind("test://", ("test",), _street, "edge_arseg.video.sources.street:pictures_from_source"),
    SourceKind.GSTREAMER: Kind(
        "csi://0, gst://PIPELINE",
        ("csi", "gst"),
        _pipeline,
        "edge_arseg.video.sources.pipelines.decoder:pictures_from_source",
        live=True,
        streams=True,
    ),
    SourceKind.REPLAY: Kind("replay://", ("replay",), _replay, "edge_arseg.video.tape.replay:pictures_from_source"),
    SourceKind.PIPE: Kind(
        "- (the standard input)",
        (),
        _pipe,
        "edge_arseg.video.sources.standard_input:pictures_from_source",
        streams=True,
    ),
    SourceKind.OBJECT: Kind(
        "s3://bucket/name",
        tuple(PACKAGES),
        _object,
        "edge_arseg.video.objects.source:pictures_from_object",
        streams=True,
    ),
}
"""By name."""


def kind_of_scheme(scheme: str) -> str | None:
    """Return the name of the kind that a scheme belongs to."""
    return next((name for name, kind in KINDS.items() if scheme in kind.schemes), None)


def known() -> str:
    """Return how sources are written, for messages."""
    return one_of([kind.expected for kind in KINDS.values()])
