"""The page as a sink of a run."""

from edge_arseg.errors import SinkError
from edge_arseg.serve.server import PageServer
from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.video.sinks.base import Sink


class PageSink(Sink):
    """Shows results on a page; the page stays when the sink is closed, for another source may follow.

    Args:
        server: of the page.
    """

    draws = True

    def __init__(self, server: PageServer) -> None:
        super().__init__(f"http://{server.address}/")
        self._server = server

    def _write(self, result: SegmentedFrame) -> None:
        if (fault := self._server.fault) is not None:
            raise SinkError(f"cannot show {self.target}: its pictures cannot be encoded ({fault})")
        self._server.take(result)
