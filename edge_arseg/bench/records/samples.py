"""Every sample of a record, in columns: what ``NAME.npz`` holds.

An ``.npz`` because numpy is all that a board has and all that a reader needs: each column is an array of its own,
``frames.total_ms``, ``readings.value`` and so on. ``Samples`` gives them back as tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BRANCHES = ("hr", "lr")
"""What ``frames["branch"]`` counts."""

FRAME_FIELDS = (
    ("run", "<u2"),  # index in BenchRecord.runs
    ("turn", "<u4"),  # Turn.number
    ("gop", "<u4"),  # counts the keyframes of the run from 0, over all its turns: the block that is resampled
    ("index", "<u4"),  # of the frame in the source, counted on where the source is read again
    ("branch", "u1"),  # index in BRANCHES
    ("distance", "<u2"),  # frames since the keyframe
    ("start_s", "<f8"),  # when the frame was asked for, on the record's clock
    ("total_ms", "<f8"),  # from then to its class map
    ("age_ms", "<f8"),  # from the moment the camera had it to its class map; nan in a closed loop
    ("missed", "?"),  # older than the deadline
    ("dropped", "<u2"),  # frames passed over just before this one
)
"""Columns of ``frames``; behind them one ``stage_NAME_ms`` (wall clock) for each stage and one ``cpu_NAME_ms`` (CPU)
for ``read`` and ``recode``, ``<f8``, nan where it did not run."""

READING_DTYPE = np.dtype([("time_s", "<f8"), ("channel", "<u2"), ("value", "<f8")])
"""One reading of one channel (index in ``BenchRecord.channels``), on the record's clock; ``value`` is nan where the
sensor gave nothing, or nothing that can be."""

STAGE, CPU, END = "stage_", "cpu_", "_ms"


@dataclass(frozen=True, slots=True)
class Samples:
    """The samples of a record.

    Attributes:
        frames: ``[N]``, a structured array of ``FRAME_FIELDS`` and the stages, in the order they were measured.
        readings: ``[M]`` of ``READING_DTYPE``, in order of time.
    """

    frames: NDArray[np.void]
    readings: NDArray[np.void]

    def of_run(self, run: int, branch: str | None = None) -> NDArray[np.void]:
        """Return the frames of a run, all or those of a branch."""
        wanted = self.frames["run"] == run
        if branch is not None:
            wanted &= self.frames["branch"] == BRANCHES.index(branch)
        return self.frames[wanted]

    def of_channel(self, channel: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return times (s) and values of a channel; values are nan where it gave nothing."""
        rows = self.readings[self.readings["channel"] == channel]
        return rows["time_s"], rows["value"]


def stage_names(frames: NDArray[np.void]) -> tuple[str, ...]:
    """Return the stages that frames have columns for."""
    return _inner(frames, STAGE)


def cpu_names(frames: NDArray[np.void]) -> tuple[str, ...]:
    """Return what runs beside the engines and has a column of its CPU time."""
    return _inner(frames, CPU)


def frame_dtype(stages: tuple[str, ...], beside: tuple[str, ...]) -> np.dtype[np.void]:
    """Return the type of a table of frames with these stages, and these things that run beside them."""
    columns = [f"{STAGE}{name}{END}" for name in stages] + [f"{CPU}{name}{END}" for name in beside]
    return np.dtype([*FRAME_FIELDS, *((column, "<f8") for column in columns)])


def joined(tables: list[NDArray[np.void]], dtype: np.dtype[np.void]) -> NDArray[np.void]:
    """Return tables as one, with the columns of ``dtype`` and of all; a column that a table lacks is nan there."""
    fields = {name: dtype[name] for name in dtype.names or ()}
    for table in tables:
        fields.update({name: table.dtype[name] for name in table.dtype.names or () if name not in fields})
    whole = np.zeros(sum(map(len, tables)), np.dtype(list(fields.items())))
    done = 0
    for table in tables:
        part = whole[done : done + len(table)]
        for name, kind in fields.items():
            part[name] = table[name] if name in (table.dtype.names or ()) else np.full((), np.nan, kind)
        done += len(table)
    return whole


def columns_from_samples(samples: Samples) -> dict[str, NDArray[Any]]:
    """Return the arrays of the file by name."""
    return {
        f"{table}.{name}": rows[name]
        for table, rows in (("frames", samples.frames), ("readings", samples.readings))
        for name in rows.dtype.names or ()
    }


def samples_from_columns(columns: Mapping[str, NDArray[Any]]) -> Samples:
    """Return the samples of arrays by name."""
    return Samples(_table(columns, "frames."), _table(columns, "readings."))


def _table(columns: Mapping[str, NDArray[Any]], prefix: str) -> NDArray[np.void]:
    own = {name.removeprefix(prefix): columns[name] for name in columns if name.startswith(prefix)}
    table = np.zeros(len(next(iter(own.values()), ())), np.dtype([(name, array.dtype) for name, array in own.items()]))
    for name, array in own.items():
        table[name] = array
    return table


def _inner(frames: NDArray[np.void], prefix: str) -> tuple[str, ...]:
    names = frames.dtype.names or ()
    return tuple(name[len(prefix) : -len(END)] for name in names if name.startswith(prefix) and name.endswith(END))
