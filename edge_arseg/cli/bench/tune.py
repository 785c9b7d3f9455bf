"""``edge-arseg tune``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_arseg.cli.bench.miou import MIOU
from edge_arseg.cli.options import BUNDLE, json_option, stream_option, unchecked_option
from edge_arseg.cli.output import note, print_json, print_table
from edge_arseg.cli.settings.duration import MillisecondsType
from edge_arseg.cli.source import SOURCE
from edge_arseg.runtime.fusion.opening import CHOICES

if TYPE_CHECKING:
    from edge_arseg.tuning.search.setting import Setting
    from edge_arseg.tuning.tune import Tuned

FOLDER = click.Path(path_type=Path)


DIGITS = 10
"""No network has so many layers that their number has as many digits."""


class CountsType(click.ParamType):
    """Numbers like ``0,2,8``; converts to a tuple."""

    name = "N,N"

    def convert(
        self, value: str | tuple[int, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Parse ``value``."""
        if isinstance(value, tuple):
            return value
        parts = [part.strip() for part in value.split(",") if part.strip()]
        if not all(part.isdecimal() and len(part) < DIGITS for part in parts):
            self.fail(f"{value!r} seen, expected numbers like 0,2,8", param, ctx)
        return tuple(dict.fromkeys(int(part) for part in parts))


COUNTS = CountsType()


@click.command()
@click.argument("bundles", nargs=-1, required=True, type=BUNDLE, metavar="BUNDLE...")
@click.option(
    "--labels",
    type=FOLDER,
    required=True,
    help="Folder of labels of the clip, PNG files of class numbers; see `eval`. Not those that you report on later.",
)
@click.option("--clip", type=SOURCE, required=True, help="Clip that settings are timed and scored on.")
@click.option(
    "--max-latency",
    type=MillisecondsType(),
    help="Limit of the time of a frame, mean over a GOP, like 40ms. [default: none]",
)
@click.option(
    "--max-keyframe-latency",
    type=MillisecondsType(),
    help="Limit of the median time of the slower branch's frames, which keyframes are. [default: none]",
)
@click.option("--min-miou", type=MIOU, help="Limit of mIoU, points of 100. [default: none]")
@click.option(
    "--max-j-per-frame",
    type=click.FloatRange(0, min_open=True),
    help="Limit of the energy of a frame, joules; needs a sensor of power. [default: none]",
)
@click.option(
    "--try",
    "tries",
    multiple=True,
    metavar="AXIS=A,B",
    help="Values of an axis, in place of the usual ones: bundle, backend, threads, interval, keyframes, motion or "
    "recode-scale. [default: what is installed, and intervals from 1 to 30]",
)
@click.option(
    "--mix/--no-mix",
    default=True,
    show_default=True,
    help="Mixtures too: the HR branch of one bundle with the LR branch of another of the same model, as where one is "
    "in int8.",
)
@click.option(
    "--keep",
    type=COUNTS,
    metavar="N,N",
    default="",
    help="Numbers of layers, like 0,2,8: each float32 bundle is quantized too, with so many layers of each branch in "
    "float, those that cost most accuracy for each millisecond. [default: none]",
)
@click.option(
    "--trials",
    type=click.IntRange(1),
    help="Number of settings that are tried at most, those of earlier runs among them. [default: 3 of 10, 12 to 100]",
)
@click.option(
    "--frames",
    type=click.IntRange(24),
    default=240,
    show_default=True,
    help="Number of frames that are timed of a setting at most.",
)
@click.option(
    "--phases",
    default="0",
    show_default=True,
    help="Frames on which the first keyframe is set, for the scores: all, or numbers like 0,3,6. Where few frames have "
    "labels, all.",
)
@click.option(
    "--limit", type=click.IntRange(1), help="Number of frames that are scored, from the first on. [default: all]"
)
@stream_option
@click.option(
    "--fusion", type=click.Choice(CHOICES), default="auto", show_default=True, help="Code that fuses; see `run`."
)
@unchecked_option
@click.option(
    "-o",
    "--output",
    type=FOLDER,
    default=Path("tuned"),
    show_default=True,
    help="Folder for the study, which the same command continues, for front.json and for chosen.toml.",
)
@json_option
def tune(
    bundles: tuple[Path, ...],
    labels: Path,
    clip: str,
    max_latency: float | None,
    max_keyframe_latency: float | None,
    min_miou: float | None,
    max_j_per_frame: float | None,
    tries: tuple[str, ...],
    mix: bool,
    output: Path,
    as_json: bool,
    **more: Any,
) -> int:
    """Search the setting with the highest mIoU within your limits.

    Settings of BUNDLEs are timed and scored on a labelled clip: bundle, backend, threads, GOP, way of keyframes, source
    of motion and recode scale. One that is surely no better than another is given up early. The fastest setting for
    each mIoU is in front.json, which `report` makes a page of; the chosen one is in chosen.toml, for `run --config`.
    Exits with 1 where no setting that was tried holds the limits.
    """
    from edge_arseg.cli.log import inform
    from edge_arseg.tuning.options import TuneOptions
    from edge_arseg.tuning.search.limits import Limits
    from edge_arseg.tuning.tune import tune as tuned_from_options

    options = TuneOptions(
        bundles,
        clip,
        labels,
        Limits(max_latency, max_keyframe_latency, min_miou, max_j_per_frame),
        tries,
        mixed=mix,
        **more,
    )

    def told(count: int, most: int, setting: "Setting", what: str, end: bool) -> None:
        (note if end else inform)(f"{count} of at most {most}: {setting}: {what}")

    try:
        tuned = tuned_from_options(options, output, told)
    except KeyboardInterrupt:
        if output.exists():  # nothing was tried yet where it does not
            note(f"what was tried is kept in {output}; type the same to continue")
        raise
    if as_json:
        print_json(_json(tuned))
    else:
        _print(tuned)
    return _conclusion(tuned, options.limits)


def _conclusion(tuned: "Tuned", limits: Any) -> int:
    from shlex import quote

    tried = len(tuned.tried)
    ended = "nothing better is to be expected" if tuned.complete else "more --trials may find more"
    note(f"{tried} of {tuned.settings} settings tried; {ended}")
    note(f"front: edge-arseg report {quote(str(tuned.record_path))} -o front.html")
    if tuned.config is not None:
        note(f"chosen: edge-arseg run --config {quote(str(tuned.config))} SOURCE")
        return 0
    nearest = tuned.tried[tuned.verdict.nearest]
    faults = "; ".join(limits.faults(nearest.outcome))
    click.echo(f"error: no setting that was tried holds the limits; nearest is {nearest.setting}: {faults}", err=True)
    return 1


def _print(tuned: "Tuned") -> None:
    rows = []
    for number in tuned.verdict.front:
        one, outcome = tuned.tried[number].setting, tuned.tried[number].outcome
        energy = "-" if outcome.j_per_frame is None else f"{outcome.j_per_frame:.3g}"
        rows.append(
            [
                str(one),
                f"{outcome.miou:.1f}",
                f"{outcome.miou_low:.1f}-{outcome.miou_high:.1f}",
                f"{outcome.mean_ms:.1f}",
                f"{outcome.mean_low:.1f}-{outcome.mean_high:.1f}",
                f"{outcome.slow_ms:.1f}",
                energy,
                "chosen" if number == tuned.verdict.chosen else "",
            ]
        )
    columns = ["setting", "mIoU, %", "95 %", "ms", "95 %", "slower branch", "J", ""]
    print_table("front: the fastest setting for each mIoU", columns, rows)


def _json(tuned: "Tuned") -> dict[str, object]:
    from dataclasses import asdict

    from edge_arseg.bench.record_files.writing import plain

    return {
        "settings": tuned.settings,
        "complete": tuned.complete,
        "tried": [
            {
                "trial": number,
                **one.setting.params,
                **plain(asdict(one.outcome)),
                "given_up": None if one.given_up is None else one.given_up.why,
            }
            for number, one in tuned.tried.items()
        ],
        "failed": [{**setting.params, "because": why} for setting, why in tuned.failed.items()],
        "front": list(tuned.verdict.front),
        "chosen": tuned.verdict.chosen,
        "nearest": tuned.verdict.nearest,
        "record": str(tuned.record_path),
        "config": None if tuned.config is None else str(tuned.config),
    }
