"""Where a page may be, and what is said where it cannot be there."""

import socket

import pytest

pytest.importorskip("starlette")

from edge_arseg.errors import OptionError, SinkError
from edge_arseg.serve.access import checked_token
from edge_arseg.serve.address import Address, address_from_text, is_loopback, listening_socket


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:8008", "127.0.0.1", 8008),
        ("9000", "127.0.0.1", 9000),
        (":9000", "127.0.0.1", 9000),
        ("0.0.0.0", "0.0.0.0", 8008),
        ("board.local:80", "board.local", 80),
        ("[::1]:9000", "::1", 9000),
        ("[::]", "::", 8008),
    ],
)
def test_what_is_left_out_is_the_default(text, host, port):
    assert address_from_text(text) == Address(host, port)


@pytest.mark.parametrize(
    "text",
    ["", "::1", "host:port", "http://host", "out.mp4", "Out.GIF", "a.jsonl", "a/b", "1.2.3.4:70000", "masks://m"],
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(OptionError, match=r"expected"):
        address_from_text(text)


def test_only_addresses_of_this_machine_alone_are_loopback():
    assert [is_loopback(host) for host in ("127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1")] == [True] * 4
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "192.168.1.2", "localhost", "")] == [False] * 5


def test_a_port_in_use_and_a_host_elsewhere_are_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SinkError, match=rf"port is in use; name another, for example --serve 127.0.0.1:{port + 1}"):
            listening_socket(Address("127.0.0.1", port))
    with pytest.raises(SinkError, match=r"no address of this machine"):
        listening_socket(Address("192.0.2.1", 0))
    with pytest.raises(SinkError, match=r"no host is called 'nowhere.invalid'"):
        listening_socket(Address("nowhere.invalid", 8008))


def test_a_token_is_long_and_fits_a_cookie():
    assert checked_token("0123456789abcdef") == "0123456789abcdef"
    for bad in ("short", "with a space in it", "semicolon;semicolon", "é" * 20):
        with pytest.raises(OptionError, match=r"expected 16 or more"):
            checked_token(bad)
