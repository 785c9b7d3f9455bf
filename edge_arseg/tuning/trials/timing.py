"""Times of a setting, turn by turn, so that they can be looked at between two turns."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_arseg.bench.loops.frame_table import FrameTable
from edge_arseg.bench.loops.run_loop import RunLoop, Stretch
from edge_arseg.bench.loops.steadiness import WarmUpLimit
from edge_arseg.bench.plans.plan import PlannedRun
from edge_arseg.bench.record_files.writing import end_record, frames_journal, sensors_journal
from edge_arseg.bench.records.accuracy import Accuracy
from edge_arseg.bench.records.bench_record import BenchRecord
from edge_arseg.bench.records.journal import Journal, entries_of
from edge_arseg.bench.records.samples import BRANCHES, frame_dtype, joined
from edge_arseg.bench.records.summary import Estimate
from edge_arseg.bench.sampling.sampling import Sampling
from edge_arseg.bench.summaries.latency import weighted_mean
from edge_arseg.bench.summaries.resampling import Blocks, estimate
from edge_arseg.bench.summaries.whole import energy_of_run
from edge_arseg.errors import EnvironmentUnfitError

WARM_UP_S, WARM_UP_FRAMES = 5.0, 16


class NoSensorError(EnvironmentUnfitError):
    """No sensor measures the energy that a limit is set for: no setting can hold it."""


@dataclass(frozen=True, slots=True)
class Times:
    """What a setting came to until now.

    Attributes:
        mean_ms: of a frame, mean over a GOP.
        slow_ms: median of the frames of the slower branch.
        j_per_frame: ``None``: not measured.
        branches: mean time of each branch, and its frames; ``nan`` and 0 where it had none.
    """

    mean_ms: Estimate
    slow_ms: float
    j_per_frame: float | None
    branches: dict[str, tuple[float, int]]


class Timing:
    """A setting that is timed, into the record of its trial; a context manager, which closes the engines.

    Args:
        planned: what is run.
        record: as it was planned and written.
        path: of the record.
        energy: energy has to be measured.

    Raises:
        NoSensorError: it cannot be.
        ArsegError: see ``RunLoop``.
    """

    def __init__(self, planned: PlannedRun, record: BenchRecord, path: Path, *, energy: bool) -> None:
        self._planned, self._record, self._path = planned, record, path
        self._zero, self._turn, self._with_energy = time.monotonic(), 0, energy
        with ExitStack() as stack:
            if energy:
                sampling = stack.enter_context(Sampling(sensors_journal(path), zero=self._zero))
                if sampling.total is None:
                    raise NoSensorError(
                        f"no sensor of power here ({'; '.join(sampling.seen) or 'no sensor at all'}); expected one for "
                        "--max-j-per-frame; leave it out, or tune on the board"
                    )
            self._journal = stack.enter_context(Journal(frames_journal(path)))
            self._loop = stack.enter_context(closing(RunLoop(planned, 0)))
            self._opened = stack.pop_all()

    def warm_up(self) -> None:
        """Run until times are steady, or for sixteen frames.

        Raises:
            SourceError: the source cannot be read.
        """
        warm_up = self._loop.warm_up(WarmUpLimit(WARM_UP_S, WARM_UP_FRAMES), lambda _: None)
        self._journal.say(
            run=0, label=self._loop.label, motion_used=self._loop.motion_used, warm_up=asdict(warm_up), opened_mb=None
        )

    def turn(self, frames: int) -> Times:
        """Time so many frames more; return what all of them came to.

        Raises:
            SourceError: the source cannot be read.
        """
        table = FrameTable(self._journal, self._zero, None)
        self._loop.turn(self._turn, Stretch(None, frames), table, lambda _: None)
        self._turn += 1
        return self._times()

    def end(self, accuracy: Accuracy) -> BenchRecord:
        """Close the engines, and write the record."""
        self._journal.say(run=0, motion_used=self._loop.motion_used, finished=True, accuracy=asdict(accuracy))
        self.close()
        whole, _ = end_record(self._record, self._path, state="finished")
        return whole

    def _times(self) -> Times:
        told = entries_of(frames_journal(self._path))
        frames = joined([entry for entry in told if isinstance(entry, np.ndarray)], frame_dtype((), ()))
        total, branches, interval = frames["total_ms"], frames["branch"], self._planned.settings.interval

        def weighted(draw: NDArray[np.intp]) -> NDArray[np.float64]:
            return np.array([weighted_mean(total[draw], branches[draw], interval)])

        mean = estimate(weighted_mean(total, branches, interval), Blocks(frames["gop"]).intervals(weighted))
        slow = max(float(np.median(total[branches == branch])) for branch in np.unique(branches))
        each = {name: total[branches == number] for number, name in enumerate(BRANCHES)}
        means = {name: (float(own.mean()) if len(own) else float("nan"), len(own)) for name, own in each.items()}
        return Times(mean, slow, self._energy(), means)

    def _energy(self) -> float | None:
        """Joules of a frame, as the whole record has them."""
        if not self._with_energy:
            return None
        told = entries_of(frames_journal(self._path)), entries_of(sensors_journal(self._path))
        energy = energy_of_run(self._record.runs[0], *told)
        return None if energy is None else energy.j_per_frame.value

    def close(self) -> None:
        """Close the engines; calling it twice is allowed."""
        self._opened.close()

    def __enter__(self) -> "Timing":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def entries_of_run(path: Path, number: int, after_s: float) -> tuple[list[Any], list[Any], float]:
    """Return what the record of a trial holds, as the entries of journals of a record of many trials.

    Args:
        path: of the record, finished.
        number: of the run in the record of many.
        after_s: where its clock begins on that record's.

    Returns:
        Entries of frames and of readings, and where its clock ends.
    """
    from edge_arseg.bench.record_files.reading import read_record, read_samples

    record, samples = read_record(path), read_samples(path)
    run = record.runs[0]
    told = {
        "run": number,
        "label": run.label,
        "motion_used": run.motion_used,
        "warm_up": None if run.warm_up is None else asdict(run.warm_up),
        "opened_mb": run.memory.opened_mb,
        "accuracy": None if run.accuracy is None else asdict(run.accuracy),
        "finished": True,
    }
    frames = samples.frames.copy()
    frames["run"], frames["start_s"] = number, frames["start_s"] + after_s
    frames["turn"] += 1000 * number
    readings = samples.readings.copy()
    readings["time_s"] += after_s
    channels = {
        "channels": [asdict(one) for one in record.channels],
        "total": record.energy.text if record.energy.measured else None,
        "seen": [],
    }
    ends = [*frames["start_s"][-1:], *readings["time_s"][-1:], after_s]
    return [{k: v for k, v in told.items() if v is not None}, frames], [channels, readings], float(np.max(ends)) + 1.0


def journal_of(path: Path, entries: Iterator[Any] | list[Any]) -> None:
    """Write entries to a journal."""
    with Journal(path) as journal:
        for entry in entries:
            if isinstance(entry, np.ndarray):
                journal.add(entry)
            else:
                journal.say(**entry)
