"""A thread that draws and encodes results while the next ones are made."""

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final, Generic, TypeVar

Room = TypeVar("Room")
"""What holds a copy of a result, and is used again."""

_ROOMS: Final = 3
"""One is filled, one is drawn and encoded, one waits."""


class EncodingThread(Generic[Room]):
    """Hands results to a thread, in order; where it falls behind, ``room`` waits. The thread begins with the first.

    An error of the thread is raised by the next call here, once; results that come after it are dropped.

    Args:
        new_room: makes room for a copy of a result.
        encode: called in the thread with each copy.
    """

    def __init__(self, new_room: Callable[[], Room], encode: Callable[[Room], None]) -> None:
        self._new_room, self._encode = new_room, encode
        self._made = 0
        self._free: SimpleQueue[Room] = SimpleQueue()
        self._waiting: SimpleQueue[Room | threading.Event | None] = SimpleQueue()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="encoder", daemon=True)
        self._begun = False
        self._moved_s = time.monotonic()
        self._ending = threading.Lock()
        self._ended = False
        self._let_go_of: Callable[[], None] = _nothing

    @property
    def full(self) -> bool:
        """Whether ``room`` would wait now."""
        return self._error is None and self._made >= _ROOMS and self._free.empty()

    @property
    def idle(self) -> bool:
        """Whether everything is encoded."""
        return self._free.qsize() == self._made

    @property
    def stuck_s(self) -> float:
        """Seconds for which it has encoded nothing, though there is something to encode."""
        return 0.0 if self.idle else time.monotonic() - self._moved_s

    def room(self) -> Room:
        """Return room for a result."""
        self._raise()
        if self._free.empty() and self._made < _ROOMS:
            room = self._new_room()  # may need more memory than there is, and is not made then
            self._made += 1
            return room
        return self._free.get()

    def write(self, copy: Room) -> None:
        """Hand over a copy that was made in what ``room`` gave."""
        try:
            self._raise()
            if not self._begun:
                self._thread.start()
                self._begun = True
        except BaseException:
            self._free.put(copy)
            raise
        if self._free.qsize() + 1 == self._made:
            self._moved_s = time.monotonic()
        self._waiting.put(copy)

    def wait(self) -> None:
        """Wait until everything is encoded."""
        if not self._begun:
            return
        done = threading.Event()
        self._waiting.put(done)
        done.wait()
        self._raise()

    def stop(self, patience_s: float | None = None) -> bool:
        """Wait until everything is encoded, and end the thread; calling it again does nothing.

        Args:
            patience_s: seconds to wait at most.

        Returns:
            Whether everything is encoded.
        """
        if self._thread.is_alive():
            self._waiting.put(None)
            self._thread.join(patience_s)
        if self._begun and not self._thread.is_alive():
            self._let_go()
        self._raise()
        return not self._thread.is_alive()

    def leave(self, let_go: Callable[[], None]) -> int:
        """Leave a thread behind that takes too long to stop: it encodes no more, and ends when it can.

        Args:
            let_go: called when it has ended, in the thread if that is later than now; raises nothing.

        Returns:
            How many results are not encoded.
        """
        left = self._made - self._free.qsize()
        self._encode = _drop
        with self._ending:
            if not self._ended:
                self._let_go_of = let_go
                return left
        let_go()
        return left

    def _run(self) -> None:
        self._encode_all()
        with self._ending:
            self._ended = True
        self._let_go_of()

    def _encode_all(self) -> None:
        while (given := self._waiting.get()) is not None:
            if isinstance(given, threading.Event):
                given.set()
                continue
            try:
                if self._error is None:
                    self._encode(given)
            except BaseException as error:  # raised where the results come from
                self._error = error
            self._moved_s = time.monotonic()
            self._free.put(given)

    def _let_go(self) -> None:
        """Free the copies and the owner of ``encode`` now: in a circle with it they would wait for the collector."""
        self._encode = _drop
        while not self._free.empty():
            self._free.get()
        self._made = 0

    def _raise(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            self._encode = _drop
            raise error


def _nothing() -> None:
    """What is left to do at the end of a thread that was waited for."""


def _drop(_copy: object) -> None:
    """What is left to do after an error."""
