"""Messages into a pipe that may have no room: they wait a little, and no run stands still for them."""

import io
import os
import select
import stat
import threading

from edge_arseg.quantity import counted

_WAIT_S = 2.0
"""How long the first message waits for room; those behind it wait no more until there is some."""
_AT_ONCE = 512
"""Bytes that a pipe takes whole where it says that it has room (POSIX's least ``PIPE_BUF``)."""


class Messages(io.FileIO):
    """Descriptor 2. Messages that nobody can read, or reads, must not end or hold up what they are about.

    A pipe holds 64 KB. A program that started this one and does not read its messages would stop it for good when they
    are full, hours later. What finds no room is left out, and a line says how many when there is room again.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._left_out, self._lock = 0, threading.Lock()
        self._room: select.poll | None = None
        if _fills_up(descriptor):
            self._room = select.poll()
            self._room.register(descriptor, select.POLLOUT)

    def write(self, data: object) -> int | None:  # type: ignore[override]
        """Write what there is room for; all counts as written."""
        whole = bytes(memoryview(data))  # type: ignore[arg-type]
        with self._lock:
            if self._left_out and self._takes(self._told()):
                self._left_out = 0
            if not self._takes(whole):
                self._left_out += 1
        return len(whole)

    def _told(self) -> bytes:
        return f"warning: {counted(self._left_out, 'message')} left out: nobody read them\n".encode()

    def _takes(self, data: bytes) -> bool:
        """Write in parts that never wait; ``False`` where one finds no room."""
        step = len(data) if self._room is None else _AT_ONCE
        for start in range(0, len(data), max(step, 1)):
            if self._room is not None and not self._room.poll(0 if self._left_out else 1000 * _WAIT_S):
                return False
            try:
                super().write(data[start : start + step])
            except OSError:
                return True  # nobody is there: nothing is left out that could be told later
        return True


def _fills_up(descriptor: int) -> bool:
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
