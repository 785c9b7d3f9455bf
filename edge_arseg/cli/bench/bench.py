"""``edge-arseg bench``."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from edge_arseg.cli.bench.options import bench_options, options_from_command
from edge_arseg.cli.engine_choice import announced_choice
from edge_arseg.cli.options import engine_options, json_option, motion_options, stream_option
from edge_arseg.cli.output import note, print_json, warn
from edge_arseg.cli.progress import FRAMES, Meter, Unit
from edge_arseg.cli.source import ENVIRONMENT, SOURCE
from edge_arseg.runtime.engines.contract import EngineOptions

if TYPE_CHECKING:
    from edge_arseg.bench.layers import GraphMacs
    from edge_arseg.runtime.choice.engine_choice import Choice
    from edge_arseg.runtime.mode import Mode

SECONDS = Unit("{done} of {total} s", "{done} s", "")


@click.command()
@click.argument("source", required=False, envvar=ENVIRONMENT, type=SOURCE)
@bench_options
@motion_options
@stream_option
@engine_options
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Record to write: NAME.json, with the samples in NAME.npz beside it; or a folder, in which it is named by its "
    "conditions. [default: none is written]",
)
@click.option("--force", is_flag=True, help="Permission to replace a record that is there. [default: refused]")
@click.option("--resume", is_flag=True, help="Continuation of the unfinished record that -o names. [default: off]")
@click.option(
    "--predict",
    metavar="TARGET",
    help="Board whose lower bounds are printed in place of a measurement: the least time of each branch, from MACs, "
    "bytes and the board's peaks. [default: none]",
)
@click.option(
    "--power-mode", metavar="NAME", help="Power mode of that board, like 15W. [default: the fastest that it has]"
)
@json_option
def bench(
    source: str | None,
    motion: str,
    recode_scale: float,
    stream: int | None,
    engines: EngineOptions,
    output: Path | None,
    force: bool,
    resume: bool,
    predict: str | None,
    power_mode: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Time a bundle on SOURCE, and say whether AR-Seg pays here.

    Times are told by mode, branch and stage, energy where a sensor is, and accuracy where labels are. -b once for each
    bundle to compare. Prints an overview, or the record with --json; `edge-arseg report` makes a page of a record. A
    percentile that the frames do not carry is not given: a p99 needs 299 frames of its branch. SOURCE is test://street
    by default; it may be @FILE, whose first source counts; without it, EDGE_ARSEG_SOURCE counts.
    """
    from dataclasses import asdict

    from edge_arseg.bench.bench import bench_from_options
    from edge_arseg.bench.inputs import inputs_of_options
    from edge_arseg.bench.overview import overview_of
    from edge_arseg.bench.record_files.writing import check_record, plain
    from edge_arseg.runtime.bundles.zoo import inputs_of_bundle
    from edge_arseg.runtime.mode import Mode
    from edge_arseg.video.presence import refuse_missing
    from edge_arseg.video.uri import source_from_uri

    options = options_from_command(source, engines, given, motion=motion, recode_scale=recode_scale, stream=stream)
    if power_mode is not None and predict is None:
        raise click.UsageError("--power-mode goes with --predict TARGET")
    if predict is not None:
        if output is not None or resume:
            raise click.UsageError(
                f"--predict measures nothing, so there is no record for {'-o' if output is not None else '--resume'}; "
                "leave it out, or write what is printed to a file: --json > NAME.json"
            )
        _refuse_measuring(given)
        _predict(predict, power_mode, options.bundles, options.interval, as_json=as_json)
        return
    if resume and output is None:
        raise click.UsageError("--resume needs -o NAME.json, the record to continue")
    refuse_missing(source_from_uri(options.source))
    if output is not None:
        shipped = [] if options.bundles else inputs_of_bundle(None)
        check_record(output, force=force or resume, inputs=[*shipped, *inputs_of_options(options)])

    def choose(bundle: Path | None, modes: Sequence[Mode], wanted: EngineOptions) -> "tuple[Choice, tuple[Mode, ...]]":
        return announced_choice(bundle, modes, (Mode.AR, Mode.HR), wanted)

    with Meter(unit=SECONDS) as meter:
        record, path = bench_from_options(
            options, choose, output, force=force, resume=resume, progress=meter.counter(SECONDS),
            scoring=meter.counter(FRAMES), macs=_layer_macs(options.layers),
        )  # fmt: skip
    if as_json:
        print_json(plain(asdict(record)))
    else:
        click.echo(overview_of(record), nl=False)
    note(_kept(path))


def _kept(path: Path | None) -> str:
    """Say where the record is and how it becomes a page, or how to keep one."""
    if path is None:
        return "no record is kept; type -o NAME.json to keep one"
    page = quote(str(path.with_suffix(".html")))
    return f"record: {path}; for a page type: edge-arseg report {quote(str(path))} -o {page}"


def _layer_macs(wanted: bool) -> "GraphMacs | None":
    """Return what counts the MACs of layers, where it is wanted and the host half is installed."""
    from importlib.util import find_spec

    from edge_arseg.installation import install_extra

    if not wanted:
        return None
    if find_spec("onnx") is None:
        warn(f"layers are timed without their MACs, which need onnx; type: {install_extra('host')}")
        return None
    from edge_arseg.compiler.layer_macs import macs_from_graph

    return macs_from_graph


def _refuse_measuring(given: Mapping[str, Any]) -> None:
    """Refuse options that say how to measure, and were typed where nothing is measured."""
    kept, typed = ("bundles", "interval", "workload", "parameters"), click.core.ParameterSource.COMMANDLINE
    context = click.get_current_context()
    lost = [
        next(option for option in parameter.opts if option.startswith("--"))
        for parameter in context.command.params
        if parameter.name in given and parameter.name not in kept
        if context.get_parameter_source(parameter.name) is typed
    ]
    if lost:
        raise click.UsageError(
            f"{', '.join(lost)} seen with --predict, which measures nothing; expected -b, --interval or --workload"
        )


def _predict(
    target: str, power_mode: str | None, bundles: Sequence[Path], interval: int | None, *, as_json: bool
) -> None:
    """Print the lower bounds of bundles on a board."""
    from dataclasses import asdict

    from edge_arseg.bench.predict.peaks import peaks_of_target
    from edge_arseg.bench.predict.roofline import markdown_from_prediction, prediction_of
    from edge_arseg.runtime.bundles.reading import read_bundle
    from edge_arseg.runtime.bundles.zoo import default_bundle
    from edge_arseg.spec.targets.files import target_named

    peaks = peaks_of_target(target_named(target), power_mode)
    found = [prediction_of(read_bundle(path), peaks, interval=interval) for path in bundles or [default_bundle()]]
    if as_json:
        bounds = [asdict(one) | {"mean_ms": one.mean_ms, "label": "predicted lower bound"} for one in found]
        print_json({"predictions": bounds})
    else:
        click.echo("\n".join(markdown_from_prediction(one) for one in found), nl=False)
