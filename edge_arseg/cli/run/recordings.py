"""What ``run`` reads and writes where one command names many videos, or no sink at all."""

import os
import re
from collections.abc import Container, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_arseg.cli.progress import FrameProgress
from edge_arseg.errors import SinkError, SourceError
from edge_arseg.storage.object_store import is_object, objects_from_pattern
from edge_arseg.storage.url import HIDDEN, label_of
from edge_arseg.suggestion import did_you_mean
from edge_arseg.video.sources.folder import videos_from_text
from edge_arseg.video.sources.kinds import SourceKind
from edge_arseg.video.uri import Source, source_from_uri

if TYPE_CHECKING:
    from edge_arseg.archive.archive import Job

STEM, NUMBER, PARENT = "{stem}", "{number}", "{parent}"
_LIKE = {
    STEM: ("stem", "basename", "file", "filename", "input", "name", "source", "video"),
    NUMBER: ("number", "i", "index", "n", "no", "num"),
    PARENT: ("parent", "folder", "dir", "directory"),
}
"""What is filled in, and words that people type for it."""
_NOWHERE = ("null://",)


def jobs_from_arguments(sources: Sequence[str], sinks: Sequence[str]) -> "list[Job]":
    """Return what is to be run.

    A folder or a pattern of videos gives a job for each of them, in order of their names. In the names of sinks
    ``{stem}`` stands for the name of the source without folder and ending, ``{parent}`` for the name of its folder,
    ``{number}`` for its place from 1, with zeros in front so that all are of one length.

    Args:
        sources: as typed, or as a list has them.
        sinks: as typed; none stands for an overlay in the working directory: ``default_sink``.

    Raises:
        SinkError: two videos would be written to one place.
        SourceError: the source is no source.
    """
    sources = list(dict.fromkeys(one for text in sources for one in _videos_from_text(text)))
    stems = [stem_of(source_from_uri(one)) for one in sources]
    if not sinks:
        names: dict[str, str] = {}
        for one, stem in zip(sources, stems, strict=True):
            names[default_sink(stem, names)] = one
        return [(one, (name,)) for name, one in names.items()]
    for sink in sinks:
        _refuse_misspelt(sink)
    width = len(str(len(sources)))
    jobs = [
        (one, tuple(_filled(sink, stem, parent_of(one), f"{number:0{width}}") for sink in sinks))
        for number, (one, stem) in enumerate(zip(sources, stems, strict=True), 1)
    ]
    if len(jobs) > 1:
        _check_apart(jobs, sinks)
    return jobs


def _videos_from_text(text: str) -> list[str]:
    try:
        return (objects_from_pattern(text) if is_object(text) else videos_from_text(text)) or [text]
    except OSError as error:
        raise SourceError(f"{source_from_uri(text).label}: {error.strerror or error}; check the path") from error


def _filled(sink: str, stem: str, parent: str, number: str) -> str:
    values = {STEM: stem, PARENT: parent, NUMBER: number}
    return re.sub(r"{(stem|parent|number)}", lambda match: values[match[0]], sink)  # a name may hold "{number}" itself


def parent_of(text: str) -> str:
    """Return the name of the folder that a source lies in; no login is in it."""
    source = source_from_uri(text)
    if source.path is None and "://" in source.location:
        place = _shown_place(source)
    else:
        place = Path("-" if source.kind == SourceKind.PIPE else os.path.abspath(source.location))  # noqa: PTH100
    return place.parent.name.strip("*") or "root"


def stem_of(source: Source) -> str:
    """Return the short name of a source for the names of its results: it holds no ``/`` and no login."""
    if source.kind == SourceKind.PIPE:
        return "stdin"
    if source.kind == SourceKind.IMAGES:
        place = Path(os.path.realpath(source.location))
        return (place if place.is_dir() else place.parent).name or "images"
    if source.kind in (SourceKind.FILE, SourceKind.OBJECT):
        return (_shown_place(source) if source.path is None else source.path).stem.strip("*") or "video"
    if source.kind == SourceKind.DEVICE:
        return Path(source.location).name
    words = re.sub(r"^[a-z0-9]+://|\*\*\*@|\?.*", "", source.label)
    return re.sub(r"[^\w.-]+", "-", words).strip("-.") or "source"


def _shown_place(source: Source) -> Path:
    """Return the host and the path of a URL, without its login and what stands behind ``?``."""
    if source.kind == SourceKind.OBJECT:  # what looks like a secret in a key may be what tells it from others
        host, slash, key = source.location.partition("://")[2].partition("/")
        return Path(host.rpartition("@")[2] + slash + key)
    return Path(source.label.partition("://")[2].removeprefix(f"{HIDDEN}@").partition("?")[0])


def default_sink(stem: str, taken: Container[str] = ()) -> str:
    """Return the first of ``STEM-overlay.mp4``, ``STEM-overlay-2.mp4`` and so on that is not there, nor ``taken``."""
    number, name = 1, f"{stem}-overlay.mp4"
    while os.path.lexists(name) or name in taken:
        number += 1
        name = f"{stem}-overlay-{number}.mp4"
    return name


def summary(
    progress: FrameProgress, sinks: Sequence[str], error: BaseException | None = None, *, segmented: bool = False
) -> str:
    """Return one line on what was segmented and where it was written, also where the run was ended early.

    Args:
        progress: of the run.
        sinks: as they were typed.
        error: what ended the run. The sink that it names is left out.
        segmented: overlay videos were written in segments, whose names are shown.
    """
    failed = str(error) if isinstance(error, SinkError) else ""
    labels = [label_of(sink) for sink in sinks if not sink.lower().startswith(_NOWHERE)]
    written = [label for label in labels if f"cannot write {label}: " not in failed]
    if segmented:
        from edge_arseg.video.sinks.kinds import SINKS
        from edge_arseg.video.sinks.movies.segments import segment_path  # it has been imported by then

        videos = [label.lower().endswith(SINKS["file"].suffixes) for label in written]
        firsts = [f"{segment_path(Path(label), 0)} and so on" for label in written]
        written = [first if video else label for label, first, video in zip(written, firsts, videos, strict=True)]
    return progress.summary() + (f"; written to {', '.join(written)}" if written else "")


def refuse_expanded_pattern(source: str, sinks: Sequence[str]) -> None:
    """Refuse videos in the place of sinks: a pattern without quotes, which the shell took apart.

    Raises:
        click.UsageError: the first two sinks and more are files like the source, and lie beside it.
    """
    like = [sink for sink in sinks if _is_sibling(sink, source)]
    if len(like) > 1:
        folder = os.path.dirname(source) or "."  # noqa: PTH120
        pattern = f"{folder}/*{Path(source).suffix}".removeprefix("./")
        raise click.UsageError(
            f"{source} is followed by {len(like)} videos beside it, where sinks are expected; did the shell take a "
            f"pattern apart? Put it in quotes: edge-arseg run '{pattern}' 'masks://out/{STEM}'"
        )


def _is_sibling(sink: str, source: str) -> bool:
    there = "://" not in sink and os.path.isfile(sink) and os.path.isfile(source)  # noqa: PTH113 - never raises
    return there and Path(sink).suffix == Path(source).suffix and Path(sink).parent == Path(source).parent


def _refuse_misspelt(sink: str) -> None:
    """Refuse braces that are probably meant to be filled in; any others are a name's own.

    Raises:
        SinkError: names what is filled in.
    """
    for word in re.findall(r"\{(\w*)\}", sink):
        if f"{{{word}}}" in (STEM, NUMBER, PARENT):
            continue
        meant = next((filled for filled, names in _LIKE.items() if did_you_mean(word, names)), None)
        if meant is not None:
            raise SinkError(
                f"cannot write {label_of(sink)}: {{{word}}} is not filled in; did you mean {meant}? "
                f"{STEM} is the name of the source without its ending, {NUMBER} its place among several, "
                f"{PARENT} the name of its folder"
            )


def _check_apart(jobs: "Sequence[Job]", sinks: Sequence[str]) -> None:
    for sink in sinks:
        if not any(part in sink for part in (STEM, NUMBER, PARENT)) and not sink.lower().startswith(_NOWHERE):
            better = label_of(_kept_apart(sink))
            raise SinkError(
                f"cannot write {label_of(sink)}: {len(jobs)} videos would go there; put {STEM} in the name of the "
                f"sink, for example '{better}'"
            )
    places: dict[str, str] = {}
    for source, its in jobs:
        for sink in its:
            if sink in places and not sink.lower().startswith(_NOWHERE):
                apart = PARENT if parent_of(places[sink]) != parent_of(source) else NUMBER
                first, second = (source_from_uri(one).label for one in (places[sink], source))
                raise SinkError(
                    f"cannot write {label_of(sink)}: {first} and {second} have the same name; put {apart} beside {STEM}"
                )
            places[sink] = source


def _kept_apart(sink: str) -> str:
    """Return a name like ``sink`` that differs from source to source: an example for a message."""
    scheme, separator, path = sink.rpartition("://")
    if path == "-":
        return f"{scheme}://{STEM}.{scheme}"
    folder, slash, name = path.rpartition("/")
    name, dot, ending = name.rpartition(".")
    apart = f"{folder}{slash}{name}-{STEM}.{ending}" if dot and name else f"{path.rstrip('/')}/{STEM}"
    return scheme + separator + apart
