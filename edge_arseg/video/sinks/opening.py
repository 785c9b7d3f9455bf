"""From the name of a sink to the sink."""

from os import PathLike, fspath
from pathlib import Path

from edge_arseg.errors import SinkError
from edge_arseg.spec.classes import ClassInfo
from edge_arseg.video.sinks.base import Sink
from edge_arseg.video.sinks.lines import LinesSink
from edge_arseg.video.sinks.masks import MasksSink
from edge_arseg.video.sinks.movie import SUFFIXES, MovieSink
from edge_arseg.video.sinks.null import NullSink

_EXPECTED = "expected a video (NAME.mp4, NAME.mkv), masks://DIR, jsonl://FILE, jsonl://- or null://"


def open_sink(
    uri: str,
    *,
    size: tuple[int, int],
    rate: float,
    classes: tuple[ClassInfo, ...],
    alpha: float = 0.5,
    legend: bool = True,
    source: str | PathLike[str] | None = None,
) -> Sink:
    """Open a sink.

    =====================================  ====================================================
    ``NAME.mp4 .m4v .mov .mkv``, file://   overlay video: ``MovieSink``
    ``masks://DIR``                        one index PNG per frame: ``MasksSink``
    ``jsonl://FILE``, ``jsonl://-``        one JSON object per frame: ``LinesSink``
    ``null://``                            nothing
    =====================================  ====================================================

    Directories are made if missing, files are replaced.

    Args:
        uri: where results go; one of the above. ``DIR`` and ``FILE`` are paths: relative, or absolute (a third slash).
        size: rows and columns of the frames.
        rate: frames per second of the source; a hint, the times of the frames count.
        classes: names and colours, by index.
        alpha: how much of the class colour the overlay mixes in, 0 to 1.
        legend: draw names and status below the overlay.
        source: what is read meanwhile, so that it is not overwritten.

    Raises:
        SinkError: the URI names no sink, its place cannot be written to, or it is the source.
        OptionError: ``alpha`` is outside 0 to 1.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator:
        scheme, rest = "file", uri
    scheme = scheme.lower()
    if scheme == "null":
        return NullSink(uri)
    if scheme not in ("masks", "jsonl", "file"):
        raise SinkError(f"cannot write {uri}: unknown scheme {scheme}://; {_EXPECTED}")
    if not rest:
        raise SinkError(f"cannot write {uri!r}: no path; {_EXPECTED}")
    path = Path(rest)
    if source is not None and _same_file(path, source):
        raise SinkError(f"cannot write {uri}: it is the source, which is being read; choose another name")
    if scheme == "masks":
        return MasksSink(uri, path, classes)
    if scheme == "jsonl":
        return LinesSink(uri, None if rest == "-" else path, classes)
    if path.suffix.lower() not in SUFFIXES:
        seen = f"the ending {path.suffix}" if path.suffix else "a name without an ending"
        raise SinkError(f"cannot write {uri}: {seen} names no sink; {_EXPECTED}")
    return MovieSink(uri, path, size=size, rate=rate, classes=classes, alpha=alpha, legend=legend)


def _same_file(path: Path, source: str | PathLike[str]) -> bool:
    given = Path(fspath(source).removeprefix("file://"))
    return path.is_file() and given.is_file() and path.samefile(given)
