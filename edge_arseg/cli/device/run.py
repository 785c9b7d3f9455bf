"""``edge-arseg run``."""

from contextlib import ExitStack
from pathlib import Path

import click

from edge_arseg.cli.engine_choice import announced_choice
from edge_arseg.cli.options import bundle_option, engine_options, motion_options, stream_option
from edge_arseg.cli.progress import FrameProgress
from edge_arseg.cli.source import files_of_sources, source_and_sinks
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.pipeline import Mode


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
    from edge_arseg.runtime.segmenter import Segmenter
    from edge_arseg.runtime.zoo import inputs_of_bundle
    from edge_arseg.video.sinks import check_sinks, open_sinks

    source, sinks = source_and_sinks(arguments)
    inputs = [*inputs_of_bundle(bundle), *files_of_sources(arguments)]
    check_sinks(sinks, source=source, inputs=inputs, force=force)
    choice, (chosen_mode, *_) = announced_choice(bundle, [Mode(mode)] if mode else (), (Mode.AR, Mode.HR), engines)
    checked = choice.bundle
    policy = KeyframePolicy(interval or checked.manifest.gop, scene_cut, follow_codec)
    with ExitStack() as stack:
        segmenter = stack.enter_context(Segmenter(choice, mode=chosen_mode, policy=policy))
        reader = stack.enter_context(segmenter.open(source, motion=motion, recode_scale=recode_scale, stream=stream))
        opened = open_sinks(
            sinks,
            size=segmenter.size,
            rate=reader.rate or 30.0,
            classes=checked.manifest.model.classes,
            alpha=alpha,
            source=source,
            inputs=inputs,
            force=force,
        )
        for sink in opened:
            stack.enter_context(sink)
        click.echo(f"{checked.manifest.name}: {segmenter.pipeline.label}", err=True)
        click.echo(f"motion: {reader.motion_source.value} ({reader.motion_reason})", err=True)
        progress = stack.enter_context(FrameProgress(min(filter(None, (reader.frame_count, limit)), default=None)))
        for result in segmenter.segment(reader):
            for sink in opened:
                sink.write(result)
            progress.step(result)
            if progress.done == limit or (opened and all(sink.finished for sink in opened)):
                break
    click.echo(progress.summary(), err=True)
