"""Measurement records: values with the conditions they were taken under, as JSON files."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from edge_arseg.bench.conditions import Conditions, conditions_now
from edge_arseg.bench.speed import Speed, speed_of_bundle
from edge_arseg.errors import SinkError
from edge_arseg.runtime.choice.engine_choice import Choosable, settled
from edge_arseg.runtime.engines.contract import DEFAULT_ENGINES, EngineOptions
from edge_arseg.runtime.mode import Mode
from edge_arseg.spec.progress import Announce, no_announcement
from edge_arseg.storage.files import write_whole
from edge_arseg.video.uri import source_from_uri

REVISION = 1
"""Revision 1 (2026): ``revision``, ``name``, ``taken``, ``conditions``, ``settings``, ``values``."""


@dataclass(frozen=True, slots=True)
class Record:
    """One measurement.

    Attributes:
        revision: of the format.
        name: what was measured.
        taken: when, UTC, ISO 8601.
        conditions: machine, versions and load.
        settings: everything that was chosen: sizes, threads, repetitions.
        values: what came out; names end in their unit.
    """

    revision: int
    name: str
    taken: str
    conditions: Conditions
    settings: dict[str, Any]
    values: dict[str, Any]


def record_now(name: str, *, settings: dict[str, Any], values: dict[str, Any]) -> Record:
    """Make a record of values taken just now by this process."""
    taken = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return Record(REVISION, name, taken, conditions_now(), settings, values)


def record_from_bundle(
    bundle: Choosable,
    source: str,
    *,
    modes: Sequence[Mode] | None = None,
    frames: int = 120,
    engines: EngineOptions = DEFAULT_ENGINES,
    motion: str = "auto",
    recode_scale: float = 1.0,
    stream: int | None = None,
    progress: Announce = no_announcement,
) -> tuple[Record, Speed]:
    """Measure how fast a bundle runs a source; arguments and errors are those of ``speed_of_bundle``.

    Returns:
        The record, with all that was chosen, and the speed that it holds as values.
    """
    choice, chosen = settled(bundle, modes or (), (Mode.AR, Mode.HR), engines)
    speed = speed_of_bundle(
        choice,
        source,
        modes=chosen,
        frames=frames,
        motion=motion,
        recode_scale=recode_scale,
        stream=stream,
        progress=progress,
    )
    settings = {
        "bundle": choice.bundle.manifest.name,
        "bundle_digest": choice.bundle.digest,
        "source": source_from_uri(source).name,
        "frames": frames,
        "motion": motion,
        "recode_scale": recode_scale,
        "stream": stream,
        **asdict(choice.options),
        "chosen": choice.how,
        "agreement": choice.agreement,
    }
    return record_now("speed", settings=settings, values={**asdict(speed), "verdict": speed.verdict}), speed


def write_record(record: Record, path: Path) -> Path:
    """Write a record as JSON, whole or not at all; a device or pipe is written to as it is.

    Raises:
        SinkError: it cannot be written.
    """
    try:
        return write_whole(path, (json.dumps(asdict(record), indent=2) + "\n").encode())
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error.strerror or error}; choose another place with -o") from error
