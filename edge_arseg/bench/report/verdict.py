"""The verdict of a record in one sentence: the run to choose, and what HR-only would give."""

from collections.abc import Sequence

from edge_arseg.bench.records.bench_record import BenchRecord
from edge_arseg.bench.report.rows import Row
from edge_arseg.quantity import counted

WORTH = 1.0
"""Points of mIoU that a faster run may lie below the best and still be the one to name."""


def verdict_of(record: BenchRecord, rows: Sequence[Row]) -> str:
    """Return the sentence.

    Named is the fastest AR run within a point of mIoU of the best one; without labels the fastest. Where AR is not
    faster than HR-only under the same settings, that is said first.

    Args:
        record: that the rows are of.
        rows: of all its runs.
    """
    place = f"On this {_place(record)}"
    chosen = chosen_row(rows)
    if chosen is None:
        return f"{place} nothing was measured that a verdict could stand on."
    single = _partner(chosen, rows)
    text = f"{_called(chosen)} gives {_numbers(chosen)}"
    if chosen.mode != "ar" or single is None:
        return f"{place} {text}."
    assert chosen.mean_ms is not None
    assert single.mean_ms is not None
    other = f"HR-only would give {_short(single)}"
    if record.no_verdict:
        return f"{place} {text}; {other}. No verdict: {record.no_verdict}."
    if single.mean_ms < 1.05 * chosen.mean_ms:
        return f"AR does not pay on this {_place(record)}: {text}; {other}."
    return f"{place} {text}; {other}."


def chosen_row(rows: Sequence[Row]) -> Row | None:
    """Return the row that a verdict names, or ``None`` where nothing was measured."""
    measured = [row for row in rows if row.mean_ms is not None]
    closed = [row for row in measured if row.loop == "closed"] or measured
    rows = [row for row in closed if row.mode == "ar"] or closed
    scored = [row for row in rows if row.miou is not None]
    if scored:
        best = max(row.miou or 0.0 for row in scored)
        rows = [row for row in scored if (row.miou or 0.0) >= best - WORTH]
    return min(rows, key=lambda row: row.mean_ms or float("inf"), default=None)


def _partner(chosen: Row, rows: Sequence[Row]) -> Row | None:
    """Return the HR-only run of the same bundle and settings, if it was measured."""
    wanted = (chosen.record, chosen.digest, chosen.precision, chosen.backend, chosen.threads, chosen.loop)
    for row in rows:
        same = (row.record, row.digest, row.precision, row.backend, row.threads, row.loop)
        if row.mode == "hr" and same == wanted and row.mean_ms is not None:
            return row
    return None


def _called(row: Row) -> str:
    mode = {"ar": "AR", "hr": "HR-only", "lr": "LR-only"}[row.mode]
    gop = f" at GOP {row.interval}" if row.mode == "ar" else ""
    return f"{mode} {row.precision} on {row.backend}{gop}"


def _numbers(row: Row) -> str:
    parts = [_short(row)]
    if row.p50_ms is not None:
        parts.append(f"{row.p50_ms:.1f} ms p50")
    if row.p99_ms is not None:
        parts.append(f"{row.p99_ms:.1f} ms p99")
    elif row.max_ms is not None:
        parts.append(f"{row.max_ms:.1f} ms at worst (n={row.frames})")
    parts.append("energy not measured" if row.j_per_frame is None else f"{row.j_per_frame:.3g} J a frame")
    return ", ".join(parts)


def _short(row: Row) -> str:
    speed = "an unknown rate" if row.fps is None else f"{row.fps:.3g} fps"
    return speed if row.miou is None else f"{row.miou:.1f} mIoU at {speed}"


def _place(record: BenchRecord) -> str:
    board = record.board
    if board.model or board.gpu:
        mode = f" in {board.power_mode}" if board.power_mode else ""
        return f"{board.model or board.gpu[0]}{mode}"
    return f"machine ({record.conditions.cpu}, {counted(record.conditions.cores, 'core')})"
