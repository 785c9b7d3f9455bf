"""``edge-arseg report``."""

import fnmatch
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_arseg.cli.options import BUNDLE

if TYPE_CHECKING:
    from edge_arseg.bench.compare.comparison import Comparison
    from edge_arseg.bench.compare.gate import Read
    from edge_arseg.bench.compare.requirement import Outcome
    from edge_arseg.bench.report.content import Report
    from edge_arseg.bench.report.plots.plot import Plot

FILE = click.Path(path_type=Path)


class RecordType(click.Path):
    """The file of a record."""

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """Say where one comes from, where none is given."""
        return "`edge-arseg bench -o NAME.json` writes one."


class PercentType(click.ParamType):
    """A share like ``5%`` or ``5``; converts to ``5.0``."""

    name = "PERCENT"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Parse ``value``."""
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%?", value.strip())
        if not match:
            self.fail(f"{value!r} seen, expected a share like 5%", param, ctx)
        return float(match[1])


@click.command()
@click.argument("records", nargs=-1, required=True, type=RecordType(path_type=Path), metavar="RECORD...")
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    type=FILE,
    help="File to write, once or more; its end says what: .html, .md, .csv, .json. [default: Markdown on stdout]",
)
@click.option("--force", is_flag=True, help="Permission to replace files that are there. [default: refused]")
@click.option(
    "--pngs",
    type=FILE,
    metavar="FOLDER",
    help="Folder to write every plot to as PNG, 1280 pixels wide. [default: none]",
)
@click.option(
    "--require",
    metavar="LIST",
    help="Requirements of every run, separated by commas, like miou>=60,p99_ms<=33,j_per_frame<=0.5; exit code 1 where "
    "one does not hold or was not measured. [default: none]",
)
@click.option(
    "--run", "wanted", metavar="PATTERN", help="Runs that --require is held against, like 'ar *'. [default: all]"
)
@click.option(
    "--fail-on",
    type=PercentType(),
    help="Share by which the second record may be worse than the first, in % of each stage's time; exit code 1 where "
    "it is worse by more, and by more than noise explains. Eight pairs or more, taken in turns A B A B, find small "
    "changes; one pair finds those of a quarter. [default: none]",
)
@click.option(
    "--between",
    nargs=2,
    metavar="A B",
    help="Names of two runs of every record that --fail-on compares. [default: none]",
)
@click.option(
    "--allow",
    multiple=True,
    metavar="NAME",
    help="Condition in which records may differ, like conditions.packages.onnxruntime. [default: none]",
)
@click.option("--junit", type=FILE, help="File to write gates to as JUnit XML. [default: none]")
@click.option(
    "--worst",
    nargs=3,
    metavar="BUNDLE CLIP LABELS",
    type=(BUNDLE, str, FILE),
    help="Bundle, clip and labels that were scored: the worst frames of each run of that bundle are segmented again, "
    "and drawn into the HTML. [default: no pictures]",
)
def report(
    records: tuple[Path, ...],
    outputs: tuple[Path, ...],
    force: bool,
    pngs: Path | None,
    require: str | None,
    wanted: str | None,
    fail_on: float | None,
    between: tuple[str, str] | None,
    allow: tuple[str, ...],
    junit: Path | None,
    worst: tuple[Path, str, Path] | None,
) -> int:
    """Make a page of RECORDs, compare them, or check requirements.

    `edge-arseg bench -o NAME.json` writes a record. One page of HTML needs no network. A record that was cut off is
    read as far as it got. With gates the exit code is 1 where one failed.
    """
    from edge_arseg.bench.compare.junit import junit_from_gates
    from edge_arseg.bench.record_files.reading import read_record, read_samples
    from edge_arseg.bench.record_files.writing import samples_file
    from edge_arseg.bench.report.building import report_from_records
    from edge_arseg.bench.report.formats.text import text_from_report
    from edge_arseg.storage.files.output import check_output

    gates = _Gates(require, wanted, fail_on, between, allow)
    _check_names(outputs)
    gates.check(junit=junit is not None)
    if worst and not any(path.suffix == ".html" for path in outputs):
        raise click.UsageError("--worst draws into HTML; add -o NAME.html")
    gates.check_records(records)
    inputs = [*records, *map(samples_file, records), *(Path(one) for one in worst or ())]
    named = [path for path in (*outputs, junit) if path is not None]
    _check_outputs(named, inputs, force)
    read: list[Read] = [(read_record(path), read_samples(path)) for path in records]
    if fail_on is not None:
        _refuse_copies(records, read)
    comparisons, outcomes = gates.comparisons(read), gates.outcomes(read)
    shown = read if fail_on is None else read[: 1 if between else 2]  # the others are more of the same
    made = report_from_records(shown, comparisons=comparisons, outcomes=outcomes)
    plots = _plots(made, pngs) if pngs is not None else {}
    for path in plots:
        check_output(path, force=force, inputs=[*inputs, *named])
    for path in outputs:
        kind = path.suffix.removeprefix(".")
        text = _page(made, shown, worst) if kind == "html" and worst else text_from_report(made, kind)
        _write(path, text.encode(), force)
    if junit is not None:
        _write(junit, junit_from_gates(comparisons, outcomes).encode(), force)
    for path, plot in plots.items():
        from edge_arseg.bench.report.plots.png import png_from_plot

        _write(path, png_from_plot(plot), force)
    if not outputs:
        click.echo(text_from_report(made, "md"), nl=False)
    elif made.failed:
        for text in _failures(comparisons, outcomes):
            click.echo(f"failed: {text}", err=True)
    return 1 if made.failed else 0


@dataclass(frozen=True, slots=True)
class _Gates:
    """What the records are held against; the fields are options of the command."""

    require: str | None
    run: str | None
    fail_on: float | None
    between: tuple[str, str] | None
    allow: tuple[str, ...]

    def check(self, *, junit: bool) -> None:
        """Raise ``click.UsageError`` where an option is given without the gate that it belongs to."""
        if self.fail_on is None and (self.between or self.allow):
            raise click.UsageError(f"--{'between' if self.between else 'allow'} needs --fail-on PERCENT")
        if self.require is None and self.run is not None:
            raise click.UsageError("--run needs --require LIST")
        if self.require is None and self.fail_on is None and junit:
            raise click.UsageError("--junit needs --require LIST or --fail-on PERCENT")

    def check_records(self, records: tuple[Path, ...]) -> None:
        """Raise ``click.UsageError`` where a record would be compared to itself."""
        from edge_arseg.storage.files.identity import identity

        if self.fail_on is not None and len({identity(path) for path in records}) < len(records):
            raise click.UsageError(
                "--fail-on: one record is named twice, and is never worse than itself; name two records"
            )

    def comparisons(self, read: "list[Read]") -> "tuple[Comparison, ...]":
        from edge_arseg.bench.compare.gate import comparison_between_runs, comparisons_of_records

        if self.fail_on is None:
            return ()
        if self.between:
            return (comparison_between_runs(read, *self.between, allowed_percent=self.fail_on, allowed=self.allow),)
        return comparisons_of_records(read, allowed_percent=self.fail_on, allowed=self.allow)

    def outcomes(self, read: "list[Read]") -> "tuple[Outcome, ...]":
        from edge_arseg.bench.compare.requirement import outcomes_of, requirements_from_text
        from edge_arseg.bench.report.rows import row_from_run

        if not self.require:
            return ()
        requirements = requirements_from_text(self.require)
        rows = [row_from_run(record, run) for record, _ in read for run in record.runs]
        if self.run is not None:
            names = "; ".join(row.run for row in rows)
            rows = [row for row in rows if fnmatch.fnmatchcase(row.run, self.run)]
            if not rows:
                raise click.UsageError(f"--run {self.run}: no run has this name; runs: {names}")
        return outcomes_of(rows, requirements)


def _check_names(outputs: tuple[Path, ...]) -> None:
    from edge_arseg.bench.report.formats.text import FORMATS

    for path in outputs:
        if path.suffix.removeprefix(".") not in FORMATS:
            raise click.UsageError(f"-o {path}: expected a name that ends in {', '.join(f'.{one}' for one in FORMATS)}")


def _check_outputs(named: list[Path], inputs: list[Path], force: bool) -> None:
    from edge_arseg.storage.files.identity import identity
    from edge_arseg.storage.files.output import check_output

    for path in named:
        check_output(path, force=force, inputs=inputs)
    if len({identity(path) for path in named}) < len(named):
        raise click.UsageError(f"{', '.join(map(str, named))}: two of them are one file; choose names that differ")


def _refuse_copies(paths: tuple[Path, ...], read: "list[Read]") -> None:
    for place, (record, _) in enumerate(read):
        for earlier in range(place):
            if read[earlier][0] == record:
                raise click.UsageError(
                    f"--fail-on: {paths[place]} is a copy of {paths[earlier]}, and a record is never worse than "
                    "itself; name two measurements"
                )


def _plots(made: "Report", folder: Path) -> "dict[Path, Plot]":
    from edge_arseg.bench.report.plots import plots_of

    return {folder / f"{plot.key}.png": plot for plots in plots_of(made).values() for plot in plots}


def _page(made: "Report", read: "list[Read]", worst: tuple[Path, str, Path]) -> str:
    from edge_arseg.bench.report.formats.html_page import html_from_report
    from edge_arseg.bench.report.worst_frames import worst_frames

    return html_from_report(made, worst_frames(read, *worst))


def _failures(comparisons: "tuple[Comparison, ...]", outcomes: "tuple[Outcome, ...]") -> list[str]:
    found = [f"{one.run}: {one.text}" for one in outcomes if not one.passed]
    return found + [f"{one.after}: {one.verdict}" for one in comparisons if one.failed]


def _write(path: Path, data: bytes, force: bool) -> None:
    from edge_arseg.errors import SinkError
    from edge_arseg.storage.fault import advice_on
    from edge_arseg.storage.files.output import check_output
    from edge_arseg.storage.files.whole import write_whole

    check_output(path, force=force)  # it may have come meanwhile
    try:
        write_whole(path, data)
    except OSError as error:
        raise SinkError(f"cannot write {path}: {advice_on(error, path, needed=len(data), option='-o')}") from error
