"""All videos of an archive, from what was asked for to a summary."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from edge_arseg.archive.executors.contract import Executor
from edge_arseg.archive.outcome import Outcome
from edge_arseg.archive.segmenting import Video
from edge_arseg.archive.settings import Settings
from edge_arseg.archive.staging import target_of
from edge_arseg.errors import SinkError, SourceError
from edge_arseg.video.uri import source_from_uri

Job = tuple[str, tuple[str, ...]]
"""A source and its sinks."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done.

    Attributes:
        videos: of the archive, in order.
        whole: outcomes of those that an earlier command finished, by key.
    """

    videos: tuple[Video, ...]
    whole: dict[str, Outcome]

    @property
    def left(self) -> list[Video]:
        """The videos that are still to be segmented."""
        return [video for video in self.videos if video.key not in self.whole]


def videos_from_jobs(jobs: Iterable[Job], records: str | None, *, force: bool) -> tuple[Video, ...]:
    """Return the videos of an archive.

    Args:
        jobs: sources with their sinks.
        records: folder of the records; ``None``: no sink writes to a place.
        force: results that are there may be replaced.

    Raises:
        SourceError: a source never ends, or cannot be read again.
        SinkError: a sink cannot be one of an archive.
    """
    run = os.urandom(8).hex()
    videos = []
    for text, sinks in jobs:
        source = source_from_uri(text)
        if source.live or source.kind == "pipe":
            raise SourceError(
                f"{source.label}: one of many sources has to be a file, which ends and can be read again; run it alone"
            )
        targets = tuple(target_of(sink) for sink in sinks)
        # by the places alone, so that an archive can be moved with its records
        names = [
            target.uri if target.place is None or records is None else os.path.relpath(target.place, records)
            for target in targets
        ]
        key = hashlib.sha256(json.dumps([names, source.name]).encode()).hexdigest()[:24]
        videos.append(Video(key, text, targets, records, run, force))
    return tuple(videos)


def plan_of(videos: Sequence[Video], settings: Settings, *, resume: bool) -> Plan:
    """Return what is left to do.

    Args:
        videos: of the archive.
        settings: bundle and options.
        resume: leave out what is whole.

    Raises:
        SinkError: the records cannot be read, or say that what is there was made otherwise.
    """
    if not resume:
        return Plan(tuple(videos), {})
    whole: dict[str, Outcome] = {}
    planned = []
    for video in videos:
        try:
            found = video.whole(settings)
        except SinkError:
            raise
        except OSError as error:
            raise SinkError(f"the records in {video.records}: {error.strerror or error}") from error
        if isinstance(found, Outcome):
            whole[video.key] = found
            found = video
        planned.append(found)
    return Plan(tuple(planned), whole)


def run_archive(
    plan: Plan, executor: Executor, done: Callable[[Video, Outcome], None] = lambda *_: None
) -> dict[str, Outcome]:
    """Segment what is left.

    Args:
        plan: what is to be done.
        executor: what does it, entered.
        done: called with each video that is done or has failed.

    Returns:
        Outcomes by key, those of an earlier command too.

    Raises:
        ArsegError: no video can be segmented.
    """
    outcomes = dict(plan.whole)
    for video in plan.left:
        executor.submit(video)
    for task, outcome in executor.completed():
        assert isinstance(task, Video)
        outcomes[task.key] = outcome
        done(task, outcome)
    return outcomes
