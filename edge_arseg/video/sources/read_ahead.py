"""A file read in a thread of its own, while its frames are worked on."""

import threading
from collections import deque

from edge_arseg.spec.frame import Frame
from edge_arseg.video.frame_source import FrameSource

CLOSE_S = 10.0
"""How long ``close`` waits for a read that is under way; longer than a server may take to answer (``timeout_s``)."""


class ReadAhead:
    """Reads, recodes and converts the next frames in a thread, so that they are there when they are asked for.

    FFmpeg and the engines work without the interpreter lock, so the thread costs the consumer nothing but cores. Frames
    come in order and none is dropped. What goes wrong is raised when the frames before it have been delivered, and
    each time after.

    Args:
        source: what to read.
        ahead: frames that wait at most, 1 or more.
    """

    def __init__(self, source: FrameSource, *, ahead: int) -> None:
        self._source, self._ahead = source, ahead
        self._news = threading.Condition()
        self._ready: deque[Frame] = deque()
        self._end: BaseException | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._read, name=f"reader of {source.source.label}", daemon=True)
        self._thread.start()

    def __next__(self) -> Frame:
        with self._news:
            while not self._ready and self._end is None:
                self._news.wait()
            if self._ready:
                frame = self._ready.popleft()
                self._news.notify_all()
                return frame
        raise self._end or StopIteration

    def close(self) -> None:
        """Stop reading; waits for a read that is under way, but not forever. The thread closes the source."""
        self.let_go()
        if threading.current_thread() is not self._thread:
            self._thread.join(CLOSE_S)

    def let_go(self) -> None:
        """Stop reading, and wait for nothing; may be called by any thread, the reading one too."""
        with self._news:
            self._closed = True
            self._ready.clear()
            self._end = StopIteration()
            self._news.notify_all()
        self._source.interrupt()

    def _read(self) -> None:
        end: BaseException = StopIteration()
        try:
            for frame in self._source:
                with self._news:
                    while len(self._ready) >= self._ahead and not self._closed:
                        self._news.wait()
                    if self._closed:
                        return
                    self._ready.append(frame)
                    self._news.notify_all()
        except BaseException as fault:  # whatever it is, the consumer must hear of it
            end = fault
        finally:
            self._source.close()
            with self._news:
                self._end = self._end or end
                self._news.notify_all()
