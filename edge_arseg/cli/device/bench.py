"""``edge-arseg bench``."""

from dataclasses import asdict
from pathlib import Path

import click

from edge_arseg.bench.report import REPORTS, report_from_speed
from edge_arseg.cli.engine_choice import announced_choice
from edge_arseg.cli.options import bundle_option, engine_options, json_option, motion_options, stream_option
from edge_arseg.cli.output import print_json, progress
from edge_arseg.cli.source import ENVIRONMENT, SOURCE
from edge_arseg.runtime.engines.contract import EngineOptions


@click.command()
@click.argument("source", default="test://street", envvar=ENVIRONMENT, type=SOURCE)
@bundle_option
@click.option(
    "--mode",
    "modes",
    help="Modes to time, separated by commas: ar, hr, lr. [default: ar,hr; hr where the bundle has the HR branch "
    "alone]",
)
@click.option(
    "--frames",
    type=click.IntRange(1),
    default=120,
    show_default=True,
    help="Number of frames timed in each mode, after those of the warm-up.",
)
@motion_options
@stream_option
@engine_options
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="File for the record, JSON. [default: none is written]"
)
@click.option("--force", is_flag=True, help="Permission to replace a record that is there. [default: refused]")
@click.option(
    "--report",
    type=click.Choice([*REPORTS]),
    default="markdown",
    show_default=True,
    help="Form of what is printed on stdout.",
)
@json_option
def bench(
    source: str,
    bundle: Path | None,
    modes: str | None,
    frames: int,
    motion: str,
    recode_scale: float,
    stream: int | None,
    engines: EngineOptions,
    output: Path | None,
    force: bool,
    report: str,
    as_json: bool,
) -> None:
    """Time a bundle on SOURCE by mode, branch and stage, and say whether AR pays here.

    Prints a report, or the record with --json. A p99 needs 299 frames of its kind. SOURCE may be @FILE, whose first
    line is the source; without it, EDGE_ARSEG_SOURCE counts.
    """
    from edge_arseg.bench.record import record_from_bundle, write_record
    from edge_arseg.evaluation.modes import modes_from_text
    from edge_arseg.runtime.mode import Mode
    from edge_arseg.runtime.zoo import inputs_of_bundle
    from edge_arseg.storage.files import check_output
    from edge_arseg.video.uri import source_from_uri

    asked = modes_from_text(modes) if modes else ()
    read = source_from_uri(source)
    if output is not None:
        check_output(output, force=force, inputs=[*inputs_of_bundle(bundle), *filter(None, [read.path])])
    choice, chosen = announced_choice(bundle, asked, (Mode.AR, Mode.HR), engines)
    record, speed = record_from_bundle(
        choice,
        source,
        modes=chosen,
        frames=frames,
        motion=motion,
        recode_scale=recode_scale,
        stream=stream,
        progress=progress,
    )
    if output is not None:
        check_output(output, force=force)  # it may have come meanwhile
        write_record(record, output)
    if as_json:
        print_json(asdict(record))
    else:
        click.echo(report_from_speed(report, speed, choice.bundle), nl=False)
