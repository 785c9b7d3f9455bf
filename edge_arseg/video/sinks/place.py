"""Where sinks write, compared with what is read and with each other before anything is opened."""

import os
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edge_arseg.errors import SinkError
from edge_arseg.storage.files.identity import Identity, descriptor_of, identity, identity_of_descriptor, is_special
from edge_arseg.storage.files.output import check_inputs, check_output
from edge_arseg.storage.standard_output import STDOUT
from edge_arseg.storage.url import HIDDEN, address_of, label_of, may_be_a_name, part_of_label, printable
from edge_arseg.suggestion import did_you_mean
from edge_arseg.video.sinks.base import Sink, sink_errors
from edge_arseg.video.sinks.class_ids.masks import check_masks
from edge_arseg.video.sinks.look import Look
from edge_arseg.video.sinks.meant import sink_meant
from edge_arseg.video.sources.kinds import SourceKind
from edge_arseg.video.uri import Source, path_from_file_uri

_REFUSED = {
    "display": "this package opens no window; let a player show the video: mkfifo live.mkv; ffplay live.mkv & "
    "edge-arseg run SOURCE live.mkv",
}
"""Schemes that people type and that name no sink: what to type instead."""


@dataclass(frozen=True, slots=True)
class SinkKind:
    """A kind of sink: how its place is written, and what opens it.

    Attributes:
        expected: how one is written, for messages.
        open: from a place to the sink.
        placed: it writes to a path. What does not takes anything behind ``://``.
        folder: the path is a folder of masks.
        descriptors: ``-`` stands for the standard output, and an open file may be named.
        suffixes: endings that the file must have; empty: any.
        draws: it needs the source's pictures; see ``Sink.draws``.
        waits: a write may take as long as its place does; beside a live source a thread writes.
        takes: whether a sink at a path writes or removes a file; of kinds that write several.
        check: of the place, and whether results may be replaced, instead of the check for one file or for masks;
            raises ``SinkError``.
    """

    expected: str
    open: "Callable[[Place, Look], Sink]"
    placed: bool = True
    folder: bool = False
    descriptors: bool = False
    suffixes: tuple[str, ...] = ()
    draws: bool = False
    waits: bool = True
    takes: Callable[[Path, Path], bool] | None = None
    check: "Callable[[Place, bool], None] | None" = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where one sink writes.

    Attributes:
        uri: for messages: as given, without a login.
        kind: of the sink.
        path: the file or folder, links followed; ``None`` where there is none.
        descriptor: the open file that is written to instead, such as the standard output.
        url: of a kind that is not placed: as given, with the login: never show it.
    """

    uri: str
    kind: SinkKind
    path: Path | None = None
    descriptor: int | None = None
    url: str = field(default="", repr=False)

    @property
    def identity(self) -> Identity | None:
        """What another sink on the same place shares; ``None`` where several may write."""
        if self.descriptor is not None:
            return identity_of_descriptor(self.descriptor) or ("descriptor", self.descriptor)
        if self.kind.check is not None and self.path is None:
            return ("url", *address_of(self.url))
        if self.path is None or (is_special(self.path) and not stat.S_ISFIFO(self.path.stat().st_mode)):
            return None
        return identity(self.path)

    def takes(self, file: Path) -> bool:
        """Whether the sink writes or removes a file, or the link that leads to it, among others of its own."""
        if self.path is None or self.kind.takes is None:
            return False
        return any(self.kind.takes(self.path, one) for one in {file, Path(os.path.realpath(file))})


def place_from_uri(uri: str, kinds: Mapping[str, SinkKind]) -> Place:
    """Parse the name of a sink; see ``open_sink``. Nothing is opened.

    Args:
        uri: of the sink.
        kinds: by scheme; ``file`` is that of a plain path.

    Raises:
        SinkError: it names no sink.
    """
    label = label_of(uri)
    if not may_be_a_name(uri):
        raise SinkError(f"cannot write {label}: no file can be called that; check the name")
    scheme, separator, rest = uri.partition("://")
    scheme = scheme.lower()
    if not separator or scheme == "file":
        decoded = path_from_file_uri(uri)
        rest = uri if decoded is None else decoded
        scheme = _scheme_of_path(rest, kinds)
    kind = kinds.get(scheme)
    if kind is None and scheme in _REFUSED:
        raise SinkError(f"cannot write {label}: {_REFUSED[scheme]}")
    if kind is None:
        meant = did_you_mean(scheme, kinds)
        raise SinkError(
            f"cannot write {label}: unknown scheme {scheme}://; {meant}{' ' if meant else ''}{_expected(kinds)}"
        )
    if not kind.placed:
        place = Place(label, kind, url=uri)
        if kind.check is not None:
            kind.check(place, False)
        return place
    if not rest:
        raise SinkError(f"cannot write {label!r}: no path; {_expected(kinds)}")
    if kind.descriptors and (rest == "-" or descriptor_of(rest) is not None):
        return Place(label, kind, descriptor=STDOUT if rest == "-" else descriptor_of(rest))
    with sink_errors(label):
        path = Path(os.path.realpath(rest))
    if kind.suffixes and path.suffix.lower() not in kind.suffixes and Path(rest).suffix.lower() not in kind.suffixes:
        ending = part_of_label(label, path.suffix)
        seen = f"the ending {ending}" if path.suffix else "a name without an ending"
        better = "" if HIDDEN in label else sink_meant(rest, kinds)
        meant = f"did you mean {better}? " if better else ""
        raise SinkError(f"cannot write {label}: {seen} names no sink; {meant}{_expected(kinds)}")
    return Place(label, kind, path)


def _scheme_of_path(path: str, kinds: Mapping[str, SinkKind]) -> str:
    """Return the kind that has the ending of a plain path to itself, else ``file``."""
    ending = Path(path).suffix.lower()
    return next((scheme for scheme, kind in kinds.items() if ending in kind.suffixes), "file")


def _expected(kinds: Mapping[str, SinkKind]) -> str:
    *others, last = dict.fromkeys(kind.expected for kind in kinds.values())
    return f"expected {', '.join(others)} or {last}"


def check_places(
    places: Sequence[Place],
    *,
    source: Source | None = None,
    inputs: Iterable[Path] = (),
    force: bool = False,
) -> None:
    """Refuse places where something of the user's would be lost. Nothing is opened for writing.

    Args:
        places: of all sinks of a run.
        source: what is read meanwhile.
        inputs: files that are read too, and bundles.
        force: results that are there may be replaced.

    Raises:
        SinkError: a place is read from, is another sink's, is being written to by another process, or holds results.
        SourceError: ``images://`` without images.
    """
    images: list[Path] = []
    if source is not None and source.kind == SourceKind.IMAGES:
        from edge_arseg.video.sources.images import image_paths

        images = image_paths(source)
    seen: dict[Identity, str] = {}
    read_too = tuple(inputs)
    for place in places:
        with sink_errors(place.uri):
            own = place.identity
        if own is not None and own in seen:
            raise SinkError(f"cannot write {place.uri}: {seen[own]} writes there too; choose another name")
        if own is not None:
            seen[own] = place.uri
        if source is not None and place.url and address_of(place.url) == address_of(source.uri):
            raise SinkError(f"cannot write {place.uri}: it is the source, which is being read; choose another address")
        if source is not None:
            _check_source(place, own, source, images)
        _check_inside(place, places)
        if place.path is None:
            continue
        with sink_errors(place.uri):
            if place.kind.check is not None:
                check_inputs(place.path, read_too, what=place.uri)
                place.kind.check(place, force)
            elif place.kind.folder:
                check_inputs(place.path, read_too, what=place.uri)
                check_masks(place.uri, place.path, force=force)
            else:
                unless = "; if it is the source, it comes before the sinks" if place.kind.draws else ""
                check_output(place.path, force=force, inputs=read_too, what=place.uri, unless=unless)


def _check_source(place: Place, own: Identity | None, read: Source, images: list[Path]) -> None:
    """Refuse a place that is the source, or where a sink of many files would write one of the source's."""
    files = images or read.files
    if own is None or not files:
        return
    fault = SinkError(f"cannot write {place.uri}: it is the source, which is being read; choose another name")
    there = place.path is None or os.path.lexists(place.path)  # else it can be none of the files
    if there and not place.kind.folder and any(own == identity(file) for file in files if os.path.lexists(file)):
        raise fault
    folders = {file.parent for file in images} | {Path(os.path.realpath(f)).parent for f in images if f.is_symlink()}
    if place.kind.folder and any(identity(folder) == own for folder in folders):
        raise SinkError(f"cannot write {place.uri}: images of the source are in this folder; choose another folder")
    if taken := next((file for file in files if place.takes(file)), None):
        raise SinkError(
            f"cannot write {place.uri}: it would replace {printable(taken.name)}, which is being read; choose another "
            "name"
        )


def _check_inside(place: Place, places: Sequence[Place]) -> None:
    """Refuse a file that another sink writes among others, and a file where another sink needs a folder."""
    if place.path is None or place.kind.folder:
        return
    for other in places:
        if other.path is None or other is place:
            continue
        if other.takes(place.path) or place.path in other.path.parents:
            raise SinkError(f"cannot write {place.uri}: {other.uri} writes there too; choose another name")
