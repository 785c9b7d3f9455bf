"""Where a stream is pushed to, and what FFmpeg needs for it."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from edge_arseg.errors import SinkError
from edge_arseg.storage.url import PORTS, url_with_encoded_login
from edge_arseg.video.sinks.place import Place

_PACKET = 1316
"""Bytes of a UDP packet: seven packets of MPEG-TS, which fit into one of Ethernet."""

_EXAMPLES = {
    "rtsp": "rtsp://host:8554/path",
    "rtsps": "rtsps://host:322/path",
    "rtmp": "rtmp://host/app/key",
    "rtmps": "rtmps://host/app/key",
    "udp": "udp://host:5000",
    "tcp": "tcp://host:5000",
    "srt": "srt://host:5000",
}

PUSHED = tuple(_EXAMPLES)
"""Schemes that a stream is pushed to."""


@dataclass(frozen=True, slots=True)
class Address:
    """What FFmpeg opens.

    Attributes:
        url: with the login: never show it.
        container: FFmpeg's name of what is sent.
        options: of the container.
    """

    url: str = field(repr=False)
    container: str
    options: dict[str, str] = field(default_factory=dict)


def address_from_url(url: str) -> Address:
    """Return the address that a URL names. Nothing is opened."""
    url = url_with_encoded_login(url)
    scheme = url.partition("://")[0]
    if scheme.startswith("rtsp"):  # over TCP, so that nothing is lost and the end of the server is noticed
        return Address(url, "rtsp", {"rtsp_transport": "tcp"})
    if scheme.startswith("rtmp"):
        return Address(url, "flv", {"flvflags": "no_duration_filesize"})
    if scheme in ("udp", "srt") and "pkt_size=" not in url:
        url += f"{'&' if '?' in url else '?'}pkt_size={_PACKET}"
    return Address(url, "mpegts", {"flush_packets": "1"})


def check_address(place: Place, _force: bool = False) -> None:
    """Refuse a URL that no stream can be pushed to. Nothing is opened.

    Raises:
        SinkError: its host or its port is missing.
    """
    scheme = place.url.partition("://")[0].lower()
    try:
        parts = urlsplit(url_with_encoded_login(place.url))
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    listens = re.search(r"[?&](listen=1|mode=listener)", place.url) is not None
    if (not host and not listens) or (port is None and scheme not in PORTS):
        missing = "port" if host else "host"
        raise SinkError(f"cannot write {place.uri}: no {missing} in it; expected for example {_EXAMPLES[scheme]}")
