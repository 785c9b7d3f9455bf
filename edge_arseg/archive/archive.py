"""All videos of an archive, from what was asked for to a summary."""

import hashlib
import json
import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from edge_arseg.archive.executors.contract import Executor
from edge_arseg.archive.outcome import Outcome
from edge_arseg.archive.pieces.cutting import Assembly, Cut, Cuts, Joining, assembly_of
from edge_arseg.archive.segmenting import Video
from edge_arseg.archive.settings import Settings
from edge_arseg.archive.staging import target_of
from edge_arseg.errors import SinkError, SourceError
from edge_arseg.storage.object_store import is_object
from edge_arseg.storage.url import label_of
from edge_arseg.video.sources.kinds import SourceKind
from edge_arseg.video.uri import source_from_uri

_log = logging.getLogger(__name__)

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
        if source.live or source.kind == SourceKind.PIPE:
            raise SourceError(
                f"{source.label}: one of many sources has to be a file, which ends and can be read again; run it alone"
            )
        targets = tuple(target_of(sink) for sink in sinks)
        # by the places alone, so that an archive can be moved with its records
        names = [
            target.uri if target.place is None or records is None else _beside(target.place, records)
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
            raise SinkError(f"the records in {label_of(video.records or '')}: {error.strerror or error}") from error
        if isinstance(found, Outcome):
            whole[video.key] = found
            found = video
        planned.append(found)
    return Plan(tuple(planned), whole)


def _cleared(video: Video) -> None:
    """Remove the pieces of a video that is whole; a store may refuse that, which costs room and nothing else."""
    try:
        Assembly(video, ()).clear()
    except OSError as error:
        _log.warning("%s: its pieces cannot be removed: %s", video.label, error.strerror or error)


def _beside(place: str, records: str) -> str:
    if is_object(place) or is_object(records):
        return place.removeprefix(records)
    return os.path.relpath(place, records)


class Told(Protocol):
    """Hears how far an archive is."""

    def part(self, video: Video, share: float) -> None:
        """A piece is done that is this share of its video, 0 to 1."""

    def uncut(self, video: Video, why: str) -> None:
        """A piece failed: the video is segmented again in one piece."""

    def done(self, video: Video, outcome: Outcome) -> None:
        """A video is done, or has failed."""


def run_archive(
    plan: Plan,
    executor: Executor,
    settings: Settings,
    told: Told,
    *,
    piece_s: float | None = None,
    resume: bool = False,
) -> dict[str, Outcome]:
    """Segment what is left.

    A video in pieces of which one fails is segmented again in one piece: that says what is wrong, or nothing is.

    Args:
        plan: what is to be done.
        executor: what does it, entered.
        settings: bundle and options.
        told: hears how far it is.
        piece_s: least seconds of a piece; ``None``: videos are not cut.
        resume: leave out pieces that are whole.

    Returns:
        Outcomes by key, those of an earlier command too.

    Raises:
        ArsegError: no video can be segmented.
    """
    outcomes = dict(plan.whole)
    assemblies: dict[str, Assembly] = {}  # by the keys of their pieces
    for video in plan.left:
        executor.submit(video if piece_s is None else Cut(video, piece_s))
    for task, result in executor.completed():
        if isinstance(task, Cut) and isinstance(result, Cuts):
            if not result.spans:
                executor.submit(task.video)
                continue
            try:
                assembly = assembly_of(task.video, result, settings, resume=resume)
            except OSError as error:
                why = f"cannot read or remove the pieces of {task.video.label}: {error.strerror or error}"
                outcomes[task.video.key] = failed = task.video.failed(why)
                told.done(task.video, failed)
                continue
            assemblies |= {piece.key: assembly for piece in assembly.pieces}
            for piece in assembly.left:
                executor.submit(piece)
            if not assembly.left:
                executor.submit(assembly.joining())
        elif isinstance(task, Video) and task.key in assemblies:
            assembly = assemblies[task.key]
            assembly.outcomes[task.key] = result
            told.part(assembly.video, 1 / len(assembly.pieces))
            if not assembly.left and assembly.fault is None:
                executor.submit(assembly.joining())
            elif not assembly.left:
                told.uncut(assembly.video, str(assembly.fault))
                executor.submit(assembly.video)
        else:
            assert isinstance(task, (Video, Cut, Joining))
            video = task if isinstance(task, Video) else task.video
            outcomes[video.key] = result
            if piece_s is not None and result.error is None:
                _cleared(video)
            told.done(video, result)
    return outcomes
