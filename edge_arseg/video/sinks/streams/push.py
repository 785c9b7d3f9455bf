"""The overlay as a stream that is pushed to a server or a player."""

import time
from contextlib import suppress

from edge_arseg.errors import SinkError
from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.video.sinks.base import CLOSE_S, Sink
from edge_arseg.video.sinks.look import Look
from edge_arseg.video.sinks.movies.drawn import DrawnThread
from edge_arseg.video.sinks.streams.address import Address
from edge_arseg.video.sinks.streams.connection import Connection
from edge_arseg.video.sinks.streams.sender import Sender

_PATIENCE_S = 10.0


class PushSink(Sink):
    """Sends the overlay (see ``Overlay``) as H.264 over RTSP, RTMP, or as MPEG-TS over UDP, TCP or SRT.

    A thread draws and encodes, a process connects and sends. Beside a live source, pictures that cannot be sent are
    dropped and counted, and the server is tried again every half second without an end. Beside a file the run waits for
    the server, for ten seconds. A server that takes nothing for ten seconds is given up, and connected to anew.

    Args:
        target: the URI, for messages.
        address: what is sent to.
        look: of the results.
    """

    draws = True

    def __init__(self, target: str, address: Address, look: Look) -> None:
        super().__init__(target)
        self._drawn = DrawnThread(look, lambda *picture: self._connection.send(*picture))
        shape, self._live = self._drawn.shape, look.live
        patience_s = None if look.live else _PATIENCE_S
        self._connection = Connection(target, lambda: Sender(address, shape, look.rate), patience_s)

    @property
    def busy(self) -> bool:
        """See ``Sink``."""
        self._connection.end_if_stuck()
        return self._drawn.thread.full

    @property
    def dropped(self) -> int:
        """See ``Sink``; what no server took is in it too."""
        return self._left_out + self._connection.lost

    def _write(self, result: SegmentedFrame) -> None:
        while self.busy:
            time.sleep(0.005)
        self._drawn.write(result)

    def _close(self) -> None:
        start, gave_up = time.monotonic(), False
        while not self._drawn.thread.stop(0.1):
            self._connection.end_if_stuck()
            # Beside a file the connection has a patience of its own, and says when that has ended.
            if self._live and time.monotonic() - start > CLOSE_S:
                if not gave_up:
                    self._give_up(0)  # what is lost the connection counts
                gave_up = True
                self._connection.kill()
        self._connection.close()

    def _abandon(self) -> None:
        self._connection.kill()
        with suppress(SinkError):
            self._drawn.thread.stop(CLOSE_S)
        self._connection.abandon()
