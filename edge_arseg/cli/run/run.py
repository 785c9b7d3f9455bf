"""``edge-arseg run``."""

from pathlib import Path
from typing import Any

import click

from edge_arseg.cli.archive.options import ArchiveOptions, archive_options
from edge_arseg.cli.engine_choice import announced_choice
from edge_arseg.cli.geometry_options import fit_option, output_size_option
from edge_arseg.cli.options import bundle_option, engine_options, motion_options, stream_option
from edge_arseg.cli.output import note
from edge_arseg.cli.overlay_options import overlay_options
from edge_arseg.cli.run.live_options import live_options
from edge_arseg.cli.run.options import RunOptions
from edge_arseg.cli.run.record_option import record_option
from edge_arseg.cli.run.segment_option import segment_option
from edge_arseg.cli.service.serve_options import Serving, serve_options
from edge_arseg.cli.source import files_of_sources, sources_and_sinks
from edge_arseg.motion.policies.naming import KEYFRAMES
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.mode import Mode


@click.command()
@click.argument("arguments", nargs=-1, metavar="SOURCE [SINK]...")
@bundle_option
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode]),
    help="Branches that run: ar, HR on keyframes and LR between; hr or lr, one of them on every frame. [default: ar; "
    "hr where the bundle has the HR branch alone]",
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
    engines: EngineOptions,
    serving: Serving,
    archive: ArchiveOptions,
    **typed: Any,
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
    from edge_arseg.cli.run.recordings import jobs_from_arguments, refuse_expanded_pattern
    from edge_arseg.cli.service.watching import check_place, sinks_beside, watching
    from edge_arseg.runtime.bundles.zoo import inputs_of_bundle
    from edge_arseg.storage.object_store import names_object

    options = RunOptions(**typed)
    check_place(serving)
    sources, sinks = sources_and_sinks(arguments)
    sinks = sinks_beside(serving, sinks)
    inputs = [*inputs_of_bundle(bundle), *files_of_sources(arguments)]
    refuse_expanded_pattern(sources[0], sinks)
    jobs = jobs_from_arguments(sources, sinks)
    many = len(jobs) > 1 or archive.asked or any(map(names_object, sinks))
    watched = click.get_current_context().with_resource(watching(serving, options.live.max_age_ms, many=many))
    # What can be refused is refused before the choice, which may take minutes.
    if many:
        from edge_arseg.cli.archive.command import checked_videos, run_many

        _refuse_of_one(options)
        videos = checked_videos(jobs, sinks, archive, inputs=inputs, force=options.force)
    else:
        from edge_arseg.cli.run.one_source import check_source, segment_source

        check_source(jobs[0], options, inputs, watched=serving.place is not None)
    if not sinks:
        note(f"no sink named: writes {jobs[0][1][0]}{' and so on' if len(jobs) > 1 else ''}")
    asked = [Mode(options.mode)] if options.mode else ()
    choice, (mode, *_) = announced_choice(bundle, asked, (Mode.AR, Mode.HR), engines)
    if many:
        watched.many(len(videos))
        run_many(videos, options.settings(choice, mode, engines.backend), archive)
    else:
        segment_source(jobs[0], choice, mode, options, inputs, watched)


def _refuse_of_one(options: RunOptions) -> None:
    """Refuse options that are for one source, where there are many."""
    if options.segment_s is not None:
        raise click.UsageError("--segment is for one video; of many, each has its own file: leave it out")
    if options.record is not None:
        raise click.UsageError("--record is for one camera or stream; videos are files already: leave it out")
