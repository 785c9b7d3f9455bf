"""A record and its samples, from their files: finished, or cut off by whatever ended the process."""

import io
import json
import math
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from edge_arseg.bench.record_files.writing import frames_journal, samples_file, sensors_journal
from edge_arseg.bench.records.bench_record import REVISION, BenchRecord
from edge_arseg.bench.records.journal import entries_of
from edge_arseg.bench.records.samples import BRANCHES, FRAME_FIELDS, READING_DTYPE, Samples, samples_from_columns
from edge_arseg.bench.summaries.whole import whole_record
from edge_arseg.errors import DataError
from edge_arseg.quantity import counted
from edge_arseg.spec.plain import faults_from_error


def read_record(path: Path) -> BenchRecord:
    """Read a record.

    One that is not finished is worked out from its journals: its ``state`` is ``interrupted``, and everything in it
    is of what was measured.

    Args:
        path: of the JSON.

    Raises:
        DataError: it is missing, no record, of another revision, or its journals cannot be read.
    """
    record = planned_record(path)
    return record if record.state == "finished" else _cut_off(record, path)[0]


def read_samples(path: Path) -> Samples:
    """Read the samples of a record, finished or not.

    Args:
        path: of the JSON; the samples lie beside it.

    Raises:
        DataError: they are missing, damaged, or those of another record.
    """
    record = planned_record(path)
    if record.state != "finished":
        return _cut_off(record, path)[1]
    file = samples_file(path)
    try:
        with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as columns:
            samples = samples_from_columns(columns)
        _refuse_no_samples(samples)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        why = getattr(error, "strerror", None) or error
        raise DataError(
            f"{file}: the samples of {path.name} cannot be read: {why}; copy both files of the record, or measure again"
        ) from error
    _refuse_others(record, samples, path)
    return samples


def _refuse_no_samples(samples: Samples) -> None:
    """Raise ``ValueError`` where a column is missing, of another type, or has times that are none."""
    wanted = {"frames": np.dtype(list(FRAME_FIELDS)), "readings": READING_DTYPE}
    for table, rows in (("frames", samples.frames), ("readings", samples.readings)):
        for name in wanted[table].names or ():
            kind = rows.dtype[name].kind if name in (rows.dtype.names or ()) else "nothing"
            if kind != wanted[table][name].kind:
                raise ValueError(f"column {table}.{name} is missing or of another type")
    for name, times in (("frames.total_ms", samples.frames["total_ms"]), ("frames.start_s", samples.frames["start_s"])):
        if not np.isfinite(times).all():
            raise ValueError(f"column {name} has values that are no numbers")


def _refuse_others(record: BenchRecord, samples: Samples, path: Path) -> None:
    """Refuse samples of another record, as where one of its two files was renamed or copied alone.

    Two records may have as many frames, but their times differ.
    """
    told = [run.latency["all"].frame.count if "all" in run.latency else 0 for run in record.runs]
    seen = np.bincount(samples.frames["run"], minlength=len(told)).tolist()
    if seen != told:
        found, wanted = (" + ".join(map(str, counts)) or "0" for counts in (seen, told))
        raise _of_another(record, path, f"{found} frames seen, expected {wanted}")
    for number, run in enumerate(record.runs):
        for branch, latency in run.latency.items():
            ms = samples.of_run(number, branch if branch in BRANCHES else None)["total_ms"]
            mean = float(ms.mean()) if len(ms) else math.nan
            if len(ms) != latency.frame.count or not math.isclose(mean, latency.frame.mean.value, rel_tol=1e-6):
                kind = "frame" if branch == "all" else f"{branch} frame"
                raise _of_another(
                    record,
                    path,
                    f"{run.name}: {counted(len(ms), kind)} of {mean:.4f} ms on average seen, expected "
                    f"{latency.frame.count} of "
                    f"{latency.frame.mean.value:.4f} ms",
                )


def _of_another(record: BenchRecord, path: Path, difference: str) -> DataError:
    return DataError(
        f"{samples_file(path)}: {difference} as {path.name} has them: these are the samples of another record; copy "
        f"{record.samples or 'its own'} beside it under this name, or measure again"
    )


def planned_record(path: Path) -> BenchRecord:
    """Read the JSON as it is: of a record that is not finished, what was going to be measured.

    Raises:
        DataError: see ``read_record``.
    """
    from pydantic import TypeAdapter, ValidationError

    data = _json(path)
    try:
        return TypeAdapter(BenchRecord).validate_python(data)
    except ValidationError as error:
        faults = "\n".join(f"  {fault}" for fault in faults_from_error(error, "record"))
        raise DataError(f"{path}: {counted(error.error_count(), 'wrong entry')}\n{faults}") from error


def _cut_off(planned: BenchRecord, path: Path) -> tuple[BenchRecord, Samples]:
    try:
        return whole_record(
            planned, entries_of(frames_journal(path)), entries_of(sensors_journal(path)), state="interrupted"
        )
    except (OSError, ValueError, TypeError, KeyError, IndexError) as error:
        raise DataError(f"{path}: its journals cannot be read: {error}; measure again") from error


def _json(path: Path) -> Any:
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}; expected a record of bench -o") from error
    except (ValueError, RecursionError) as error:
        reason = "no text" if isinstance(error, UnicodeDecodeError) else error
        raise DataError(f"{path}: not JSON ({reason}); expected a record of bench -o") from error
    revision = data.get("revision") if isinstance(data, dict) else None
    if revision is None:
        raise DataError(f"{path}: no record of bench; expected a file that `edge-arseg bench -o NAME.json` wrote")
    if revision != REVISION or isinstance(revision, bool):
        raise DataError(f"{path}: revision {revision} seen, expected {REVISION}; measure again: edge-arseg bench -o")
    return data
