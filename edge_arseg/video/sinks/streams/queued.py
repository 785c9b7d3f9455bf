"""A thread before a sink that writes at once, so that a slow or dead place never holds up a live source."""

from contextlib import suppress
from dataclasses import replace

from edge_arseg.errors import SinkError
from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.video.sinks.base import CLOSE_S, Sink
from edge_arseg.video.sinks.encoding_thread import EncodingThread
from edge_arseg.video.sinks.movies.result_copy import ResultCopy


class Queued(Sink):
    """Hands results to a thread, which writes them to another sink; up to two wait.

    Pictures of the source are not copied: sinks that draw have threads of their own.

    Args:
        sink: what is written to; it is closed with this one.
    """

    def __init__(self, sink: Sink) -> None:
        super().__init__(sink.target)
        self._sink = sink
        self._thread = EncodingThread(ResultCopy, self._hand_on)

    @property
    def busy(self) -> bool:
        """See ``Sink``."""
        return self._thread.full

    def _write(self, result: SegmentedFrame) -> None:
        copy = self._thread.room()
        copy.take(replace(result, frame=replace(result.frame, picture=None)))
        self._thread.write(copy)

    def _hand_on(self, copy: ResultCopy) -> None:
        self._sink.write(copy.result)
        self.finished = self._sink.finished

    def _close(self) -> None:
        try:
            whole = self._thread.stop(max(CLOSE_S - self._thread.stuck_s, 0.0))
        except BaseException:
            with suppress(SinkError):
                self._sink.close()
            raise
        if whole:
            self._sink.close()
        else:
            self._give_up(self._thread.leave(self._close_late))

    def _close_late(self) -> None:
        with suppress(SinkError):
            self._sink.close()

    def _abandon(self) -> None:
        with suppress(SinkError):
            if self._thread.stop(CLOSE_S):
                self._sink.close()
