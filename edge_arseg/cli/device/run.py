"""``edge-arseg run``."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_arseg.cli.device.live_options import live_options
from edge_arseg.cli.engine_choice import announced_choice
from edge_arseg.cli.geometry_options import fit_option, output_size_option
from edge_arseg.cli.live.record_option import record_option
from edge_arseg.cli.live.segment_option import segment_option
from edge_arseg.cli.options import bundle_option, engine_options, motion_options, stream_option
from edge_arseg.cli.output import note
from edge_arseg.cli.overlay_options import overlay_options
from edge_arseg.cli.progress import FrameProgress
from edge_arseg.cli.source import files_of_sources, source_and_sinks
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.mode import Mode
from edge_arseg.spec.geometry.placement import OutputSize
from edge_arseg.video.delivery.options import LiveOptions
from edge_arseg.video.overlay.style import OverlayStyle

if TYPE_CHECKING:
    from edge_arseg.runtime.choice.engine_choice import Choice
    from edge_arseg.runtime.segmenter import Segmenter

KEYFRAMES = ("fixed", "async", "adaptive", "adaptive-async")


@click.command()
@click.argument("arguments", nargs=-1, metavar="SOURCE [SINK]...")
@bundle_option
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode]),
    help="Branches that run: ar, HR on keyframes and LR between; hr or lr, one of them on every frame. [default: ar; "
    "hr "
    "where the bundle has the HR branch alone]",
)
@motion_options
@stream_option
@fit_option
@output_size_option
@engine_options
@click.option(
    "--keyframes",
    type=click.Choice(KEYFRAMES),
    default=KEYFRAMES[0],
    show_default=True,
    help="Way of keyframes: fixed, at --interval and made at their frame; async, made beside the frames that follow, "
    "so that none takes longer; adaptive, where the one before predicts badly, at --interval on average; "
    "adaptive-async, both.",
)
@click.option(
    "--interval",
    type=click.IntRange(1),
    help="Longest distance from keyframe to keyframe, in frames; with adaptive keyframes the average one. [default: "
    "the bundle's GOP]",
)
@click.option(
    "--scene-cut",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="Share of a frame without motion vectors, 0 to 1, above which it becomes a keyframe; 1 turns this off.",
)
@click.option("--follow-codec", is_flag=True, help="Keyframes at the stream's own intra frames too. [default: off]")
@click.option("--limit", type=click.IntRange(1), help="Number of frames after which the run ends. [default: all]")
@live_options
@segment_option
@record_option
@overlay_options
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
    keyframes: str,
    interval: int | None,
    scene_cut: float,
    follow_codec: bool,
    limit: int | None,
    live: LiveOptions,
    segment_s: float | None,
    record: Path | None,
    style: OverlayStyle,
    force: bool,
) -> None:
    """Segment SOURCE and write the result to every SINK.

    \b
    SOURCE   a video file, a folder of images, 0 (the first camera), rtsp://..., test://street
             a folder of videos, or a pattern in quotes ('dir/*.mp4'): one after the other
             -: a video piped in
             @FILE: the first line of FILE, for a URL with a password
             without SOURCE: the environment's EDGE_ARSEG_SOURCE
    SINK     overlay.mp4 (.mkv .mov .webm .avi .gif), masks://dir, jsonl://file or jsonl://- (stdout),
             raw://file or raw://- (a byte for each pixel), classes.npz, null://
             pushed: rtsp://, rtmp://, udp://, tcp://; hls://dir; mqtt://host/topic; log.rrd or rerun://host
             {stem} in a name: the name of the source, without its ending
             without SINK: an overlay video in this folder, named after the source
    """
    from edge_arseg.cli.device.recordings import Job, jobs_from_arguments, refuse_expanded_pattern, run_jobs, summary
    from edge_arseg.motion.keyframe import KeyframePolicy
    from edge_arseg.motion.policies.adaptive import AdaptivePolicy
    from edge_arseg.runtime.run import RunStart, run_to_sinks
    from edge_arseg.runtime.segmenter import Segmenter
    from edge_arseg.runtime.zoo import inputs_of_bundle
    from edge_arseg.video.sinks import plan_sinks
    from edge_arseg.video.tape.place import check_recording

    source, sinks = source_and_sinks(arguments)
    inputs = [*inputs_of_bundle(bundle), *files_of_sources(arguments)]
    refuse_expanded_pattern(source, sinks)
    jobs = jobs_from_arguments(source, sinks)
    for one_source, its_sinks in jobs:  # before the choice, which may take minutes
        plan = plan_sinks(its_sinks, source=one_source, inputs=inputs, force=force, segment_s=segment_s)
        if record is not None:
            check_recording(record, plan, force=force)
    if not sinks:
        note(f"no sink named: writes {jobs[0][1][0]}{' and so on' if len(jobs) > 1 else ''}")
    choice, (chosen_mode, *_) = announced_choice(bundle, [Mode(mode)] if mode else (), (Mode.AR, Mode.HR), engines)
    kind = AdaptivePolicy if keyframes.startswith("adaptive") else KeyframePolicy
    policy = kind(interval or choice.bundle.manifest.gop, scene_cut, follow_codec)
    background = keyframes.endswith("async")

    def one(job: Job, runner: "Choice | Segmenter" = choice) -> None:
        source, sinks = job
        with ExitStack() as stack:
            progress = FrameProgress()

            def begun(start: RunStart) -> None:
                nonlocal progress
                note(f"{choice.bundle.manifest.name}: {start.label}")
                note(f"motion: {start.motion}")
                progress = stack.enter_context(FrameProgress(start.frames, live.max_age_ms))

            stack.callback(lambda: note(summary(progress, sinks)) if progress.done else None)
            done = run_to_sinks(
                runner,
                source,
                sinks,
                mode=chosen_mode,
                policy=policy,
                motion=motion,
                recode_scale=recode_scale,
                stream=stream,
                fit=fit,
                output_size=output_size,
                live=live,
                background=background,
                limit=limit,
                segment_s=segment_s,
                record=record,
                style=style,
                inputs=inputs,
                force=force,
                begun=begun,
                each=lambda result: progress.step(result),
            )
            for sink, dropped in done.dropped.items():
                note(f"{sink}: {dropped} results dropped, which it had no time for")

    if len(jobs) == 1:
        one(jobs[0])
        return
    with Segmenter(choice, mode=chosen_mode, policy=policy, background=background) as segmenter:
        run_jobs(jobs, lambda job: one(job, segmenter))
