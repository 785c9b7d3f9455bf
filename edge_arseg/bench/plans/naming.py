"""A record's name, made of what it was taken on."""

import re
from collections.abc import Sequence
from datetime import datetime

from edge_arseg.bench.conditions import Conditions
from edge_arseg.bench.plans.plan import PlannedRun
from edge_arseg.bench.records.bench_record import BoardFacts

LONGEST = 120


def name_of_record(runs: Sequence[PlannedRun], board: BoardFacts, conditions: Conditions, taken: datetime) -> str:
    """Return a name for files: bundles, modes, backends, precision, GOP, loop, board, time.

    A part that has more than three values says how many.
    """
    settings = [run.settings for run in runs]
    parts = [
        _joined([run.choice.bundle.manifest.name for run in runs], "bundles"),
        _joined([one.mode for one in settings], "modes"),
        _joined([one.backend for one in settings], "backends"),
        _joined([one.precision for one in settings], "precisions"),
        "gop" + _joined([str(one.interval) for one in settings], "gops"),
        _joined([one.loop if one.rate is None else f"{one.rate:g}fps" for one in settings], "loops"),
        board.target if board.target not in (None, "cpu", "cuda") else conditions.cpu,
        taken.strftime("%Y%m%dT%H%M%S"),
    ]
    plain = [re.sub(r"[^A-Za-z0-9.+]+", "-", part or "").strip("-.").lower() for part in parts]
    return "_".join(part[:LONGEST] for part in plain if part)[-200:]


def _joined(values: list[str], what: str) -> str:
    values = list(dict.fromkeys(values))
    return "+".join(values) if len(values) <= 3 else f"{len(values)}{what}"
