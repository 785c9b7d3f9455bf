"""Viewers of a page, and results that it shows."""

import json
import struct
import time
import zlib
from contextlib import contextmanager

from support.clips.results import SIZE, result_at


@contextmanager
def viewer(server, **options):
    """A viewer that reads only when it is asked to: at most one message is taken off the socket."""
    from websockets.sync.client import connect

    options = {"max_queue": 1, "compression": None, "max_size": None, "proxy": None, "close_timeout": 0.5} | options
    with connect(f"ws://127.0.0.1:{server.address.port}/watch", **options) as socket:
        yield socket


def next_shot(socket, timeout=10.0):
    """The head, the JPEG and the class map of the next shot."""
    end = time.monotonic() + timeout
    while isinstance(message := socket.recv(max(end - time.monotonic(), 0.0)), str):
        pass  # once a second it hears how things stand
    (length,) = struct.unpack_from("<I", message)
    head = json.loads(message[4 : 4 + length])
    body = message[4 + length :]
    return head, body[: head["jpeg"]], zlib.decompress(body[head["jpeg"] :])


def results(count, size=SIZE, **options):
    return [result_at(index, size=size, **options) for index in range(count)]
