"""One source of ``run``: looked at before the engines are chosen, then segmented to its sinks."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import click

from edge_arseg.cli.meant.idle import Facts, idle_options
from edge_arseg.cli.output import note, warn
from edge_arseg.cli.progress import FrameProgress
from edge_arseg.cli.run.options import RunOptions
from edge_arseg.cli.run.recordings import summary
from edge_arseg.motion.policies.naming import in_background
from edge_arseg.quantity import counted
from edge_arseg.runtime.mode import Mode
from edge_arseg.runtime.run import RunStart, run_to_sinks
from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.video.presence import refuse_missing
from edge_arseg.video.sinks import plan_sinks
from edge_arseg.video.tape.place import check_recording
from edge_arseg.video.uri import source_from_uri

if TYPE_CHECKING:
    from edge_arseg.archive.archive import Job
    from edge_arseg.cli.service.watching import Watching
    from edge_arseg.runtime.choice.engine_choice import Choice


def check_source(job: "Job", options: RunOptions, inputs: Sequence[Path], *, watched: bool) -> None:
    """Refuse what would fail or lose something later; warn of options that change nothing. Nothing is opened.

    Args:
        job: the source with its sinks.
        options: of the run.
        inputs: files that are read, and bundles.
        watched: a page shows the run.

    Raises:
        SourceError: the source is not there.
        SinkError: a sink would overwrite something, or cannot be written.
        OptionError: something that is no camera and no stream is to be recorded.
    """
    source = source_from_uri(job[0])
    if not options.live.wait:
        refuse_missing(source)
    plan = plan_sinks(job[1], source=job[0], inputs=inputs, force=options.force, segment_s=options.segment_s)
    if options.record is not None:
        check_recording(options.record, plan, force=options.force)
    facts = Facts(
        source.label,
        live=source.live,
        rtsp=source.location.startswith(("rtsp://", "rtsps://")),
        realtime=options.live.realtime,
        movies=any(place.kind.draws and place.kind.suffixes for place in plan.places),
        draws=plan.draws or watched,
        mode=options.mode or Mode.AR.value,
        motion=options.motion,
    )
    for line in idle_options(click.get_current_context(), facts):
        warn(line)


def segment_source(
    job: "Job", choice: "Choice", mode: Mode, options: RunOptions, inputs: Sequence[Path], watching: "Watching"
) -> None:
    """Segment a source to its sinks, and say how it goes and what it came to, also where it is ended early.

    Args:
        job: the source with its sinks.
        choice: bundle and engines.
        mode: that runs.
        options: of the run.
        inputs: files that are read, and bundles.
        watching: tells those who look at the run.

    Raises:
        ArsegError: see ``run_to_sinks``.
    """
    source, sinks = job
    watching.chosen(choice.bundle.manifest, options.style, source)
    with ExitStack() as stack:
        progress = FrameProgress()

        def begun(start: RunStart) -> None:
            nonlocal progress
            note(f"{choice.bundle.manifest.name}: {start.label}")
            note(f"motion: {start.motion}")
            watching.begun(start, options.style, source)
            progress = stack.enter_context(FrameProgress(start.frames, options.live.max_age_ms))

        def each(result: SegmentedFrame) -> None:
            progress.step(result)
            watching.step(result, progress.rate)

        def say_summary(
            _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
        ) -> None:
            if progress.done:
                note(summary(progress, sinks, error, segmented=options.segment_s is not None))

        stack.push(say_summary)
        done = run_to_sinks(
            choice,
            source,
            [*sinks, *watching.sinks()],
            mode=mode,
            policy=options.policy(choice),
            motion=options.motion,
            recode_scale=options.recode_scale,
            stream=options.stream,
            fit=options.fit,
            output_size=options.output_size,
            live=options.live,
            background=in_background(options.keyframes),
            limit=options.limit,
            segment_s=options.segment_s,
            record=options.record,
            style=options.style,
            inputs=inputs,
            force=options.force,
            begun=begun,
            each=each,
            waiting=watching.waiting,
            ending=watching.ending,
        )
        for sink, dropped in done.dropped.items():
            note(f"{sink}: {counted(dropped, 'result')} dropped for lack of time")
