"""``edge-arseg run``."""

from contextlib import ExitStack
from pathlib import Path

import click

from edge_arseg.cli.engine_choice import announced_choice
from edge_arseg.cli.geometry_options import fit_option, output_size_option
from edge_arseg.cli.options import bundle_option, engine_options, motion_options, stream_option
from edge_arseg.cli.progress import FrameProgress
from edge_arseg.cli.source import files_of_sources, source_and_sinks
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.mode import Mode
from edge_arseg.spec.geometry.placement import OutputSize


@click.command()
@click.argument("arguments", nargs=-1, metavar="SOURCE [SINK]...")
@bundle_option
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode]),
    help="Branches that run. [default: ar; hr where the bundle has the HR branch alone]",
)
@motion_options
@stream_option
@fit_option
@output_size_option
@engine_options
@click.option("--interval", type=click.IntRange(1), help="Frames between keyframes, at most. [default: the bundle's]")
@click.option("--scene-cut", type=click.FloatRange(0, 1), default=0.5, show_default=True, help="1: off.")
@click.option("--follow-codec", is_flag=True, help="The stream's own intra frames become keyframes too.")
@click.option("--limit", type=click.IntRange(1), help="Stop after this many frames.")
@click.option("--alpha", type=click.FloatRange(0, 1), default=0.5, show_default=True, help="Of the overlay's colours.")
@click.option("--force", is_flag=True, help="Permission to replace results that are there already. [default: refused]")
def run(
    arguments: tuple[str, ...],
    bundle: Path | None,
    mode: str | None,
    motion: str,
    recode_scale: float,
    stream: int | None,
    fit: str | None,
    output_size: OutputSize,
    engines: EngineOptions,
    interval: int | None,
    scene_cut: float,
    follow_codec: bool,
    limit: int | None,
    alpha: float,
    force: bool,
) -> None:
    """Segment SOURCE and write the result to every SINK.

    \b
    SOURCE   a video file, /dev/video0, rtsp://..., images://dir/%06d.png, test://street
             @FILE: the first line of FILE, for a URL with a password
             without SOURCE, or with -: the environment's EDGE_ARSEG_SOURCE
    SINK     overlay.mp4, masks://dir, jsonl://file or jsonl://- (stdout), null://
    """
    from edge_arseg.motion.keyframe import KeyframePolicy
    from edge_arseg.runtime.run import RunStart, run_to_sinks
    from edge_arseg.runtime.zoo import inputs_of_bundle
    from edge_arseg.video.sinks import check_sinks

    source, sinks = source_and_sinks(arguments)
    inputs = [*inputs_of_bundle(bundle), *files_of_sources(arguments)]
    check_sinks(sinks, source=source, inputs=inputs, force=force)  # before the choice, which may take minutes
    choice, (chosen_mode, *_) = announced_choice(bundle, [Mode(mode)] if mode else (), (Mode.AR, Mode.HR), engines)
    with ExitStack() as stack:
        progress = FrameProgress()

        def begun(start: RunStart) -> None:
            nonlocal progress
            click.echo(f"{choice.bundle.manifest.name}: {start.label}", err=True)
            click.echo(f"motion: {start.motion}", err=True)
            progress = stack.enter_context(FrameProgress(start.frames))

        run_to_sinks(
            choice,
            source,
            sinks,
            mode=chosen_mode,
            policy=KeyframePolicy(interval or choice.bundle.manifest.gop, scene_cut, follow_codec),
            motion=motion,
            recode_scale=recode_scale,
            stream=stream,
            fit=fit,
            output_size=output_size,
            limit=limit,
            alpha=alpha,
            inputs=inputs,
            force=force,
            begun=begun,
            each=lambda result: progress.step(result),
        )
    click.echo(progress.summary(), err=True)
