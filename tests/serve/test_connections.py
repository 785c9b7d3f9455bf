"""Connections on which nothing is asked for: a scan, a program that hangs, a phone that went away."""

import http.client
import os
import socket
import time

import pytest
from support.clips.watching import results, viewer

server = pytest.importorskip("edge_arseg.serve.server")


@pytest.fixture
def limit_s(monkeypatch):
    monkeypatch.setattr(server, "REQUEST_S", 2.0)
    return 2.0


@pytest.fixture
def opened(page):
    """Open connections to the page; all are closed at the end."""
    clients = []

    def client(said=b""):
        clients.append(socket.create_connection(("127.0.0.1", page.address.port), timeout=10))
        clients[-1].sendall(said)
        return clients[-1]

    yield client
    for one in clients:
        one.close()


def health(page):
    asks = http.client.HTTPConnection("127.0.0.1", page.address.port, timeout=10)
    asks.request("GET", "/healthz")
    answer = asks.getresponse()
    asks.close()
    return answer.status, answer.read()


@pytest.mark.parametrize("said", [b"", b"GET /healthz HTTP/1.1\r\nHost: loc"])
def test_clients_that_ask_for_nothing_keep_nobody_from_an_answer(page, opened, limit_s, said):
    """256 of them made /healthz answer 503 for as long as they stayed: a container was started anew."""
    page.take(results(1)[0])
    idle = [opened(said) for _ in range(300)]
    start = time.monotonic()
    while health(page)[0] != 200:
        assert time.monotonic() < start + 10 * limit_s
        time.sleep(0.05)
    for client in idle:
        assert is_cut(client)


@pytest.mark.timed
def test_half_a_request_at_a_time_is_cut_too_and_a_slow_whole_one_is_answered(page, opened, limit_s):
    page.take(results(1)[0])
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    slow = opened(request[:20])
    time.sleep(limit_s / 4)
    slow.sendall(request[20:])
    assert status_of(slow) == 200
    slow.sendall(request)  # on the same connection
    assert status_of(slow) == 200
    drips = opened(request[:-2])
    start = time.monotonic()
    while not is_cut(drips, limit_s / 10):
        drips.sendall(b"A: b\r\n")
        assert time.monotonic() < start + 10 * limit_s


def test_a_viewer_stays(page, limit_s):
    with viewer(page) as watching:
        watching.recv(10)
        end = time.monotonic() + 1.5 * limit_s
        while time.monotonic() < end:
            watching.recv(10)


def test_connections_beyond_the_most_take_no_descriptors(page, opened, monkeypatch):
    monkeypatch.setattr(server, "MOST_OPEN", 20)
    monkeypatch.setattr(server, "REQUEST_S", 60.0)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    clients = [opened() for _ in range(100)]
    assert len([client for client in clients if is_cut(client, 0.3)]) == 80
    assert len(os.listdir("/proc/self/fd")) <= before + 100 + 25  # noqa: PTH208


def status_of(client):
    """Read one whole answer, however many packets it comes in."""
    answer = http.client.HTTPResponse(client)
    answer.begin()
    answer.read()
    return answer.status


def is_cut(client, patience_s=10.0):
    client.settimeout(patience_s)
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
