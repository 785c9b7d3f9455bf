"""One video of an archive, from its first frame to its results being in their place."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

from edge_arseg.archive.fingerprint import fingerprint_of
from edge_arseg.archive.outcome import Outcome, Tally
from edge_arseg.archive.records import PLACING, WHOLE, Record, Records
from edge_arseg.archive.settings import Settings
from edge_arseg.archive.staging import Staged, Target, refuse_taken
from edge_arseg.errors import SinkError, SourceError
from edge_arseg.runtime.run import run_to_sinks
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.storage.uninterrupted import uninterrupted
from edge_arseg.storage.url import label_of
from edge_arseg.video.pieces.span import Span
from edge_arseg.video.uri import source_from_uri

Told = Callable[[SegmentedFrame], None]


@dataclass(frozen=True, slots=True)
class Place:
    """What tasks run with: a context that a process has once.

    Attributes:
        settings: of the archive.
        segmenter: its engines, open.
        told: called with each result.
    """

    settings: Settings
    segmenter: Callable[[], Segmenter]
    told: Told = lambda _: None


@dataclass(frozen=True, slots=True)
class Video:
    """A video to segment. It can be pickled.

    Attributes:
        key: names its record, and what lies under hidden names.
        source: as ``open_video`` takes it, with its login: never show it.
        targets: of its sinks.
        records: folder of the records; ``None``: nothing is written, and nothing is kept.
        run: of the command.
        force: what is there may be replaced.
        span: the piece of it that is segmented; ``None``: all of it.
        motion: where its vectors come from; ``None``: as the settings say.
    """

    key: str
    source: str = field(repr=False)
    targets: tuple[Target, ...]
    records: str | None
    run: str
    force: bool = False
    span: Span | None = None
    motion: str | None = None

    def anywhere(self) -> "Video":
        """Return it as a process finds it that has another working directory."""
        path = source_from_uri(self.source).path
        return self if path is None else replace(self, source=os.path.abspath(path))  # noqa: PTH100 - keeps links

    @property
    def label(self) -> str:
        """The source as it may be shown."""
        return source_from_uri(self.source).label

    @property
    def sinks(self) -> tuple[str, ...]:
        """The sinks as they may be shown."""
        return tuple(label_of(target.uri) for target in self.targets)

    def failed(self, error: str, tally: Tally | None = None) -> Outcome:
        """Return the outcome of a video that failed."""
        counted = Outcome(self.label, self.sinks, error, finished=_now())
        if tally is None:
            return counted
        return replace(counted, frames=tally.frames, keyframes=tally.keyframes, video_s=tally.video_s)

    def known(self) -> bool:
        """Whether there is a record: what is in the places is whole, or was being put there when a command ended."""
        try:
            return self._record() is not None
        except OSError:
            return False

    def whole(self, settings: Settings) -> "Outcome | Video":
        """Return what an earlier command with the same options made of it, or the video as it is to be segmented.

        Raises:
            SinkError: results are there, but not those of this command.
            OSError: the records cannot be read.
        """
        record = self._record()
        if record is None or self.records is None:
            return self
        if record.state == PLACING:  # the results that have their names already were ours
            return replace(self, force=True)
        there = Records(self.records).there(record)
        if not any(there):
            return self
        source = source_from_uri(self.source)
        why = None
        if record.settings != settings.digest:
            why = "it was made with another bundle or other options"
        elif not record.fingerprint.fits(source):
            why = f"{source.label} is another video by now"
        elif False in there:
            why = "it was changed since it was written"
        elif None not in there:
            return replace(record.outcome, again=True)
        if why is not None and not self.force:
            place = next(place for (place, _), same in zip(record.results, there, strict=True) if same is not None)
            raise SinkError(
                f"cannot write {label_of(place)}: it exists already, and {why}; type --force to replace it, or choose "
                "another name"
            )
        return replace(self, force=True)

    def _record(self) -> Record | None:
        return None if self.records is None else Records(self.records).read(self.key)

    def perform(self, place: Place) -> Outcome:
        """Segment it. What is wrong with the video or its sinks is part of the outcome.

        Raises:
            ArsegError: the engines cannot be opened, or an option cannot be used: no video would do.
        """
        if (finished := self._finished()) is not None:  # by a worker that was lost before it could say so
            return finished
        segmenter = place.segmenter()
        tally = Tally(segmenter.bundle.manifest.model.classes)

        def each(result: SegmentedFrame) -> None:
            tally.add(result)
            place.told(result)

        try:
            return self._performed(place.settings, segmenter, tally, each)
        except (SourceError, SinkError) as error:
            return self.failed(str(error), tally)

    def _finished(self) -> Outcome | None:
        try:
            record = self._record()
        except OSError:  # said when the record is written
            return None
        return None if record is None or (record.state, record.run) != (WHOLE, self.run) else record.outcome

    def _performed(self, settings: Settings, segmenter: Segmenter, tally: Tally, each: Told) -> Outcome:
        start = time.monotonic()
        try:
            fingerprint = fingerprint_of(source_from_uri(self.source))
        except OSError as error:
            raise SourceError(f"{self.label}: {error.strerror or error}; check the path") from error
        with Staged(self.targets, self.key) as staged:
            run = run_to_sinks(
                segmenter,
                self.source,
                staged.uris,
                motion=self.motion or settings.motion,
                recode_scale=settings.recode_scale,
                stream=settings.stream,
                fit=settings.fit,
                output_size=settings.output_size,
                live=settings.live,
                limit=settings.limit,
                span=self.span,
                style=settings.style,
                each=each,
            )
            outcome = Outcome(
                self.label,
                self.sinks,
                None,
                tally.frames,
                tally.keyframes,
                tally.first_s,
                tally.video_s,
                round(time.monotonic() - start, 3),
                _now(),
                run.motion,
                tally.classes,
            )
            return self.placed(staged, Record(PLACING, self.run, settings.digest, fingerprint, (), outcome))

    def placed(self, staged: Staged, record: Record) -> Outcome:
        """Put results in their places. The record says so first: who comes after a kill may replace them then.

        Raises:
            SinkError: a place is taken, or cannot be written.
        """
        if self.records is None:
            staged.put()
            return record.outcome
        records = Records(self.records)
        try:
            before = records.read(self.key)
            if before is not None and before.state == WHOLE and before.run == self.run:
                return before.outcome  # a process that was taken for dead has finished after all
            if not self.force and not (before is not None and before.state == PLACING):
                refuse_taken(staged.taken())
            with uninterrupted():
                records.write(self.key, replace(record, results=tuple(staged.planned())))
                staged.put()
                records.write(self.key, replace(record, state=WHOLE, results=tuple(staged.results)))
        except SinkError:
            raise
        except OSError as error:
            raise SinkError(f"cannot write the record of {self.label}: {error.strerror or error}") from error
        return record.outcome


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
