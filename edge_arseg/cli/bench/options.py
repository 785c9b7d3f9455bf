"""Options of ``bench``, and what they come to together with a workload."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_arseg.cli.options import BUNDLE
from edge_arseg.cli.source import SOURCE
from edge_arseg.runtime.engines.contract import EngineOptions

if TYPE_CHECKING:
    from edge_arseg.bench.plans.options import BenchOptions

FILE = click.Path(path_type=Path)

STREET = "test://street"

_OF_LABELS = ("labels", "clip", "phases", "encode", "optical_flow")

_OPTIONS = (
    click.option(
        "-b",
        "--bundle",
        "bundles",
        multiple=True,
        type=BUNDLE,
        help="Bundle to measure: a folder NAME.arseg, or a name that `zoo list` shows; once for each bundle. [default: "
        "the fastest in the package that gives the right classes here]",
    ),
    click.option(
        "--mode",
        "modes",
        help="Modes to measure, separated by commas: ar, hr, lr. [default: ar,hr; hr where the bundle has that alone]",
    ),
    click.option(
        "--profile",
        type=click.Choice(["quick", "standard", "mlperf"]),
        help="Time of each run: 10, 120 or 600 seconds. [default: quick]",
    ),
    click.option(
        "--frames",
        type=click.IntRange(1),
        help="Frames of each run that count, in place of the profile's seconds. [default: none]",
    ),
    click.option(
        "--rate",
        type=click.FloatRange(0, min_open=True),
        help="Frames a second at which a file's frames come, as from a camera; late ones are dropped. [default: as "
        "fast as the engines take them]",
    ),
    click.option(
        "--deadline",
        type=click.FloatRange(0, min_open=True),
        help="Milliseconds that a frame may be old when its classes are ready, with --rate. [default: until the next]",
    ),
    click.option(
        "--interval", type=click.IntRange(1), help="Frames from keyframe to keyframe. [default: the bundle's GOP]"
    ),
    click.option(
        "--matrix",
        multiple=True,
        metavar="AXIS=A,B",
        help="Axis to vary: precision, backend, lr-scale, gop, motion or threads; every combination is measured. "
        "Precision and LR scale choose among the bundles. [default: none]",
    ),
    click.option(
        "--turns",
        type=click.IntRange(1),
        help="Turns of each run; runs of one setting take them in turn, A B B A. [default: 2, with --frames 1]",
    ),
    click.option(
        "--workload",
        help="Workload: a TOML file, or the name of one in the package; options that are typed go before it. "
        "[default: none]",
    ),
    click.option(
        "--set",
        "parameters",
        multiple=True,
        metavar="NAME=VALUE",
        help="Parameter of the workload. [default: those that the workload names]",
    ),
    click.option(
        "--labels",
        type=FILE,
        help="Folder of index PNGs: accuracy goes into the record too; see `eval`. [default: none]",
    ),
    click.option("--clip", type=SOURCE, help="Clip of the labels. [default: SOURCE]"),
    click.option(
        "--phases", help="Frames on which the first keyframe is set, for the labels: all, or 0,3. [default: 0]"
    ),
    click.option(
        "--encode",
        metavar="RATE",
        help="Bits a second (1M, 500k) at which the labelled clip is encoded first. [default: not encoded]",
    ),
    click.option(
        "--optical-flow",
        is_flag=True,
        help="Temporal consistency along dense optical flow too, TC; needs the extra flow (OpenCV). [default: off]",
    ),
    click.option(
        "--scores",
        type=FILE,
        help="Scores of the same bundle, as `eval --json` printed them, for the record. [default: none]",
    ),
    click.option(
        "--layers", is_flag=True, help="Layer times too, in a pass of its own that is not timed. [default: off]"
    ),
    click.option(
        "--meter",
        type=FILE,
        help="Log of an external power meter: CSV with columns for time and watts. [default: none]",
    ),
    click.option(
        "--no-sensors",
        is_flag=True,
        help="No sensor is read beside the run: neither power nor temperature. [default: off]",
    ),
)


def bench_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what says what is measured."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def options_from_command(
    source: str | None,
    engines: EngineOptions,
    given: Mapping[str, Any],
    *,
    motion: str,
    recode_scale: float,
    stream: int | None,
) -> "BenchOptions":
    """Return what is to be measured: options that were typed, then those of the workload.

    Raises:
        OptionError: see ``BenchOptions`` and ``read_workload``.
    """
    from edge_arseg.bench.plans.matrix import matrix_from_texts
    from edge_arseg.bench.plans.options import BenchOptions
    from edge_arseg.bench.plans.workload import read_workload
    from edge_arseg.evaluation.modes import modes_from_text
    from edge_arseg.runtime.bundles.zoo import bundle_path

    name = given["workload"]
    if name is None and given["parameters"]:
        raise click.UsageError("--set fills in a workload; add --workload NAME, or leave --set out")
    workload = None if name is None else read_workload(name, _parameters(given["parameters"]))
    said = {} if workload is None else dict(workload.values)
    if given["scores"] is not None:  # typed: they go before what the workload says of labels
        said = {key: value for key, value in said.items() if key not in _OF_LABELS}

    def one(option: str, key: str, default: Any = None) -> Any:
        typed = given.get(option)
        return typed if typed is not None else said.get(key, default)

    labels = one("labels", "labels")
    modes = given["modes"] or ",".join(said.get("modes", ()))
    bundles: Sequence[str | Path] = given["bundles"] or said.get("bundles", ())
    return BenchOptions(
        source=source or said.get("source", STREET),
        bundles=tuple(bundle_path(bundle) for bundle in bundles),
        modes=tuple(modes_from_text(modes)) if modes else (),
        profile=one("profile", "profile", "quick"),
        frames=given["frames"],
        rate=one("rate", "rate"),
        deadline_ms=one("deadline", "deadline_ms"),
        interval=one("interval", "interval"),
        motion=motion if motion != "auto" else said.get("motion", motion),
        recode_scale=recode_scale,
        stream=stream,
        engines=engines,
        turns=one("turns", "turns"),
        matrix=matrix_from_texts(given["matrix"] or (workload.matrix if workload else ())),
        workload=workload.name if workload else None,
        published=workload.published if workload else (),
        labels=Path(labels) if labels else None,
        clip=one("clip", "clip"),
        phases=one("phases", "phases", "0"),
        encode=one("encode", "encode"),
        optical_flow=given["optical_flow"] or said.get("optical_flow", False),
        scores=given["scores"],
        layers=given["layers"],
        meter=given["meter"],
        sensors=not given["no_sensors"],
    )


def _parameters(texts: Sequence[str]) -> dict[str, str]:
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise click.UsageError(f"--set {text!r}: expected NAME=VALUE")
        found[name] = value
    return found
