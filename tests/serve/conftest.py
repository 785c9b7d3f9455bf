"""Pages to watch."""

import pytest

from edge_arseg.spec.model import CAMVID_11

pytest.importorskip("starlette")
pytest.importorskip("websockets")


@pytest.fixture
def open_page():
    """Open pages on free ports; all are closed at the end."""
    from edge_arseg.serve.address import Address
    from edge_arseg.serve.server import PageServer, Subject

    opened = []

    def page(token=None, host="127.0.0.1", port=0, **options):
        server = PageServer(Address(host, port), token, **options)
        opened.append(server)
        server.show(Subject("drive.mp4", "small", "ar, fake", CAMVID_11, "contrast", 0.5))
        server.figures.waiting(True)
        return server

    yield page
    for server in opened:
        server.close()


@pytest.fixture
def page(open_page):
    return open_page()
