"""A thread that encodes pictures while the next ones are made."""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final

import numpy as np
from numpy.typing import NDArray

_ROOMS: Final = 3
"""One is drawn, one is encoded, one waits."""


class EncodingThread:
    """Hands pictures to a thread, in order; where it falls behind, ``room`` waits.

    An error of the thread is raised by the next call here, once; pictures that come after it are dropped.

    Args:
        shape: height and width of the pictures.
        encode: called in the thread with a picture, ``[*shape, 3] uint8``, and its time in seconds.
    """

    def __init__(self, shape: tuple[int, int], encode: Callable[[NDArray[np.uint8], float], None]) -> None:
        self._encode = encode
        self._shape = shape
        self._made = 0
        self._free: SimpleQueue[NDArray[np.uint8]] = SimpleQueue()
        self._waiting: SimpleQueue[tuple[NDArray[np.uint8], float] | threading.Event | None] = SimpleQueue()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="encoder", daemon=True)
        self._thread.start()

    def room(self) -> NDArray[np.uint8]:
        """Return a picture to draw on, ``[*shape, 3] uint8``; it holds an older one."""
        self._raise()
        if self._free.empty() and self._made < _ROOMS:
            self._made += 1
            return np.zeros((*self._shape, 3), np.uint8)
        return self._free.get()

    def write(self, picture: NDArray[np.uint8], time_s: float) -> None:
        """Hand over a picture that ``room`` gave."""
        self._raise()
        self._waiting.put((picture, time_s))

    def wait(self) -> None:
        """Wait until everything is encoded."""
        done = threading.Event()
        self._waiting.put(done)
        done.wait()
        self._raise()

    def stop(self) -> None:
        """Wait until everything is encoded, and end the thread; calling it again does nothing."""
        if self._thread.is_alive():
            self._waiting.put(None)
            self._thread.join()
        self._raise()

    def _run(self) -> None:
        while (given := self._waiting.get()) is not None:
            if isinstance(given, threading.Event):
                given.set()
                continue
            picture, time_s = given
            try:
                if self._error is None:
                    self._encode(picture, time_s)
            except BaseException as error:  # raised where the pictures come from
                self._error = error
            self._free.put(picture)

    def _raise(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            self._encode = _drop
            raise error


def _drop(_picture: NDArray[np.uint8], _time_s: float) -> None:
    """What is left after an error."""
