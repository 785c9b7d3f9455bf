"""What is asked of a live source: how late a frame may be, and how long to wait for one."""

import math
from dataclasses import dataclass

from edge_arseg.arguments import is_number, refusal_of
from edge_arseg.errors import OptionError

AUTO, TCP, UDP = "auto", "tcp", "udp"
RTSP_TRANSPORTS = (AUTO, TCP, UDP)
"""What an RTSP server sends over."""

SKIP, FORCE_HR, BLOCK = "skip", "force-hr", "block"
ON_LATE = (SKIP, FORCE_HR, BLOCK)
"""What happens to frames that nobody was ready for."""


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """How a source that does not wait is read. Files read at their own speed have no use for any of it.

    Attributes:
        on_late: ``skip``: frames that nobody was ready for are dropped, their motion counts. ``force-hr``: the same,
            and the frame behind them becomes a keyframe (``KeyAfterDrops``). ``block``: none is dropped; the source
            waits, or drops what it sends itself.
        max_age_ms: a frame that arrived longer ago than this, milliseconds, is dropped too; ``None``: none is too old.
        realtime: a file's frames come at the file's own rate, as from a camera.
        wait: for a source that is not there yet, and for one that is lost, without an end.
        timeout_s: seconds without a frame after which the source is given up; ``None``: 30, or no end with ``wait``.
        rtsp_transport: what an RTSP server sends over: ``tcp``, ``udp``, or ``auto``: TCP where it has that, else UDP.
        low_latency: take each packet of an MPEG-TS stream for one picture, one frame period sooner than it can be known
            to be whole. Other sources are read as without it, and a line says so.

    Raises:
        OptionError: a value is out of range.
    """

    on_late: str = SKIP
    max_age_ms: float | None = None
    realtime: bool = False
    wait: bool = False
    timeout_s: float | None = None
    rtsp_transport: str = AUTO
    low_latency: bool = False

    def __post_init__(self) -> None:
        for name, word, words in (
            ("on_late", self.on_late, ON_LATE),
            ("rtsp_transport", self.rtsp_transport, RTSP_TRANSPORTS),
        ):
            if not isinstance(word, str) or word not in words:
                raise refusal_of(name, word, f"one of {', '.join(words)}")
        for name, value, unit in (
            ("a greatest age", self.max_age_ms, "milliseconds"),
            ("a timeout", self.timeout_s, "seconds"),
        ):
            if value is not None and not (is_number(value) and value > 0):
                raise refusal_of(f"{name} of", value, f"{unit}, more than 0")
        if self.on_late == BLOCK and self.max_age_ms is not None:
            raise OptionError(
                "--on-late block drops no frame, --max-age (max_age_ms) drops old ones; expected one of them"
            )

    def patience_s(self, usual: float) -> float:
        """Seconds without a frame after which a source is given up.

        Args:
            usual: where nothing is asked for.
        """
        if self.timeout_s is not None:
            return self.timeout_s
        return math.inf if self.wait else usual


AS_EVER = LiveOptions()
