"""A record and its samples, from their files: finished, or cut off by whatever ended the process."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from edge_arseg.bench.record_files.writing import frames_journal, samples_file, sensors_journal
from edge_arseg.bench.records.bench_record import REVISION, BenchRecord
from edge_arseg.bench.records.journal import entries_of
from edge_arseg.bench.records.samples import Samples, samples_from_columns
from edge_arseg.bench.summaries.whole import whole_record
from edge_arseg.errors import DataError
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
        with np.load(file, allow_pickle=False) as columns:
            samples = samples_from_columns(columns)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        why = getattr(error, "strerror", None) or error
        raise DataError(
            f"{file}: the samples of {path.name} cannot be read: {why}; copy both files of the record, or measure again"
        ) from error
    _refuse_others(record, samples, path)
    return samples


def _refuse_others(record: BenchRecord, samples: Samples, path: Path) -> None:
    """Refuse samples of another record, as where one of its two files was renamed or copied alone."""
    told = [run.latency["all"].frame.count if "all" in run.latency else 0 for run in record.runs]
    seen = np.bincount(samples.frames["run"], minlength=len(told)).tolist()
    if seen != told:
        found, wanted = (" + ".join(map(str, counts)) or "0" for counts in (seen, told))
        raise DataError(
            f"{samples_file(path)}: {found} frames seen, expected {wanted} as {path.name} has them: these are the "
            f"samples of another record; copy {record.samples or 'its own'} "
            "beside it under this name, or measure again"
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
        raise DataError(f"{path}: {error.error_count()} wrong entries\n{faults}") from error


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
        raise DataError(f"{path}: not JSON ({error}); expected a record of bench -o") from error
    revision = data.get("revision") if isinstance(data, dict) else None
    if revision is None:
        raise DataError(f"{path}: no record of bench; expected a file that `edge-arseg bench -o NAME.json` wrote")
    if revision != REVISION or isinstance(revision, bool):
        raise DataError(f"{path}: revision {revision} seen, expected {REVISION}; measure again: edge-arseg bench -o")
    return data
