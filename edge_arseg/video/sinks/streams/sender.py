"""A process that sends a stream to an address, and the encoder that feeds it."""

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from edge_arseg.video.pixel_shape import SQUARE
from edge_arseg.video.sinks.movies.encoder import Encoder
from edge_arseg.video.sinks.streams.address import Address

_PROGRAM = Path(__file__).with_name("sender_process.py")
_CLOSE_S = 3.0
_FEED = {"flush_packets": "1"}


class SendError(Exception):
    """The sender ended.

    Attributes:
        kind: name of FFmpeg's error; empty where it said nothing.
        text: what it said.
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind, self.text = kind, text


class Sender:
    """Encodes pictures and hands them to a process of its own, which connects and sends; see ``sender_process``.

    Args:
        address: what is sent to.
        shape: rows and columns of the pictures.
        rate: frames per second, as a hint for the encoder.

    Attributes:
        given: pictures.
        taken: of these, what the server took.
    """

    def __init__(self, address: Address, shape: tuple[int, int], rate: float) -> None:
        self.given = self.taken = 0
        self._moved_s, self._killed = time.monotonic(), False
        # A session of its own: Ctrl-C ends the run, which then closes the stream in order.
        self._process = subprocess.Popen(
            [sys.executable, str(_PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)
        order = {"url": address.url, "container": address.container, "options": address.options}
        try:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._encoder = Encoder(
                self._process.stdin, shape, rate, container="nut", container_options=_FEED, live=True
            )
        except BaseException:
            self._end()
            raise

    @property
    def silent_s(self) -> float:
        """Seconds since the server took a picture, while there are some to take."""
        if self._count() or self.taken >= self.given or self._killed:
            self._moved_s = time.monotonic()
        return time.monotonic() - self._moved_s

    def write(self, rgb: NDArray[np.uint8], time_s: float, pixel: Fraction = SQUARE) -> None:
        """Send one picture; see ``Encoder``.

        Raises:
            SendError: the process ended.
        """
        self.given += 1
        if self._process.poll() is not None:
            raise self._fault()
        try:
            self._encoder.write(rgb, time_s, pixel)
        except (OSError, ValueError, av.error.FFmpegError):
            raise self._fault() from None
        self._count()

    def wait_for_first(self, patience_s: float) -> None:
        """Wait until the server has taken a picture, or the time is up.

        Raises:
            SendError: the process ended.
        """
        start = time.monotonic()
        while not self.taken and time.monotonic() - start < patience_s:
            if self._process.poll() is not None:
                raise self._fault()
            time.sleep(0.01)
            self._count()

    def kill(self) -> None:
        """End the process at once; a ``write`` that waits fails."""
        self._killed = True
        self._process.kill()

    def close(self) -> None:
        """Send what is held back, and end; what is not taken in time is lost."""
        with suppress(OSError, ValueError, av.error.FFmpegError):
            self._encoder.close()
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_CLOSE_S)
        self._count()
        self._end()

    def abandon(self) -> None:
        """End without sending anything more; raises nothing."""
        self.kill()
        with suppress(OSError, ValueError, av.error.FFmpegError):
            self._encoder.abandon()
        self._end()

    def _count(self) -> int:
        assert self._process.stdout is not None
        moved = 0
        with suppress(OSError, ValueError):
            while dots := self._process.stdout.read(4096):
                moved += len(dots)
        self.taken += moved
        return moved

    def _fault(self) -> SendError:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_CLOSE_S)
        self._process.kill()
        self._count()
        assert self._process.stderr is not None
        for line in self._process.stderr.read().decode(errors="replace").splitlines():
            with suppress(ValueError):
                kind, text = json.loads(line)
                return SendError(kind, text)
        return SendError("", "it was ended")

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()
