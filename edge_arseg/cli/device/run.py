"""``edge-arseg run``."""

from contextlib import ExitStack
from pathlib import Path

import click

from edge_arseg.cli.archive.options import ArchiveOptions, archive_options
from edge_arseg.cli.device.live_options import live_options
from edge_arseg.cli.engine_choice import announced_choice
from edge_arseg.cli.geometry_options import fit_option, output_size_option
from edge_arseg.cli.live.record_option import record_option
from edge_arseg.cli.live.segment_option import segment_option
from edge_arseg.cli.options import bundle_option, engine_options, motion_options, stream_option
from edge_arseg.cli.output import note, warn
from edge_arseg.cli.overlay_options import overlay_options
from edge_arseg.cli.progress import FrameProgress
from edge_arseg.cli.service.serve_options import Serving, serve_options
from edge_arseg.cli.source import files_of_sources, sources_and_sinks
from edge_arseg.motion.policies.naming import KEYFRAMES
from edge_arseg.quantity import counted
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.mode import Mode
from edge_arseg.spec.geometry.placement import OutputSize
from edge_arseg.video.delivery.options import LiveOptions
from edge_arseg.video.overlay.style import OverlayStyle


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
    default=0.3,
    show_default=True,
    help="Share of a frame without motion vectors, 0 to 1, above which it becomes a keyframe; 1 turns this off.",
)
@click.option("--follow-codec", is_flag=True, help="Keyframes at the stream's own intra frames too. [default: off]")
@click.option("--limit", type=click.IntRange(1), help="Number of frames after which the run ends. [default: all]")
@live_options
@serve_options
@archive_options
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
    serving: Serving,
    archive: ArchiveOptions,
    segment_s: float | None,
    record: Path | None,
    style: OverlayStyle,
    force: bool,
) -> None:
    """Segment SOURCE and write the result to every SINK.

    \b
    SOURCE   a video file, a folder of images, 0 (the first camera), rtsp://..., test://street
             a folder of videos, or a pattern in quotes ('dir/*.mp4'): all of them
             -: a video piped in
             @FILE: the source in FILE, such as a URL with a password; or the sources in it, one a line
             without SOURCE: the environment's EDGE_ARSEG_SOURCE
    SINK     overlay.mp4 (.mkv .mov .webm .avi .gif), masks://dir, jsonl://file or jsonl://- (stdout),
             raw://file or raw://- (a byte for each pixel), classes.npz, null://
             pushed: rtsp://, rtmp://, udp://, tcp://; hls://dir; mqtt://host/topic; log.rrd or rerun://host
             {stem} in a name: the name of the source, without its ending; {parent}: that of its folder
             without SINK: an overlay video in this folder, named after the source; with --serve nothing
    """
    from edge_arseg.cli.device.recordings import Job, jobs_from_arguments, refuse_expanded_pattern, summary
    from edge_arseg.cli.meant.idle import Facts, idle_options
    from edge_arseg.cli.service.watching import check_place, sinks_beside, watching
    from edge_arseg.motion.policies.naming import in_background, policy_named
    from edge_arseg.runtime.run import RunStart, run_to_sinks
    from edge_arseg.runtime.zoo import inputs_of_bundle
    from edge_arseg.spec.frame import SegmentedFrame
    from edge_arseg.storage.object_store import names_object
    from edge_arseg.video.presence import refuse_missing
    from edge_arseg.video.sinks import plan_sinks
    from edge_arseg.video.tape.place import check_recording
    from edge_arseg.video.uri import source_from_uri

    check_place(serving)
    sources, sinks = sources_and_sinks(arguments)
    source = sources[0]
    sinks = sinks_beside(serving, sinks)
    inputs = [*inputs_of_bundle(bundle), *files_of_sources(arguments)]
    refuse_expanded_pattern(source, sinks)
    jobs = jobs_from_arguments(sources, sinks)
    many = len(jobs) > 1 or archive.asked or any(map(names_object, sinks))
    watched = click.get_current_context().with_resource(watching(serving, live.max_age_ms, many=many))
    if many:
        if segment_s is not None:
            raise click.UsageError("--segment is for one video; of many, each has its own file: leave it out")
        if record is not None:
            raise click.UsageError("--record is for one camera or stream; videos are files already: leave it out")
        from edge_arseg.cli.archive.command import checked_videos

        videos = checked_videos(jobs, sinks, archive, inputs=inputs, force=force)
    else:  # before the choice, which may take minutes
        if not live.wait:
            refuse_missing(source_from_uri(jobs[0][0]))
        plan = plan_sinks(jobs[0][1], source=jobs[0][0], inputs=inputs, force=force, segment_s=segment_s)
        if record is not None:
            check_recording(record, plan, force=force)
        read = source_from_uri(jobs[0][0])
        for line in idle_options(
            click.get_current_context(),
            Facts(
                read.label,
                live=read.live,
                rtsp=read.location.startswith(("rtsp://", "rtsps://")),
                realtime=live.realtime,
                movies=any(place.kind.draws and place.kind.suffixes for place in plan.places),
                draws=plan.draws or serving.place is not None,
                mode=mode or Mode.AR.value,
                motion=motion,
            ),
        ):
            warn(line)
    if not sinks:
        note(f"no sink named: writes {jobs[0][1][0]}{' and so on' if len(jobs) > 1 else ''}")
    choice, (chosen_mode, *_) = announced_choice(bundle, [Mode(mode)] if mode else (), (Mode.AR, Mode.HR), engines)
    if many:
        from edge_arseg.archive.settings import Settings
        from edge_arseg.cli.archive.command import run_many

        settings = Settings(
            choice.bundle.path.resolve(),
            choice.bundle.digest,
            choice.options,
            engines.backend,
            chosen_mode,
            keyframes,
            interval or choice.bundle.manifest.gop,
            scene_cut,
            follow_codec,
            motion,
            recode_scale,
            stream,
            fit,
            output_size,
            live,
            limit,
            style,
        )
        watched.many(len(videos))
        run_many(videos, settings, archive)
        return
    policy = policy_named(keyframes, interval or choice.bundle.manifest.gop, scene_cut, follow_codec=follow_codec)
    background = in_background(keyframes)
    watched.chosen(choice.bundle.manifest, style, source)

    def one(job: Job) -> None:
        source, sinks = job
        with ExitStack() as stack:
            progress = FrameProgress()

            def begun(start: RunStart) -> None:
                nonlocal progress
                note(f"{choice.bundle.manifest.name}: {start.label}")
                note(f"motion: {start.motion}")
                watched.begun(start, style, source)
                progress = stack.enter_context(FrameProgress(start.frames, live.max_age_ms))

            def each(result: SegmentedFrame) -> None:
                progress.step(result)
                watched.step(result, progress.rate)

            stack.push(
                lambda _kind, error, _trace: (
                    note(summary(progress, sinks, error, segmented=segment_s is not None)) if progress.done else None
                )
            )
            done = run_to_sinks(
                choice,
                source,
                [*sinks, *watched.sinks()],
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
                each=each,
                waiting=watched.waiting,
            )
            for sink, dropped in done.dropped.items():
                note(f"{sink}: {counted(dropped, 'result')} dropped for lack of time")

    one(jobs[0])
