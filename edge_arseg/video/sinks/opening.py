"""From the name of a sink to the sink."""

from collections.abc import Iterable
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from edge_arseg.spec.model import ClassInfo
from edge_arseg.storage.files import is_special
from edge_arseg.storage.uninterrupted import uninterrupted
from edge_arseg.video.overlay.style import DEFAULT_STYLE, OverlayStyle
from edge_arseg.video.sinks.base import Sink
from edge_arseg.video.sinks.class_ids.raw import RawSink
from edge_arseg.video.sinks.lines import LinesSink
from edge_arseg.video.sinks.masks import MasksSink
from edge_arseg.video.sinks.null import NullSink
from edge_arseg.video.sinks.place import Look, Place, SinkKind, check_places, place_from_uri
from edge_arseg.video.uri import Source, source_from_uri


def _movie(place: Place, look: Look) -> Sink:
    from edge_arseg.video.sinks.movies.movie import MovieSink  # brings all that draws, which other sinks do without

    return MovieSink(
        place.uri,
        _path(place),
        size=look.size,
        rate=look.rate,
        classes=look.classes,
        style=look.style,
        force=look.force,
    )


def _masks(place: Place, look: Look) -> Sink:
    return MasksSink(place.uri, _path(place), look.classes, force=look.force)


def _lines(place: Place, look: Look) -> Sink:
    return LinesSink(place.uri, place.path, look.classes, descriptor=place.descriptor, force=look.force)


def _raw(place: Place, look: Look) -> Sink:
    return RawSink(place.uri, place.path, look.size, descriptor=place.descriptor, force=look.force)


def _npz(place: Place, look: Look) -> Sink:
    from edge_arseg.video.sinks.class_ids.npz import NpzSink  # gzip and zipfile cost a start-up

    return NpzSink(place.uri, _path(place), look.size, look.classes, force=look.force)


def _null(place: Place, _look: Look) -> Sink:
    return NullSink(place.uri)


def _path(place: Place) -> Path:
    assert place.path is not None  # of a kind that is placed
    return place.path


_MOVIES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif")

SINKS: dict[str, SinkKind] = {
    "file": SinkKind("a video (NAME.mp4, .mkv, .webm, .gif)", _movie, suffixes=_MOVIES, draws=True),
    "masks": SinkKind("masks://DIR", _masks, folder=True),
    "jsonl": SinkKind("jsonl://FILE, jsonl://-", _lines, descriptors=True),
    "raw": SinkKind("raw://FILE, raw://-", _raw, descriptors=True),
    "npz": SinkKind("NAME.npz", _npz, suffixes=(".npz",)),
    "null": SinkKind("null://", _null, placed=False),
}
"""By scheme; ``file`` is that of a plain path. Another kind of sink is a module and a row here."""


@dataclass(frozen=True, slots=True)
class SinkPlan:
    """The sinks of a run before they are opened. Made by ``plan_sinks``.

    Attributes:
        places: of the sinks, in order.
        source: what is read meanwhile.
        inputs: files that are read too, and bundles.
        force: results that are there may be replaced.
    """

    places: tuple[Place, ...]
    source: Source | None = None
    inputs: tuple[Path, ...] = ()
    force: bool = False

    @property
    def draws(self) -> bool:
        """Whether one of them needs the source's pictures."""
        return any(place.kind.draws for place in self.places)

    def check(self) -> None:
        """Refuse sinks that would overwrite something. Nothing is opened.

        Raises:
            SinkError: see ``plan_sinks``.
        """
        check_places(self.places, source=self.source, inputs=self.inputs, force=self.force)

    def open(
        self, *, size: tuple[int, int], rate: float, classes: tuple[ClassInfo, ...], style: OverlayStyle = DEFAULT_STYLE
    ) -> list[Sink]:
        """Check again, for time has passed, and open all sinks, or none; arguments and errors are those of
        ``open_sink``.
        """
        self.check()
        look = Look(size, rate, classes, style, self.force)
        with ExitStack() as stack:
            sinks = []
            for place in self.places:
                # a pipe is opened when its reader comes, which may be never
                waits = place.path is not None and is_special(place.path)
                with nullcontext() if waits else uninterrupted():
                    sinks.append(stack.enter_context(place.kind.open(place, look)))
            stack.pop_all()
        return sinks


def plan_sinks(
    uris: Iterable[str],
    *,
    source: str | PathLike[str] | None = None,
    inputs: Iterable[Path] = (),
    force: bool = False,
) -> SinkPlan:
    """Name all sinks of a run, before a model is loaded or a camera opened. Nothing is opened.

    Args:
        uris: of the sinks; see ``open_sink``.
        source: what is read meanwhile.
        inputs: files that are read too, and bundles.
        force: results that are there may be replaced.

    Raises:
        SinkError: a URI names no sink; or its place is read from, is another sink's, is being written to by another
            process, or holds results and ``force`` is not set.
        SourceError: the source is no source.
    """
    places = tuple(place_from_uri(uri, SINKS) for uri in uris)
    plan = SinkPlan(places, None if source is None else source_from_uri(source), tuple(inputs), force)
    plan.check()
    return plan


def open_sink(
    uri: str,
    *,
    size: tuple[int, int],
    rate: float,
    classes: tuple[ClassInfo, ...],
    style: OverlayStyle = DEFAULT_STYLE,
    source: str | PathLike[str] | None = None,
    force: bool = False,
) -> Sink:
    """Open a sink.

    ============================================  ====================================================
    ``NAME.mp4 .m4v .mov .mkv .webm .avi .gif``   overlay video: ``MovieSink``; also ``file:///NAME.mp4``
    ``masks://DIR``                               one index PNG per frame: ``MasksSink``
    ``jsonl://FILE``, ``jsonl://-``               one JSON object per frame: ``LinesSink``
    ``raw://FILE``, ``raw://-``                   class ids, a byte for each pixel: ``RawSink``
    ``NAME.npz``, ``npz://NAME.npz``              class ids, times and names: ``NpzSink``
    ``null://``                                   nothing
    ============================================  ====================================================

    Directories are made if missing. Files appear with the first result. What is there already is replaced only with
    ``force``; devices and pipes are written to as they are.

    Args:
        uri: where results go; one of the above. ``DIR`` and ``FILE`` are paths: relative, or absolute (a third slash).
        size: rows and columns of the output: of ``frame.picture`` and ``at_source()`` of the first frame.
        rate: frames per second of the source; a hint, the times of the frames count.
        classes: names and colours, by index.
        style: how an overlay looks.
        source: what is read meanwhile, so that it is not overwritten.
        force: results that are there may be replaced.

    Raises:
        SinkError: the URI names no sink, its place cannot be written to, holds results, or is the source.
        SourceError: ``source`` is no source.
    """
    return plan_sinks([uri], source=source, force=force).open(size=size, rate=rate, classes=classes, style=style)[0]
