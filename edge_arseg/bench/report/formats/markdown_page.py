"""A report as Markdown."""

from collections.abc import Iterator, Sequence

from edge_arseg.bench.report.content import Report
from edge_arseg.bench.report.rows import Row

COLUMNS = {
    "mIoU": ("miou", 1),
    "fps": ("fps", 1),
    "mean ms": ("mean_ms", 1),
    "p50": ("p50_ms", 1),
    "p99": ("p99_ms", 1),
    "HR p50": ("hr_p50_ms", 1),
    "LR p50": ("lr_p50_ms", 1),
    "J a frame": ("j_per_frame", 3),
    "W": ("watts", 2),
    "GMACs": ("gmacs", 2),
    "peak MB": ("peak_mb", 0),
    "missed %": ("missed_percent", 2),
}
"""Heading to measure and digits: the one table. A column that nothing was measured for is left out."""


def markdown_from_report(report: Report) -> str:
    """Return verdict, gates, the one table, where the time goes, warnings, and the environment."""
    lines = [f"**{verdict}**" for verdict in report.verdicts]
    lines += ["", *_gates(report)]
    if report.warnings:
        lines += ["", f"Warnings: {warnings_in_short(report)}."]
    lines += ["", *_table(report)]
    lines += _stages(report)
    for code, warnings in report.warnings_by_code.items():
        lines += ["", f"Warnings, {code}:", ""]
        lines += [f"- {_place(one.record, one.run, report)}{one.text}" for one in warnings]
    for one in report.environments:
        lines += ["", f"Taken {one.taken}: {one.record}", ""]
        lines += [f"- {name}: {value}" for name, value in one.facts.items()]
        if one.not_measured:
            lines.append(f"- not measured: {', '.join(one.not_measured)}")
    return "\n".join(_single_blanks(lines)) + "\n"


def shown_columns(rows: Sequence[Row]) -> dict[str, tuple[str, int]]:
    """Return the columns of the one table that any row has a value for."""
    return {
        name: column for name, column in COLUMNS.items() if any(getattr(row, column[0]) is not None for row in rows)
    }


def warnings_in_short(report: Report) -> str:
    """Return the kinds of warnings with their numbers, in one line."""
    return ", ".join(f"{code} ({len(own)})" if len(own) > 1 else code for code, own in report.warnings_by_code.items())


def cell(value: float | None, digits: int) -> str:
    """Return a number, or a dash where there is none."""
    return "-" if value is None else f"{value:.{digits}f}"


def _gates(report: Report) -> Iterator[str]:
    for outcome in report.outcomes:
        yield f"- {'passed' if outcome.passed else 'FAILED'}: {outcome.run}: {outcome.text}"
    for comparison in report.comparisons:
        state = "FAILED" if comparison.failed else "passed"
        how = "turn by turn" if comparison.paired else "one after the other"
        yield f"- {state}: {comparison.after}, against {comparison.before} ({how}): {comparison.verdict}"
        for one in comparison.unlike:
            yield f"  - unlike, as allowed: {one}"


def _table(report: Report) -> Iterator[str]:
    columns = shown_columns(report.rows)
    yield "| " + " | ".join(["run", "n", *columns]) + " |"
    yield "|" + "---|" * (len(columns) + 2)
    for row in report.rows:
        name = row.label if row.finished else f"{row.label} (not finished)"
        cells = [name, str(row.frames)]
        cells += [cell(getattr(row, measure), digits) for measure, digits in columns.values()]
        yield "| " + " | ".join(text.replace("|", "\\|") for text in cells) + " |"


def _stages(report: Report) -> Iterator[str]:
    if not report.stages:
        return
    names = list(dict.fromkeys(one.stage for one in report.stages if not one.beside))
    beside = list(dict.fromkeys(one.stage for one in report.stages if one.beside))
    yield ""
    heads = [*names, *(f"{name} (CPU, beside)" for name in beside)]
    yield "| mean ms of a frame | " + " | ".join(heads) + " |"
    yield "|" + "---|" * (len(heads) + 1)
    bars: dict[tuple[str, str, str], dict[tuple[str, bool], float]] = {}
    for one in report.stages:
        bars.setdefault((one.record, one.run, one.branch), {})[one.stage, one.beside] = one.ms
    for (record, run, branch), times in bars.items():
        cells = [times.get((name, False)) for name in names] + [times.get((name, True)) for name in beside]
        told = " | ".join("" if value is None else f"{value:.2f}" for value in cells)
        yield f"| {_place(record, run, report).removesuffix(': ')}, {branch.upper()} | {told} |"


def _place(record: str, run: str | None, report: Report) -> str:
    parts = ([record] if len(report.verdicts) > 1 else []) + ([run] if run else [])
    return ": ".join(parts) + ": " if parts else ""


def _single_blanks(lines: Sequence[str]) -> Iterator[str]:
    last = ""
    for line in lines:
        if line or last:
            yield line
        last = line
