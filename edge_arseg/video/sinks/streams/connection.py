"""A stream to a server that may go away and come back."""

import logging
import time
from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from edge_arseg.errors import SinkError
from edge_arseg.storage.url import text_without_logins
from edge_arseg.video.pixel_shape import SQUARE
from edge_arseg.video.sinks.streams.sender import Sender, SendError

_log = logging.getLogger(__name__)

PAUSE_S = 0.5
"""Between two attempts to connect."""

STUCK_S = 10.0
"""A server that takes nothing for so long is given up: it is frozen, or its host is gone."""

_REFUSED = "the server refuses this login, or wants one: SCHEME://USER:PASSWORD@host/path"
_FOR_GOOD = {
    "ProtocolNotFoundError": "this FFmpeg does not speak this protocol; push to udp://127.0.0.1:PORT, and let another "
    "program pass it on",
    "MuxerNotFoundError": "this FFmpeg cannot send such a stream; push to udp://",
    "HTTPUnauthorizedError": _REFUSED,
    "HTTPForbiddenError": _REFUSED,
}
"""Faults that time does not heal, by the name of FFmpeg's error."""


class Connection:
    """Sends pictures, and connects anew where the server is gone. One thread sends; ``end_if_stuck`` is another's.

    Args:
        label: of the sink, without a login.
        connect: starts a sender.
        patience_s: seconds for which a picture is tried again before ``SinkError``; ``None``: the source does not wait,
            so it is tried once, and a later one connects anew.

    Attributes:
        lost: pictures that no server took.
    """

    def __init__(self, label: str, connect: Callable[[], Sender], patience_s: float | None) -> None:
        self._label, self._connect, self._patience_s = label, connect, patience_s
        self._sender: Sender | None = None
        self._gone_s: float | None = None
        self._tried_s = -PAUSE_S
        self.lost = 0

    def send(self, rgb: NDArray[np.uint8], time_s: float, pixel: Fraction = SQUARE) -> None:
        """Send one picture; see ``Encoder``.

        Raises:
            SinkError: the server cannot be reached in time, or refuses for good.
        """
        start = time.monotonic()
        while not self._sent(rgb, time_s, pixel):
            if self._patience_s is None:
                self.lost += 1
                return
            if time.monotonic() - start > self._patience_s:
                raise SinkError(
                    f"cannot write {self._label}: nobody took it for {self._patience_s:.0f} s; check host and port, "
                    "and that the server runs"
                )
            time.sleep(PAUSE_S / 4)

    def end_if_stuck(self) -> None:
        """Give up a server that takes nothing any more."""
        sender = self._sender
        if sender is not None and sender.silent_s > STUCK_S:
            _log.warning("%s: nothing was taken for %.0f s; connecting anew", self._label, STUCK_S)
            sender.kill()

    def kill(self) -> None:
        """End a sender at once, also one that waits."""
        sender = self._sender
        if sender is not None:
            sender.kill()

    def _sent(self, rgb: NDArray[np.uint8], time_s: float, pixel: Fraction) -> bool:
        try:
            if self._sender is None:
                if time.monotonic() - self._tried_s < PAUSE_S:
                    return False
                self._tried_s = time.monotonic()
                self._sender = self._connect()
            self._sender.write(rgb, time_s, pixel)
            if self._patience_s is not None and self._sender.given == 1:  # what it does not take is not lost so
                self._sender.wait_for_first(self._patience_s)
        except SendError as fault:
            self._lose(fault)
            return False
        if self._gone_s is not None and self._sender.taken:
            _log.warning("%s: back after %.1f s", self._label, time.monotonic() - self._gone_s)
            self._gone_s = None
        return True

    def _lose(self, fault: SendError) -> None:
        self._let_go()
        if advice := _FOR_GOOD.get(fault.kind):
            raise SinkError(f"cannot write {self._label}: {advice}") from None
        if self._gone_s is None:
            self._gone_s = time.monotonic()
            told = text_without_logins(fault.text)
            _log.warning("%s: the stream is not taken (%s); connecting again", self._label, told[:1].lower() + told[1:])

    def _let_go(self) -> None:
        sender, self._sender = self._sender, None
        if sender is not None:
            sender.abandon()
            self.lost += max(sender.given - sender.taken - 1, 0)  # the last one is the caller's

    def close(self) -> None:
        """Send what is held back, and end; safe to call twice.

        Raises:
            SinkError: the server takes no picture, and the source waits for it.
        """
        sender, self._sender = self._sender, None
        if sender is None:
            return
        sender.close()
        self.lost += max(sender.given - sender.taken, 0)
        if self._patience_s is not None and sender.given and not sender.taken:
            raise SinkError(
                f"cannot write {self._label}: nobody took it; check host and port, and that the server runs"
            )

    def abandon(self) -> None:
        """End without sending anything more; raises nothing."""
        self._let_go()
