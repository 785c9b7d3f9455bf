"""``edge-arseg demo``."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from edge_arseg.cli.engine_choice import announced_choice
from edge_arseg.cli.options import bundle_option, engine_options, json_option, motion_options
from edge_arseg.cli.output import print_fields, print_json
from edge_arseg.cli.progress import FrameProgress
from edge_arseg.runtime.engine_options import EngineOptions

SUMMARY = "summary.json"


@click.command()
@click.argument("source", metavar="[INPUT]", required=False)
@bundle_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default="demo",
    show_default=True,
    help="Folder to write to.",
)
@motion_options
@engine_options
@click.option("--limit", type=click.IntRange(1), help="Stop after this many frames.")
@json_option
def demo(
    source: str | None,
    bundle: Path | None,
    output: Path,
    motion: str,
    recode_scale: float,
    engines: EngineOptions,
    limit: int | None,
    as_json: bool,
) -> None:
    """Segment INPUT, or a street drive rendered in code, and write a folder to look at.

    INPUT is any video, camera or stream that `run` takes. The folder gets an overlay video, a JSON line for each frame
    and a summary.
    """
    from edge_arseg.runtime.demo import demo_from_source, street_clip
    from edge_arseg.runtime.pipeline import Mode
    from edge_arseg.runtime.segmenter import Segmenter
    from edge_arseg.video.sinks.base import sink_errors

    choice = announced_choice(bundle, [Mode.AR], engines)
    checked = choice.bundle
    with Segmenter(choice) as segmenter, FrameProgress(limit) as progress:
        if source is None:
            click.echo(f"rendering a street drive of {checked.manifest.height}x{checked.manifest.width} ...", err=True)
        shown = demo_from_source(
            segmenter,
            street_clip(output, segmenter) if source is None else source,
            output,
            motion=motion,
            recode_scale=recode_scale,
            limit=limit,
            each=progress.step,
        )
    summary = output / SUMMARY
    shown.files["summary"] = str(summary)
    with sink_errors(str(summary)):
        summary.write_text(json.dumps(asdict(shown), indent=2) + "\n")
    if as_json:
        print_json(asdict(shown))
        return
    print_fields(
        f"{shown.source} through {shown.bundle}",
        [
            ("frames", f"{shown.frames}, {shown.keyframes} of them keyframes"),
            ("speed", f"{shown.fps:.1f} fps with drawing and encoding"),
            ("latency", ", ".join(f"{branch} {ms:.1f} ms" for branch, ms in shown.latency_ms.items()) + " (medians)"),
            ("ran", shown.ran),
            ("chosen", shown.chosen),
            ("motion", shown.motion),
            ("seen", ", ".join(f"{name} {share:.0%}" for name, share in list(shown.classes.items())[:6])),
            *shown.files.items(),
        ],
    )
