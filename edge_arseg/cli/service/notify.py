"""What a service manager is told by ``sd_notify``: that the run is up, how it goes, and that it has not hung.

Written to the datagram socket that ``NOTIFY_SOCKET`` names; without it nothing is done. A few lines of our own, for the
protocol is one ``send`` and needs no library on a board.
"""

import os
import socket
import threading
import time
from contextlib import suppress

_PATIENCE_S = 0.5
"""A manager that does not listen keeps nobody longer than that: few messages fit into its queue."""

_CLOSING_S = 900.0
"""Sinks may take that long to close, as an engine may to open. A disk that is gone holds up no board for ever."""
_TOLD_EVERY_S = 5.0
_MORE_TIME = f"EXTEND_TIMEOUT_USEC={10 * 1000 * 1000}"
"""Ten seconds beyond the manager's own limit, said anew every five; systemd 236 and later."""

_ENVIRONMENT, _WATCHDOG, _PID = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"


class Heart:
    """Beats for the watchdog, in a thread, as long as the run makes progress; a context manager.

    A run makes progress if it waits for its source, which has its own time limits, or if that changed not long ago. An
    engine that hangs stops the beats, and so the service is started anew. While sinks are closed it beats, and asks for
    more time than the manager gives to the end of a service.
    """

    def __init__(self) -> None:
        path = os.environ.get(_ENVIRONMENT, "")
        self._path = "\0" + path[1:] if path.startswith("@") else path
        self._every_s = _every_s() if path else None
        self._socket: socket.socket | None = None
        self._changed_s, self._waits, self._up = time.monotonic(), False, False
        self._closing_s: float | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="watchdog", daemon=True)

    def __enter__(self) -> "Heart":
        if self._path:
            with suppress(OSError):  # a manager that is gone is no reason to end
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
                self._socket.connect(self._path)
                self._socket.settimeout(_PATIENCE_S)
                self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._send("STOPPING=1")
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def ready(self) -> None:
        """Tell that the run is up."""
        self._changed_s, self._up = time.monotonic(), True
        self._send("READY=1")

    def ending(self) -> None:
        """Hear that sinks are closed, which may take long: a large file is written to a slow disk."""
        self._up, self._closing_s = False, time.monotonic()
        self._send(_MORE_TIME)

    def say(self, status: str) -> None:
        """Tell how it goes, in a line."""
        self._send(f"STATUS={status}")

    def waiting(self, waits: bool) -> None:
        """Hear that the run waits for its source, or works on a frame."""
        self._waits, self._changed_s = waits, time.monotonic()

    def _beat(self) -> None:
        while not self._ended.wait(min(self._every_s or _TOLD_EVERY_S, _TOLD_EVERY_S)):
            now = time.monotonic()
            if self._closing_s is not None:
                if now - self._closing_s > _CLOSING_S:
                    return
                self._send(_MORE_TIME)
            # Opening engines and closing sinks may take long; before the run is up systemd has another limit.
            if self._every_s and (not self._up or self._waits or now - self._changed_s <= 2 * self._every_s):
                self._send("WATCHDOG=1")

    def _send(self, text: str) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.send(text.encode())


def _every_s() -> float | None:
    """Return how often the manager wants to hear, in seconds, with room; ``None``: it has no watchdog for us."""
    if os.environ.get(_PID, str(os.getpid())) != str(os.getpid()):
        return None
    try:
        microseconds = int(os.environ.get(_WATCHDOG, ""))
    except ValueError:
        return None
    return microseconds / 1e6 / 4 if microseconds > 0 else None
