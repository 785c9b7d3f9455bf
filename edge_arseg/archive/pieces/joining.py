"""The results of pieces, joined to what an uncut run writes: a way for each kind of sink, in ``JOINS``."""

import shutil
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from edge_arseg.archive.staging import Target
from edge_arseg.errors import SinkError
from edge_arseg.storage.url import label_of
from edge_arseg.video.sinks.class_ids.archive_format import (
    BLOCK,
    class_ids_read,
    class_ids_written,
    new_archive,
    write_array,
)


def join_bytes(parts: Sequence[Path], _starts_s: Sequence[float], made: Path) -> None:
    """One file behind the other."""
    with made.open("xb") as out:
        for part in parts:
            with part.open("rb") as file:
                shutil.copyfileobj(file, out, BLOCK)


def join_folders(parts: Sequence[Path], _starts_s: Sequence[float], made: Path) -> None:
    """The files of all folders in one; their names are the numbers of frames, and differ."""
    made.mkdir()
    for part in parts:
        for file in part.iterdir():
            shutil.copyfile(file, made / file.name)


def join_arrays(parts: Sequence[Path], _starts_s: Sequence[float], made: Path) -> None:
    """Arrays of ``.npz`` files behind each other; class ids are never in memory as a whole."""
    with new_archive(made, "x") as out:
        shapes = [_shape(part) for part in parts]
        if len({shape[1:] for shape in shapes}) > 1:
            raise SinkError(f"cannot write {made.name}: the video changes its size, and an array has one size")
        with class_ids_written(out, (sum(shape[0] for shape in shapes), *shapes[0][1:])) as member:
            for part in parts:
                with class_ids_read(part) as (_, file):
                    shutil.copyfileobj(file, member, BLOCK)
        for name in ("index", "time_s", "branch"):
            arrays = []
            for part in parts:
                with np.load(part) as loaded:
                    arrays.append(loaded[name])
            write_array(out, name, np.concatenate(arrays))
        with np.load(parts[0]) as loaded:
            write_array(out, "class_names", loaded["class_names"])


def join_movies(parts: Sequence[Path], starts_s: Sequence[float], made: Path) -> None:
    """The packets of all videos in one, not encoded again, each piece at its own time."""
    import av

    if made.suffix.lower() in UNJOINED:
        raise SinkError(f"cannot write {made.name}: a {made.suffix} cannot be joined from pieces")
    with av.open(f"file:{made}", "w") as out:
        stream: Any = None
        for part, start_s in zip(parts, starts_s, strict=True):
            with av.open(f"file:{part}") as container:
                read: Any = container.streams.video[0]
                if stream is None:
                    stream = out.add_stream_from_template(read)
                    stream.time_base = read.time_base
                for packet in container.demux(read):
                    if packet.dts is None:
                        continue
                    shift = round(Fraction(start_s - starts_s[0]).limit_denominator(1_000_000) / packet.time_base)
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = stream
                    out.mux(packet)


ONE_SIZE = ("file", "raw", "npz")
"""Kinds of sinks whose result has one size, from its first frame to its last."""

UNJOINED = (".avi", ".gif")
"""Videos that count frames, or that begin with a palette."""

Join = Callable[[Sequence[Path], Sequence[float], Path], None]

JOINS: dict[str, Join] = {
    "file": join_movies,
    "masks": join_folders,
    "jsonl": join_bytes,
    "raw": join_bytes,
    "npz": join_arrays,
}
"""By the kind of the sink: from the results of pieces and the time of their first frames to one result."""


def refuse_unjoined(targets: Sequence[Target]) -> None:
    """Refuse sinks whose results cannot be joined.

    Raises:
        SinkError: one is such a sink.
    """
    for target in targets:
        ending = Path(target.name).suffix.lower()
        if target.folder is not None and (target.scheme not in JOINS or ending in UNJOINED):
            raise SinkError(
                f"cannot write {label_of(target.uri)}: what pieces of a video give cannot be joined to it; leave out "
                "--piece-length, or choose another kind of sink"
            )


def _shape(part: Path) -> tuple[int, ...]:
    with class_ids_read(part) as (shape, _):
        return shape
