"""What ``run`` does with many videos."""

import os
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import click

from edge_arseg.archive.archive import Job, Plan, plan_of, run_archive, videos_from_jobs
from edge_arseg.archive.executors.contract import Executor
from edge_arseg.archive.executors.count import processes_that_pay
from edge_arseg.archive.executors.here import Here
from edge_arseg.archive.executors.processes import Processes
from edge_arseg.archive.outcome import Outcome
from edge_arseg.archive.pieces.joining import refuse_unjoined
from edge_arseg.archive.records import FOLDER
from edge_arseg.archive.segmenting import Video
from edge_arseg.archive.settings import Settings
from edge_arseg.archive.shelf import shelf_of
from edge_arseg.archive.staging import in_store, refuse_taken, sweep, target_of
from edge_arseg.archive.summary import is_summary, write_summary
from edge_arseg.cli.archive.apart import Places
from edge_arseg.cli.archive.options import ArchiveOptions
from edge_arseg.cli.archive.progress import ArchiveProgress, duration
from edge_arseg.cli.output import note, warn
from edge_arseg.errors import SinkError, SourceError
from edge_arseg.quantity import counted
from edge_arseg.runtime.device.cores import usable_cores
from edge_arseg.storage.files.identity import is_special
from edge_arseg.storage.files.output import check_output
from edge_arseg.storage.folders import check_writable
from edge_arseg.storage.object_store import is_object
from edge_arseg.storage.url import label_of, text_without_logins
from edge_arseg.video.sinks import plan_sinks

_TOLD = 20
"""Names of failed videos in the last line; the lines before have them all."""


def checked_videos(
    jobs: Sequence[Job], sinks: Sequence[str], options: ArchiveOptions, *, inputs: Sequence[Path], force: bool
) -> tuple[Video, ...]:
    """Return the videos, once nothing of the user's would be lost. Nothing is opened.

    Args:
        jobs: sources with their sinks.
        sinks: as typed, with ``{stem}`` in them.
        options: of the archive.
        inputs: files that are read, and bundles.
        force: results that are there may be replaced.

    Raises:
        SinkError: a result would overwrite something.
        SourceError: a source cannot be one of many.
        click.UsageError: there is no sink to resume.
    """
    if options.resume and not sinks:
        raise click.UsageError(
            "--resume follows the names of the sinks; name them, for example 'jsonl://out/{stem}.jsonl'"
        )
    records = records_place(jobs, sinks)
    videos = videos_from_jobs(jobs, records, force=force)
    if records is not None and is_object(records):
        _check_store(records)
    places = Places(videos, sinks)
    places.check()
    if options.summary is not None:
        places.check_summary(options.summary)
        known = options.resume and not is_special(options.summary) and is_summary(options.summary)
        unless = "; --resume replaces a summary and nothing else" if options.resume else ""
        check_output(options.summary, force=force or known, inputs=inputs, unless=unless)
        if not is_special(options.summary):
            check_writable(Path(os.path.realpath(options.summary)).parent, "choose another place for --summary")
    if options.piece_length is not None:
        refuse_unjoined([target for video in videos for target in video.targets])
    for video, (source, its_sinks) in zip(videos, jobs, strict=True):
        # with --resume, what is there may be whole, or the rest of a command that was killed: `plan_of` looks
        there = options.resume and video.known()
        here = [sink for sink, target in zip(its_sinks, video.targets, strict=True) if not in_store(target)]
        plan_sinks(here, source=source, inputs=inputs, force=force or there)
        if not (force or there):
            stored = [str(target.place) for target in video.targets if in_store(target)]
            refuse_taken([place for place in stored if shelf_of(place).size("") is not None])
    return videos if options.cluster is None else tuple(video.anywhere() for video in videos)


def _check_store(place: str) -> None:
    """Refuse a store that cannot be written, before an hour of work."""
    try:
        shelf = shelf_of(place)
        shelf.write(f"{FOLDER}/probe", b"")
        shelf.remove(f"{FOLDER}/probe")
    except OSError as error:
        raise SinkError(
            f"cannot write {label_of(place)}: {text_without_logins(error.strerror or str(error))}; check the name and "
            "the rights of the keys"
        ) from error


def records_place(jobs: Sequence[Job], sinks: Sequence[str]) -> str | None:
    """Return the folder that the records go to: the innermost one that the first sink has for all videos.

    ``None`` where no sink writes to a place.
    """
    for number, sink in enumerate(sinks or jobs[0][1]):
        target = target_of(jobs[0][1][number])
        if target.folder is None:
            continue
        if "{" not in sink or target.folder is None:
            return target.folder
        if in_store(target):
            return sink[sink.index(target.folder.partition("://")[0] + "://") :].partition("{")[0].rpartition("/")[0]
        fixed = sink.partition("{")[0]
        return str(Path(os.path.realpath(os.path.join(fixed.rpartition("://")[2] + "x"))).parent)  # noqa: PTH118
    return None


def run_many(videos: tuple[Video, ...], settings: Settings, options: ArchiveOptions) -> None:
    """Segment many videos.

    Args:
        videos: see ``checked_videos``.
        settings: bundle and options.
        options: of the archive.

    Raises:
        SourceError: some videos failed; each was named.
        ArsegError: no video can be segmented.
    """
    plan = plan_of(videos, settings, resume=options.resume)
    targets = [target for video in videos for target in video.targets]
    if options.resume and (removed := sweep(targets, {video.key for video in videos})):
        note(f"removed what {removed} killed runs left under hidden names")
    if plan.whole:
        note(f"{len(plan.whole)} of {counted(len(videos), 'video')} {_are(plan.whole)} whole; {len(plan.left)} to go")
    outcomes = dict(plan.whole)
    start = time.monotonic()

    def done(video: Video, outcome: Outcome) -> None:
        outcomes[video.key] = outcome
        if outcome.error is not None:
            named = "" if video.label in outcome.error else f"{video.label}: "
            warn(f"failed: {named}{outcome.error}")

    with ExitStack() as stack:
        stack.callback(lambda: _summed_up(plan, outcomes, options, time.monotonic() - start))
        if not plan.left:
            return
        _run(plan, settings, options, done)
    failed = [outcome.source for outcome in outcomes.values() if outcome.error is not None]
    if failed:
        named = ", ".join(failed[:_TOLD]) + (f" and {len(failed) - _TOLD} more" if len(failed) > _TOLD else "")
        raise SourceError(
            f"{len(failed)} of {counted(len(videos), 'video')} failed: {named}; see above for the reasons"
        )


def _run(plan: Plan, settings: Settings, options: ArchiveOptions, done: Callable[[Video, Outcome], None]) -> None:
    count = options.processes or processes_that_pay(
        plan.left, settings.engines.backend, cut=options.piece_length is not None
    )
    if options.piece_length is None:
        count = min(count, len(plan.left))
    with ArchiveProgress(plan.left) as progress:
        executor: Executor
        if options.cluster is not None:
            from edge_arseg.archive.executors.cluster import Cluster

            executor = Cluster(options.cluster, settings, progress.segmented, note)
        elif count == 1:
            executor = Here(settings, lambda _: progress.segmented(1))
        else:
            threads = settings.engines.threads or max(1, usable_cores() // count)
            note(f"{counted(count, 'process')}, engines with {counted(threads, 'thread')} each")
            settings = replace(settings, engines=replace(settings.engines, threads=threads))
            executor = Processes(settings, count, progress.segmented, lambda _level, line: warn(line))

        class Told:
            part = staticmethod(progress.part)

            def uncut(self, video: Video, why: str) -> None:
                warn(f"{video.label} is segmented again in one piece: {why}")

            def done(self, video: Video, outcome: Outcome) -> None:
                progress.finished(video)
                done(video, outcome)

        piece_s = None if settings.limit else options.piece_length
        with executor:
            run_archive(plan, executor, settings, Told(), piece_s=piece_s, resume=options.resume)


def _are(things: Collection[object]) -> str:
    return "is" if len(things) == 1 else "are"


def _summed_up(plan: Plan, outcomes: dict[str, Outcome], options: ArchiveOptions, seconds: float) -> None:
    rows = [outcomes[video.key] for video in plan.videos if video.key in outcomes]
    new = [row for row in rows if not row.again and row.error is None]
    frames = sum(row.frames for row in new)
    if new:
        count = counted(len(new), "video")
        note(f"{count}, {counted(frames, 'frame')}, {frames / seconds:.1f} fps, {duration(seconds)}")
    if options.summary is not None:
        write_summary(options.summary, rows)
        note(f"the summary is in {options.summary}")
