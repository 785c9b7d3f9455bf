"""A record while it is measured, and how it becomes a finished one."""

import io
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from glob import escape
from pathlib import Path
from typing import Any

import numpy as np

from edge_arseg.bench.records.bench_record import BenchRecord
from edge_arseg.bench.records.journal import entries_of
from edge_arseg.bench.records.samples import Samples, columns_from_samples
from edge_arseg.bench.summaries.whole import whole_record
from edge_arseg.errors import SinkError
from edge_arseg.storage.fault import advice_on
from edge_arseg.storage.files.identity import is_special
from edge_arseg.storage.files.lock import Lock, is_running, lock_on
from edge_arseg.storage.files.output import check_output
from edge_arseg.storage.files.whole import write_whole

FRAMES, SENSORS = ".frames.part", ".sensors.part"
_OLD = ".old-"
"""In the hidden name of an old record's file, before the number of the process that replaces it."""


def frames_journal(record: Path) -> Path:
    """Return where the frames of a record are appended to while it is measured."""
    return record.parent / f"{record.stem}{FRAMES}"


def sensors_journal(record: Path) -> Path:
    """Return where readings are appended to."""
    return record.parent / f"{record.stem}{SENSORS}"


def samples_file(record: Path) -> Path:
    """Return where the samples of a finished record are."""
    return record.parent / f"{record.stem}.npz"


def check_record(record: Path, *, force: bool, inputs: Iterable[str | os.PathLike[str]]) -> None:
    """Refuse a record that would overwrite something; its samples and journals too.

    What a killed process left of it is tidied up first.

    Args:
        record: a name that ends in ``.json``, a folder, or a device or pipe, which gets the JSON alone.
        force: the user allowed it to be replaced.
        inputs: see ``check_inputs``.

    Raises:
        SinkError: see ``check_output``; or the name does not end in ``.json``.
    """
    inputs = tuple(inputs)
    check_output(record, force=True, inputs=inputs)
    if is_special(record) or record.is_dir():
        return
    if record.suffix != ".json":
        raise SinkError(
            f"cannot write {record}: expected a name that ends in .json, its samples lie beside it, or a folder "
            "that is there"
        )
    recover(record)
    for path in files_of(record):
        check_output(path, force=force, inputs=inputs)


def files_of(record: Path) -> tuple[Path, ...]:
    """Return every file that a record has, at one time or another."""
    return record, samples_file(record), frames_journal(record), sensors_journal(record)


def begin_record(planned: BenchRecord, record: Path) -> dict[Path, Path]:
    """Write what is going to be measured; what lay there before is set aside.

    Returns:
        Where the old files are now, by their names.

    Raises:
        SinkError: it cannot be written.
    """
    aside: dict[Path, Path] = {}
    try:
        for path in files_of(record):
            if path.exists():
                aside[path] = path.with_name(f".{path.name}{_OLD}{os.getpid()}")
                path.replace(aside[path])
        write_json(planned, record)
    except OSError as error:
        put_back(record, aside)
        raise _refusal(record, error) from error
    return aside


def lock_record(record: Path) -> Lock:
    """Take a record for this process, until the lock is released: ``check_record`` of others refuses it meanwhile.

    Raises:
        SinkError: another process measures into it, or it cannot be written.
    """
    journal = frames_journal(record)
    try:
        journal.touch()
        lock = lock_on(journal)
    except OSError as error:
        raise _refusal(record, error) from error
    if lock is None:
        raise SinkError(f"cannot write {record}: a running process writes to it; choose another name")
    return lock


def recover(record: Path) -> None:
    """Tidy up after a process that was killed while it replaced a record.

    Before its first frame the old record comes back. After it the old record goes.

    Raises:
        SinkError: it cannot be written.
    """
    aside = {}
    for path in files_of(record):
        for hidden in path.parent.glob(f"{escape('.' + path.name + _OLD)}*"):
            process = hidden.name.rpartition("-")[2]
            if process.isdigit() and not is_running(int(process)):
                aside[path] = hidden
    if not aside:
        return
    try:
        if any_frames(record):
            forget(aside)
        else:
            put_back(record, aside)
    except OSError as error:
        raise _refusal(record, error) from error


def any_frames(record: Path) -> bool:
    """Whether a record that is not finished holds a frame.

    Raises:
        OSError: its journal cannot be read.
    """
    return any(isinstance(entry, np.ndarray) for entry in entries_of(frames_journal(record)))


def put_back(record: Path, aside: Mapping[Path, Path]) -> None:
    """Leave nothing of a record that holds nothing, and put the old one back."""
    with suppress(OSError):
        for path in files_of(record):
            path.unlink(missing_ok=True)
        for path, hidden in aside.items():
            hidden.replace(path)


def forget(aside: Mapping[Path, Path]) -> None:
    """Delete an old record, whose place was taken by a new one."""
    for hidden in aside.values():
        with suppress(OSError):
            hidden.unlink(missing_ok=True)


def end_record(
    planned: BenchRecord, record: Path, *, state: str, extra: Samples | None = None
) -> tuple[BenchRecord, Samples]:
    """Work out a record from its journals, write it with its samples; a finished one needs its journals no more.

    An interrupted one keeps them: ``bench --resume`` continues it.

    Raises:
        SinkError: it cannot be written.
    """
    frames, sensors = frames_journal(record), sensors_journal(record)
    try:
        whole, samples = whole_record(planned, entries_of(frames), entries_of(sensors), state=state, extra=extra)
        if state == "finished":
            data = io.BytesIO()
            np.savez_compressed(data, **columns_from_samples(samples))  # type: ignore[arg-type]
            write_whole(samples_file(record), data.getvalue(), sync=True)
            write_json(whole, record)
            frames.unlink(missing_ok=True)
            sensors.unlink(missing_ok=True)
    except OSError as error:
        raise _refusal(record, error) from error
    return whole, samples


def write_json(record: BenchRecord, path: Path) -> Path:
    """Write a record, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    return write_whole(path, (json.dumps(plain(asdict(record)), indent=1) + "\n").encode(), sync=True)


def write_special(record: BenchRecord, path: Path) -> None:
    """Write the JSON of a record to a device or pipe.

    Raises:
        SinkError: it cannot be written.
        BrokenPipeError: the reader of the pipe has gone.
    """
    try:
        write_json(record, path)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _refusal(path, error) from error


def plain(value: Any) -> Any:
    """Return a value as JSON has it: what is no finite number becomes null."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value


def _refusal(record: Path, error: OSError) -> SinkError:
    return SinkError(f"cannot write {record}: {advice_on(error, record, option='-o')}")
