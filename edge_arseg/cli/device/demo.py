"""``edge-arseg demo``."""

from dataclasses import asdict
from pathlib import Path
from shlex import quote

import click

from edge_arseg.cli.engine_choice import announced_choice
from edge_arseg.cli.geometry_options import fit_option, output_size_option
from edge_arseg.cli.options import bundle_option, engine_options, json_option, motion_options, stream_option
from edge_arseg.cli.output import print_fields, print_json, progress
from edge_arseg.cli.overlay_options import overlay_options
from edge_arseg.cli.progress import FrameProgress
from edge_arseg.cli.source import ENVIRONMENT, SOURCE
from edge_arseg.installation import program
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.spec.geometry.placement import OutputSize
from edge_arseg.video.overlay.style import OverlayStyle


@click.command()
@click.argument("source", metavar="[INPUT]", required=False, envvar=ENVIRONMENT, type=SOURCE)
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
@stream_option
@fit_option
@output_size_option
@engine_options
@click.option("--limit", type=click.IntRange(1), help="Number of frames after which the demo ends. [default: all]")
@overlay_options
@click.option("--force", is_flag=True, help="Permission to replace files that no demo wrote. [default: refused]")
@json_option
def demo(
    source: str | None,
    bundle: Path | None,
    output: Path,
    motion: str,
    recode_scale: float,
    stream: int | None,
    fit: str | None,
    output_size: OutputSize,
    engines: EngineOptions,
    limit: int | None,
    style: OverlayStyle,
    force: bool,
    as_json: bool,
) -> None:
    """Segment INPUT, or a rendered street, into a folder.

    INPUT is any video, camera or stream that `run` takes, or @FILE, whose first source counts; without it,
    EDGE_ARSEG_SOURCE counts. The folder gets an overlay video, a JSON line for each frame and a summary; those of an
    earlier demo are replaced.
    """
    from edge_arseg.demo.demonstration import demo_from_source
    from edge_arseg.demo.folder import DemoFolder
    from edge_arseg.runtime.mode import Mode
    from edge_arseg.video.presence import refuse_missing
    from edge_arseg.video.uri import source_from_uri

    folder = DemoFolder(output, force=force)
    if source is not None:
        refuse_missing(source_from_uri(source))
    folder.check(source)  # before the choice, which may take minutes
    choice, _ = announced_choice(bundle, [], (Mode.AR, Mode.HR), engines)
    with FrameProgress(limit) as frames:
        shown = demo_from_source(
            choice,
            source,
            folder,
            motion=motion,
            recode_scale=recode_scale,
            stream=stream,
            fit=fit,
            output_size=output_size,
            limit=limit,
            style=style,
            progress=progress,
            begun=lambda _: frames.begun(),
            each=frames.step,
        )
    if as_json:
        print_json(asdict(shown))
        return
    print_fields(
        f"{shown.source} through {shown.bundle}",
        [
            (
                "frames",
                f"{shown.frames}, {shown.keyframes} of them {'a keyframe' if shown.keyframes == 1 else 'keyframes'}",
            ),
            ("speed", f"{shown.fps:.1f} fps with drawing and encoding"),
            ("latency", ", ".join(f"{branch} {ms:.1f} ms" for branch, ms in shown.latency_ms.items()) + " (medians)"),
            ("ran", shown.ran),
            ("chosen", shown.chosen),
            ("motion", shown.motion),
            ("seen", ", ".join(f"{name} {share:.0%}" for name, share in list(shown.classes.items())[:6])),
            *shown.files.items(),
        ],
    )
    click.echo(f"next: {_next(None if source is None else shown.source)}")


def _next(source: str | None) -> str:
    """Return what to type next: after the street a video of one's own, after that how fast it is."""
    if source is None:
        return f"{program()} run YOUR.mp4 overlay.mp4"
    return f"{program()} bench {quote(source)}"
