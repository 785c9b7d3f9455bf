"""What is kept of each frame, on its way to the journal."""

import time

import numpy as np

from edge_arseg.bench.loops.timed import Timed
from edge_arseg.bench.records.journal import Journal
from edge_arseg.bench.records.samples import BRANCHES, CPU, END, STAGE, frame_dtype

FLUSH_S = 0.5


class FrameTable:
    """Gathers frames, and appends them every half second.

    Args:
        journal: of the record.
        zero: ``time.monotonic()`` when the record's clock was at 0.
        deadline_ms: of an open loop.
    """

    def __init__(self, journal: Journal, zero: float, deadline_ms: float | None) -> None:
        self._journal, self._zero, self._deadline_ms = journal, zero, deadline_ms
        self._rows: list[tuple[Timed, tuple[int, int, int], dict[str, float], dict[str, float], int, int]] = []
        self._flushed = time.monotonic()

    def add(self, run: int, turn: int, gop: int, timed: Timed) -> None:
        """Keep a frame; nothing of its arrays."""
        result = timed.result
        place = run, turn, gop
        stages, beside = dict(result.stages_ms), dict(result.frame.cpu_ms)
        self._rows.append((timed, place, stages, beside, BRANCHES.index(result.branch.value), result.distance))
        if time.monotonic() - self._flushed >= FLUSH_S:
            self.flush()

    def flush(self) -> None:
        """Append what there is."""
        self._flushed = time.monotonic()
        if not self._rows:
            return
        stages = tuple(dict.fromkeys(name for row in self._rows for name in row[2]))
        beside = tuple(dict.fromkeys(name for row in self._rows for name in row[3]))
        table = np.zeros(len(self._rows), frame_dtype(stages, beside))
        for row, (timed, place, own_stages, own_beside, branch, distance) in zip(table, self._rows, strict=True):
            row["run"], row["turn"], row["gop"] = place
            row["index"], row["branch"], row["distance"] = timed.index, branch, min(distance, 65535)
            row["start_s"], row["total_ms"] = timed.start_s - self._zero, timed.total_ms
            row["age_ms"], row["dropped"] = timed.age_ms, min(timed.dropped, 65535)
            row["missed"] = self._deadline_ms is not None and timed.age_ms > self._deadline_ms
            for prefix, names, values in ((STAGE, stages, own_stages), (CPU, beside, own_beside)):
                for name in names:
                    row[f"{prefix}{name}{END}"] = values.get(name, np.nan)
        self._journal.add(table)
        self._rows = []
