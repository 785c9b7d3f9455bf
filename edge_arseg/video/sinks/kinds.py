"""The kinds of sinks there are: one row each in ``SINKS``, which parsing and opening follow."""

from collections.abc import Callable
from dataclasses import replace
from numbers import Real
from pathlib import Path

from edge_arseg.errors import OptionError
from edge_arseg.storage.files.identity import identity
from edge_arseg.video.sinks.base import Sink
from edge_arseg.video.sinks.class_ids.masks import MasksSink, is_mask_name
from edge_arseg.video.sinks.class_ids.raw import RawSink
from edge_arseg.video.sinks.lines import LinesSink
from edge_arseg.video.sinks.look import Look
from edge_arseg.video.sinks.null import NullSink
from edge_arseg.video.sinks.place import Place, SinkKind
from edge_arseg.video.sinks.streams.address import PUSHED, address_from_url, check_address


def _movie(place: Place, look: Look) -> Sink:
    from edge_arseg.video.sinks.movies.movie import MovieSink  # brings all that draws, which other sinks do without

    return MovieSink(place.uri, _path(place), look)


def _segments(length_s: float) -> Callable[[Place, Look], Sink]:
    def opened(place: Place, look: Look) -> Sink:
        from edge_arseg.video.sinks.movies.segments import SegmentsSink

        return SegmentsSink(place.uri, _path(place), look, length_s=length_s)

    return opened


def _hls(place: Place, look: Look) -> Sink:
    from edge_arseg.video.sinks.streams.hls import HlsSink

    return HlsSink(place.uri, _path(place), look)


def _push(place: Place, look: Look) -> Sink:
    from edge_arseg.video.sinks.streams.push import PushSink

    return PushSink(place.uri, address_from_url(place.url), look)


def _mqtt(place: Place, look: Look) -> Sink:
    from edge_arseg.video.sinks.streams.mqtt import MqttSink, broker_from_place

    return MqttSink(place.uri, broker_from_place(place), look.classes, live=look.live)


def _rerun(place: Place, look: Look) -> Sink:
    from edge_arseg.video.sinks.streams.rerun_log import RerunSink, viewer_from_place

    viewer = viewer_from_place(place) if place.path is None else None
    return RerunSink(place.uri, look.classes, path=place.path, viewer=viewer, force=look.force)


def _takes_mask(folder: Path, file: Path) -> bool:
    return is_mask_name(file.name) and identity(file.parent) == identity(folder)


def _takes_hls(folder: Path, file: Path) -> bool:
    from edge_arseg.video.sinks.streams.hls import is_hls_name

    return is_hls_name(file.name) and identity(file.parent) == identity(folder)


def _check_hls(place: Place, force: bool) -> None:
    from edge_arseg.video.sinks.streams.hls import check_hls

    check_hls(place.uri, _path(place), force=force)


def _check_mqtt(place: Place, force: bool) -> None:
    from edge_arseg.video.sinks.streams.mqtt import check_broker

    check_broker(place, force)


def _check_rerun(place: Place, force: bool) -> None:
    from edge_arseg.video.sinks.streams.rerun_log import check_viewer

    check_viewer(place, force)


def _masks(place: Place, look: Look) -> Sink:
    return MasksSink(place.uri, _path(place), look.classes, force=look.force)


def _lines(place: Place, look: Look) -> Sink:
    return LinesSink(place.uri, place.path, look.classes, descriptor=place.descriptor, force=look.force)


def _raw(place: Place, look: Look) -> Sink:
    return RawSink(place.uri, place.path, look.size, descriptor=place.descriptor, force=look.force)


def _npz(place: Place, look: Look) -> Sink:
    from edge_arseg.video.sinks.class_ids.npz import NpzSink  # gzip and zipfile cost a start-up

    return NpzSink(place.uri, _path(place), look.size, look.classes, force=look.force)


def _check_npz(place: Place, force: bool) -> None:
    from edge_arseg.video.sinks.class_ids.npz import check_npz

    check_npz(place.uri, _path(place), force=force)


def _null(place: Place, _look: Look) -> Sink:
    return NullSink(place.uri)


def _path(place: Place) -> Path:
    assert place.path is not None  # of a kind that is placed
    return place.path


_MOVIES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif")

_PUSHED = SinkKind(
    "rtsp://, rtmp://, udp://, tcp://", _push, placed=False, draws=True, waits=False, check=check_address
)
_MQTT = SinkKind("mqtt://HOST/TOPIC", _mqtt, placed=False, waits=False, check=_check_mqtt)

SINKS: dict[str, SinkKind] = {
    "file": SinkKind("a video (NAME.mp4, .mkv, .webm, .gif)", _movie, suffixes=_MOVIES, draws=True, waits=False),
    "masks": SinkKind("masks://DIR", _masks, folder=True, waits=False, takes=_takes_mask),
    "jsonl": SinkKind("jsonl://FILE, jsonl://-", _lines, descriptors=True),
    "raw": SinkKind("raw://FILE, raw://-", _raw, descriptors=True),
    "npz": SinkKind("NAME.npz", _npz, suffixes=(".npz",), check=_check_npz),
    "hls": SinkKind("hls://DIR", _hls, draws=True, waits=False, takes=_takes_hls, check=_check_hls),
    **dict.fromkeys(PUSHED, _PUSHED),
    "mqtt": _MQTT,
    "mqtts": _MQTT,
    "rrd": SinkKind("NAME.rrd", _rerun, suffixes=(".rrd",)),
    "rerun": SinkKind("rerun://HOST", _rerun, placed=False, check=_check_rerun),
    "null": SinkKind("null://", _null, placed=False, waits=False),
}
"""By scheme; ``file`` is that of a plain path. Another kind of sink is a module and a row here."""


def kind_in_segments(length_s: float) -> SinkKind:
    """Return the kind of overlay videos that are written in segments of so many seconds.

    Raises:
        OptionError: that is no length.
    """
    if not isinstance(length_s, Real) or not length_s > 0:
        raise OptionError(f"segments of {length_s!r} seconds: expected a number above 0, such as 60.0")
    return replace(SINKS["file"], open=_segments(length_s), takes=_takes_segment, check=_check_segments)


def _takes_segment(path: Path, file: Path) -> bool:
    from edge_arseg.video.sinks.movies.segments import is_segment_name

    return is_segment_name(path, file.name) and identity(file.parent) == identity(path.parent)


def _check_segments(place: Place, force: bool) -> None:
    from edge_arseg.video.sinks.movies.segments import check_segments

    check_segments(place.uri, _path(place), force=force)
