"""``edge-arseg bench``."""

from dataclasses import asdict
from pathlib import Path

import click

from edge_arseg.cli.engine_choice import announced_choice
from edge_arseg.cli.options import bundle_option, engine_options, json_option, motion_options
from edge_arseg.cli.output import print_json, progress
from edge_arseg.runtime.engine_options import EngineOptions
from edge_arseg.runtime.pipeline import Mode


@click.command()
@click.argument("source", default="test://street")
@bundle_option
@click.option("--mode", "modes", default="ar,hr", show_default=True, help="Modes, separated by commas.")
@click.option("--frames", type=click.IntRange(1), default=120, show_default=True, help="Frames that count, per mode.")
@motion_options
@engine_options
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the record (JSON) there too.")
@json_option
def bench(
    source: str,
    bundle: Path | None,
    modes: str,
    frames: int,
    motion: str,
    recode_scale: float,
    engines: EngineOptions,
    output: Path | None,
    as_json: bool,
) -> None:
    """Time a bundle on SOURCE by mode, branch and stage, and say whether AR pays here.

    Prints Markdown, or the record with --json. A p99 needs 299 frames of its kind.
    """
    known = [mode.value for mode in Mode]
    chosen = [mode.strip() for mode in modes.split(",")]
    if unknown := [mode for mode in chosen if mode not in known]:
        raise click.UsageError(f"--mode {','.join(unknown)}: expected some of {','.join(known)}")
    from edge_arseg.bench.record import record_now, write_record
    from edge_arseg.bench.speed import speed_of_bundle
    from edge_arseg.bench.speed_report import markdown_from_speed

    choice = announced_choice(bundle, [Mode(mode) for mode in chosen], engines)
    checked = choice.bundle
    speed = speed_of_bundle(
        choice,
        source,
        modes=[Mode(mode) for mode in chosen],
        frames=frames,
        motion=motion,
        recode_scale=recode_scale,
        progress=progress,
    )
    settings = {
        "bundle": checked.manifest.name,
        "bundle_digest": checked.digest,
        "source": Path(source).name if Path(source).exists() else source,
        "frames": frames,
        "motion": motion,
        "recode_scale": recode_scale,
        **asdict(choice.options),
        "chosen": choice.how,
        "agreement": choice.agreement,
    }
    record = record_now("speed", settings=settings, values={**asdict(speed), "verdict": speed.verdict})
    if output is not None:
        write_record(record, output)
    if as_json:
        print_json(asdict(record))
    else:
        click.echo(markdown_from_speed(speed, checked), nl=False)
