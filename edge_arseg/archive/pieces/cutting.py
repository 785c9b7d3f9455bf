"""One long video in pieces: cut, segmented, joined."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from edge_arseg.archive.fingerprint import fingerprint_of
from edge_arseg.archive.outcome import Outcome, joined_outcome
from edge_arseg.archive.pieces.joining import JOINS, ONE_SIZE
from edge_arseg.archive.records import PLACING, Record
from edge_arseg.archive.segmenting import Place, Video
from edge_arseg.archive.settings import Settings
from edge_arseg.archive.shelf import shelf_of
from edge_arseg.archive.staging import Staged
from edge_arseg.errors import SinkError, SourceError
from edge_arseg.spec.geometry.placement import SOURCE
from edge_arseg.storage.scratch import scratch_folder
from edge_arseg.video.pieces.cuts import spans_of
from edge_arseg.video.pieces.span import Span
from edge_arseg.video.reader import open_video
from edge_arseg.video.uri import source_from_uri
from edge_arseg.video.vectors.contest import STEPS

PIECES = ".edge-arseg/pieces"
"""Folder of the results of pieces, beside those of videos."""


@dataclass(frozen=True, slots=True)
class Cuts:
    """Where a video is cut.

    Attributes:
        spans: the pieces; none: it is not cut.
        motion: where the vectors of all pieces come from.
    """

    spans: tuple[Span, ...] = ()
    motion: str = ""


@dataclass(frozen=True, slots=True)
class Cut:
    """The task of looking where a video can be cut.

    Attributes:
        video: the whole.
        length_s: seconds of a piece, at least.
    """

    video: Video
    length_s: float

    def failed(self, error: str) -> Outcome:
        """See ``Task``."""
        return self.video.failed(error)

    def perform(self, place: Place) -> Cuts:
        """Look; a video that cannot be read is not cut, and says so when it is segmented."""
        source, settings = source_from_uri(self.video.source), place.settings
        try:
            spans = spans_of(source, self.length_s, stream=settings.stream)
            if len(spans) < 2 or not _begin_in_one_size(self.video, spans, settings):
                return Cuts()
            return Cuts(spans, settings.motion if settings.motion != "auto" else _motion_of(self.video, settings))
        except SourceError:
            return Cuts()


def _begin_in_one_size(video: Video, spans: Sequence[Span], settings: Settings) -> bool:
    """Whether results of the pieces can be joined: they have the sizes of the pictures that pieces begin with."""
    if settings.output_size != SOURCE or not any(target.scheme in ONE_SIZE for target in video.targets):
        return True
    sizes = set()
    for span in spans:
        with open_video(video.source, motion="zero", stream=settings.stream, span=span) as reader:
            sizes.add(reader.output_size)
    return len(sizes) == 1


def _motion_of(video: Video, settings: Settings) -> str:
    """What ``auto`` takes after it has compared both kinds of vectors once: one kind for all pieces."""
    with open_video(video.source, stream=settings.stream, recode_scale=settings.recode_scale) as reader:
        for _ in islice(reader, STEPS + 2):
            pass
        return reader.motion_source.value


@dataclass(frozen=True, slots=True)
class Joining:
    """The task of joining the results of pieces.

    Attributes:
        video: the whole.
        pieces: of it, in order.
        outcomes: of the pieces.
    """

    video: Video
    pieces: tuple[Video, ...]
    outcomes: tuple[Outcome, ...]

    def failed(self, error: str) -> Outcome:
        """See ``Task``."""
        return self.video.failed(error)

    def perform(self, place: Place) -> Outcome:
        """Join them; what is wrong is part of the outcome."""
        start = time.monotonic()
        video = self.video
        try:
            fingerprint = fingerprint_of(source_from_uri(video.source))
            with Staged(video.targets, video.key) as staged:
                starts_s = [outcome.first_s for outcome in self.outcomes]
                for number in range(len(video.targets)):
                    made = staged.made(number)
                    if made is not None:
                        self._join(number, starts_s, made)
                whole = joined_outcome(self.outcomes)
                whole = replace(
                    whole, source=video.label, sinks=video.sinks,
                    seconds=round(whole.seconds + time.monotonic() - start, 3),
                )  # fmt: skip
                record = Record(PLACING, video.run, place.settings.digest, fingerprint, (), whole)
                return video.placed(staged, record)
        except SinkError as error:
            return video.failed(str(error))
        except OSError as error:
            return video.failed(f"{video.label}: its pieces cannot be joined: {error.strerror or error}")

    def _join(self, number: int, starts_s: Sequence[float], made: Path) -> None:
        with scratch_folder("joining") as scratch:
            parts = []
            for at, piece in enumerate(self.pieces):
                folder = scratch / str(at)
                folder.mkdir()
                parts.append(shelf_of(str(piece.targets[number].place)).local("", folder))
            JOINS[self.video.targets[number].scheme](parts, starts_s, made)


@dataclass
class Assembly:
    """A video whose pieces are on the way.

    Attributes:
        video: the whole.
        pieces: of it, in order.
        outcomes: of those that are done, by key.
    """

    video: Video
    pieces: tuple[Video, ...]
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    @property
    def left(self) -> list[Video]:
        """The pieces that are not done."""
        return [piece for piece in self.pieces if piece.key not in self.outcomes]

    @property
    def fault(self) -> str | None:
        """Why a piece failed; ``None``: none has so far."""
        return next((outcome.error for outcome in self.outcomes.values() if outcome.error is not None), None)

    def joining(self) -> Joining:
        """Return the last task, once all are done."""
        return Joining(self.video, self.pieces, tuple(self.outcomes[piece.key] for piece in self.pieces))

    def clear(self) -> None:
        """Remove what the pieces gave."""
        if self.video.records is not None:
            shelf_of(self.video.records).inside(PIECES).remove(self.video.key)


def assembly_of(video: Video, cuts: Cuts, settings: Settings, *, resume: bool) -> Assembly:
    """Return a video in pieces, those that an earlier command finished being done.

    Raises:
        OSError: the records cannot be read.
    """
    pieces = []
    folder = None if video.records is None else f"{video.records}/{PIECES}/{video.key}"
    for number, span in enumerate(cuts.spans):
        place = None if folder is None else f"{folder}/{number:06d}"
        targets = tuple(
            target if target.folder is None or place is None else replace(target, folder=place)
            for target in video.targets
        )
        # its results are nobody's but ours
        key = f"{video.key}-{number}-{span.index}-{span.frames}-{cuts.motion}"
        piece = replace(
            video, key=key, targets=targets, records=folder, force=True, span=span, motion=cuts.motion,
        )  # fmt: skip
        pieces.append(piece)
    assembly = Assembly(video, tuple(pieces))
    if not resume:
        assembly.clear()
        return assembly
    for piece in pieces:
        found = piece.whole(settings)
        if isinstance(found, Outcome):
            assembly.outcomes[piece.key] = found
    return assembly
