"""Keeps what a live source sends, without holding it up."""

import json
import logging
import threading
from base64 import b64encode
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from edge_arseg.storage.url import text_without_logins
from edge_arseg.video.sinks.base import sink_errors
from edge_arseg.video.sinks.output import Output
from edge_arseg.video.tape import records
from edge_arseg.video.tape.records import record

_log = logging.getLogger(__name__)

_MOST_WAITING = 64 << 20
"""Bytes that wait for the disk at most; what is slower than the source for so long ends the recording."""


class TapeWriter:
    """Appends to a new file, in a thread. The file gets its name with the first record, and holds no login.

    A disk that is full or too slow ends the recording with a warning; the run continues.

    Args:
        path: the file, see ``NewFile``.
        label: of the source, without a login.
        force: a file that is there may be replaced.

    Raises:
        SinkError: the file is there already, or cannot be made.
    """

    def __init__(self, path: Path, label: str, *, force: bool = False) -> None:
        self._path, self._label = path, label
        with sink_errors(str(path)):
            self._output = Output(str(path), path, force=force)
        self._records: SimpleQueue[bytes | None] = SimpleQueue()
        self._waiting, self._lock = 0, threading.Lock()
        self._ended = False
        self._thread = threading.Thread(target=self._write, name=f"recorder of {label}", daemon=True)
        self._thread.start()
        self._put(records.first_line())

    def connection(self, stream: Any, context: Any, *, facts: dict[str, Any]) -> None:
        """A stream was opened.

        Args:
            stream, context: as PyAV gives them.
            facts: what was found out about it; JSON.
        """
        rate = stream.average_rate
        opened = {
            "source": self._label,
            "codec": context.name,
            "tag": context.codec_tag if context.name == "rawvideo" else None,
            "extradata": b64encode(context.extradata or b"").decode(),
            "width": context.width,
            "height": context.height,
            "pix_fmt": context.pix_fmt,
            "rate": None if rate is None else float(rate),
            **facts,
        }
        self._put(record(b"C", json.dumps(opened).encode()))

    def packet(self, packet: Any, arrived_s: float, *, after_empty: bool = False) -> None:
        """A packet came, at ``arrived_s`` of ``time.monotonic``."""
        extra = bytes(packet.get_sidedata("new_extradata")) if packet.has_sidedata("new_extradata") else b""
        base = packet.time_base
        flags = records.KEY * packet.is_keyframe + records.CORRUPT * packet.is_corrupt
        flags += records.DISPOSABLE * packet.is_disposable + records.AFTER_EMPTY * after_empty
        head = records.PACKET.pack(
            arrived_s,
            records.NONE if packet.pts is None else packet.pts,
            records.NONE if packet.dts is None else packet.dts,
            packet.duration or 0,
            base.numerator if base else 0,
            base.denominator if base else 1,
            flags,
            len(extra),
        )
        self._put(record(b"P", head + extra + bytes(packet)))

    def taken(self, index: int) -> None:
        """The frame with this index is segmented."""
        self._put(record(b"T", records.TAKEN.pack(index)))

    def end(self, fault: str) -> None:
        """The stream ended, or broke."""
        self._put(record(b"E", json.dumps({"fault": text_without_logins(fault)}).encode()))

    def close(self) -> None:
        """Write what waits; safe to call twice."""
        if self._thread.is_alive():
            self._records.put(None)
            self._thread.join()
        with sink_errors(str(self._path)):
            self._output.close()

    def __enter__(self) -> "TapeWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _put(self, data: bytes) -> None:
        with self._lock:
            if self._ended:
                return
            if self._waiting + len(data) > _MOST_WAITING:
                self._stop("the disk is slower than the source")
                return
            self._waiting += len(data)
        self._records.put(data)

    def _stop(self, why: str) -> None:
        self._ended = True
        _log.warning("%s: the recording ends here: %s; the run continues", self._path, why)

    def _write(self) -> None:
        while (data := self._records.get()) is not None:
            try:
                if not self._ended or self._waiting:
                    self._output.write(data)
            except OSError as fault:
                with self._lock:
                    if not self._ended:
                        self._stop(fault.strerror or str(fault))
                return
            with self._lock:
                self._waiting -= len(data)
