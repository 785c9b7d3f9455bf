"""From the name of a sink to the sink."""

from collections.abc import Iterable
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path

from edge_arseg.arguments import check_kind
from edge_arseg.spec.model import ClassInfo
from edge_arseg.storage.files.identity import is_special
from edge_arseg.storage.uninterrupted import uninterrupted
from edge_arseg.video.overlay.style import DEFAULT_STYLE, OverlayStyle
from edge_arseg.video.sinks.base import Sink, finish_unclosed
from edge_arseg.video.sinks.kinds import SINKS, kind_in_segments
from edge_arseg.video.sinks.look import Look
from edge_arseg.video.sinks.place import Place, check_places, place_from_uri
from edge_arseg.video.uri import Source, source_from_uri


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
        self,
        *,
        size: tuple[int, int],
        rate: float,
        classes: tuple[ClassInfo, ...],
        style: OverlayStyle = DEFAULT_STYLE,
        live: bool = False,
    ) -> list[Sink]:
        """Check again, for time has passed, and open all sinks, or none; arguments and errors are those of
        ``open_sink``. With ``live`` no sink holds up ``Sink.offer``.
        """
        self.check()
        look = Look(size, rate, classes, style, self.force, live)
        with ExitStack() as stack:
            sinks = []
            for place in self.places:
                # a pipe is opened when its reader comes, which may be never
                waits = place.path is not None and is_special(place.path)
                with nullcontext() if waits else uninterrupted():
                    sinks.append(stack.enter_context(_opened(place, look)))
            stack.pop_all()
        return sinks


def _opened(place: Place, look: Look) -> Sink:
    if not (look.live and place.kind.waits):
        return place.kind.open(place, look)
    from edge_arseg.video.sinks.streams.queued import Queued

    return Queued(place.kind.open(place, look))


def plan_sinks(
    uris: Iterable[str],
    *,
    source: str | PathLike[str] | None = None,
    inputs: Iterable[Path] = (),
    force: bool = False,
    segment_s: float | None = None,
) -> SinkPlan:
    """Name all sinks of a run, before a model is loaded or a camera opened. Nothing is opened.

    Args:
        uris: of the sinks; see ``open_sink``.
        source: what is read meanwhile.
        inputs: files that are read too, and bundles.
        force: results that are there may be replaced.
        segment_s: seconds of a segment, where overlay videos are written in segments.

    Raises:
        SinkError: a URI names no sink; or its place is read from, is another sink's, is being written to by another
            process, or holds results and ``force`` is not set.
        SourceError: the source is no source.
    """
    kinds = SINKS if segment_s is None else {**SINKS, "file": kind_in_segments(segment_s)}
    places = tuple(place_from_uri(uri, kinds) for uri in uris)
    plan = SinkPlan(places, None if source is None else source_from_uri(source), tuple(inputs), force)
    plan.check()
    return plan


def open_sink(
    uri: str | PathLike[str],
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
    ``hls://DIR``                                 overlay as a playlist with segments: ``HlsSink``
    ``rtsp:// rtmp:// udp:// tcp:// srt://``      overlay, pushed: ``PushSink``
    ``mqtt://HOST/TOPIC``, ``mqtts://``           one JSON object per frame: ``MqttSink`` (extra ``mqtt``)
    ``NAME.rrd``, ``rerun://HOST``                for the Rerun viewer: ``RerunSink`` (extra ``rerun``)
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
        OptionError: ``size`` is no rows and columns, ``rate`` no number above 0, or ``classes`` no classes.
    """
    check_kind("style", style, OverlayStyle, "OverlayStyle(...)")
    uri = fspath(uri) if isinstance(uri, PathLike) else uri
    check_kind("a sink", uri, str, "a name, such as 'overlay.mp4', or a path")
    (sink,) = plan_sinks([uri], source=source, force=force).open(size=size, rate=rate, classes=classes, style=style)
    finish_unclosed(sink)
    return sink
