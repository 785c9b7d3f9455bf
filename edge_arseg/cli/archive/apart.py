"""The places of an archive, compared before anything starts: what is read stays, and nothing is written twice."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from edge_arseg.archive.segmenting import Video
from edge_arseg.archive.staging import Target
from edge_arseg.errors import SinkError
from edge_arseg.storage.files.identity import Identity, identity
from edge_arseg.storage.object_store import is_object
from edge_arseg.storage.url import label_of, printable
from edge_arseg.video.sinks.base import sink_errors
from edge_arseg.video.sources.kinds import SourceKind
from edge_arseg.video.uri import Source, source_from_uri


class Places:
    """What an archive reads and writes, by what two spellings of a place share.

    Args:
        videos: of the archive.
        sinks: as typed, with ``{stem}`` in them; none: overlays in the working directory.
    """

    def __init__(self, videos: Sequence[Video], sinks: Sequence[str]) -> None:
        self._videos, self._sinks = videos, sinks
        self._above: dict[str, tuple[Identity, ...]] = {}
        self._read: set[Identity] = set()
        self._read_in: set[Identity] = set()
        self._written: dict[Identity, tuple[Video, Target]] = {}
        self._written_in: dict[Identity, Target] = {}

    def check(self) -> None:
        """Refuse results that would overwrite a source, or the results of another video.

        Raises:
            SinkError: there are such.
            SourceError: ``images://`` without images.
        """
        for video in self._videos:
            for file in _files_of(source_from_uri(video.source)):
                with suppress(OSError):  # a source that cannot be looked at is told of when it is opened
                    self._read.add(_key(file))
                    self._read_in.update(self._folders_above(file))
        for video in self._videos:
            for number, target in enumerate(video.targets):
                if target.place is not None:
                    with sink_errors(label_of(target.uri)):
                        self._add(video, target, number)
        for video, target in self._written.values():
            for folder in self._folders_above(str(target.place)):
                self._written_in.setdefault(folder, target)
                other, around = self._written.get(folder, (video, target))
                if other is not video:
                    raise SinkError(
                        f"cannot write {label_of(target.uri)}: it is inside {label_of(around.uri)}, where the results "
                        f"of {other.label} go; choose another folder"
                    )

    def _add(self, video: Video, target: Target, number: int) -> None:
        key, label = _key(str(target.place)), label_of(target.uri)
        if key in self._read and len(self._videos) == 1:
            raise SinkError(f"cannot write {label}: it is the source, which is being read; choose another name")
        if key in self._read:
            raise SinkError(
                f"cannot write {label}: it is a source of this run too; write the results to a folder of their own, "
                f"for example '{self._elsewhere(target, number)}', or name the sources in a list (@list.txt)"
            )
        if key in self._read_in:
            raise SinkError(f"cannot write {label}: a source of this run is inside; choose another folder")
        if key in self._written:
            other, same = self._written[key]
            raise SinkError(
                f"cannot write {label}: {label_of(same.uri)} is the same place, where the results of {other.label} go; "
                "choose names that differ"
            )
        self._written[key] = video, target

    def _elsewhere(self, target: Target, number: int) -> str:
        """Return a sink like the one that was typed in another folder: an example for a message."""
        scheme, separator, path = (self._sinks[number] if self._sinks else target.uri).rpartition("://")
        return label_of(f"{scheme}{separator}results/{path.rstrip('/').rpartition('/')[2]}")

    def _folders_above(self, place: str) -> tuple[Identity, ...]:
        """Return what the folders around a place have for keys, those of a link and those of what it stands for."""
        folder = place.rpartition("/")[0] if is_object(place) else os.path.dirname(os.path.abspath(place))  # noqa: PTH100, PTH120
        if folder not in self._above:
            self._above[folder] = tuple(map(_key, _upwards(folder)))
        if is_object(place) or not Path(place).is_symlink():
            return self._above[folder]
        return self._above[folder] + self._folders_above(os.path.realpath(place))

    def check_summary(self, path: Path) -> None:
        """Refuse a summary that would overwrite a source or results, or stand among masks; called after ``check``.

        Raises:
            SinkError: it would.
        """
        told, other = f"cannot write {printable(str(path))}", "choose another name for --summary"
        with sink_errors(printable(str(path))):
            key, above = _key(str(path)), self._folders_above(str(path))
        if key in self._read or key in self._read_in:
            raise SinkError(f"{told}: a source of this run is there; {other}")
        if key in self._written or key in self._written_in:
            there = self._written[key][1] if key in self._written else self._written_in[key]
            raise SinkError(f"{told}: {label_of(there.uri)} writes there; {other}")
        for folder in above:
            if folder in self._written:
                raise SinkError(f"{told}: it is inside {label_of(self._written[folder][1].uri)}; {other}")


def _files_of(source: Source) -> list[str]:
    if source.kind == SourceKind.IMAGES:
        from edge_arseg.video.sources.images import image_paths

        return [str(path) for path in image_paths(source)]
    return [source.location] if source.kind == SourceKind.OBJECT else [str(file) for file in source.files]


def _key(place: str) -> Identity:
    if not is_object(place):
        return identity(place)
    scheme, _, rest = place.partition("://")
    return (scheme.lower(), rest)


def _upwards(folder: str) -> Iterator[str]:
    """Yield a folder and all above it; of an object store up to its bucket, of this machine up to the root."""
    if not is_object(folder):
        real = Path(os.path.realpath(folder))
        yield from map(str, (real, *real.parents))
        return
    while not folder.endswith("/"):
        yield folder
        folder = folder.rpartition("/")[0]
