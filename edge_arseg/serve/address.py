"""Where the page is: a host and a port that this machine can listen on."""

import errno
import ipaddress
import re
import socket
from dataclasses import dataclass

from edge_arseg.errors import OptionError, SinkError
from edge_arseg.video.sinks.kinds import SINKS

HOST, PORT = "127.0.0.1", 8008
_BACKLOG = 64
_ENDINGS = (".jsonl", *(ending for kind in SINKS.values() for ending in kind.suffixes))
"""Of what is a sink, which was typed behind ``--serve``."""

_FORMS = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+(?:%\w+)?)\]|(?P<host>[^:\[\]/\s]*))(?::(?P<port>\d{1,5}))?")


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port.

    Attributes:
        host: a name or an address of this machine; ``0.0.0.0`` and ``::`` stand for all of its addresses.
        port: 1 to 65535, or 0: one that is free.
    """

    host: str = HOST
    port: int = PORT

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def address_from_text(text: str) -> Address:
    """Read ``HOST:PORT``, ``HOST``, ``:PORT``, ``PORT`` or ``[IPv6]:PORT``; what is left out is the default's.

    Raises:
        OptionError: it is none of these.
    """
    whole = text.strip()
    match = _FORMS.fullmatch(f":{whole}" if whole.isdigit() else whole)
    if not match or not whole or whole.lower().endswith(_ENDINGS):
        raise OptionError(
            f"--serve {text!r}: expected HOST:PORT, for example {HOST}:{PORT}; "
            "type --serve behind the source and the sinks to have the default"
        )
    port = PORT if match["port"] is None else int(match["port"])
    if port > 65535:
        raise OptionError(f"--serve {text!r}: port {port} seen, expected 0 to 65535")
    return Address(match["six"] or match["host"] or HOST, port)


def is_loopback(host: str) -> bool:
    """Whether only this machine itself reaches an address, as ``getsockname`` gives it."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def listening_socket(address: Address) -> socket.socket:
    """Return a socket that listens.

    Raises:
        SinkError: the host is none of this machine's, or the port is in use or not allowed.
    """
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise SinkError(
            f"cannot serve on {address}: no host is called {address.host!r}; expected {HOST}, or 0.0.0.0 "
            "for all addresses of this machine, or one of them"
        ) from error
    family, kind, protocol, _, place = found[0]
    opened = socket.socket(family, kind, protocol)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a run that ended just now leaves the port so
        opened.bind(place)
        opened.listen(_BACKLOG)
        opened.set_inheritable(False)
    except OSError as error:
        opened.close()
        raise SinkError(f"cannot serve on {address}: {_reason(error, address)}") from error
    return opened


def _reason(error: OSError, address: Address) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"the port is in use; name another, for example --serve {Address(address.host, address.port + 1)}"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{address.host} is no address of this machine; expected {HOST}, or 0.0.0.0 for all of them"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"ports below 1024 are not allowed to this user; name another, for example --serve {address.host}:{PORT}"
    return f"{error.strerror or error}; name another host or port"
