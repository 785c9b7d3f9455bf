"""A folder of images as a source of pictures."""

import logging
import os
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import chain
from pathlib import Path

import av

from edge_arseg.errors import SourceError
from edge_arseg.storage.files.identity import is_special
from edge_arseg.storage.url import part_of_label, printable
from edge_arseg.video.decoding.damage.stills import demand_whole, is_still
from edge_arseg.video.decoding.ends.ending import Ending
from edge_arseg.video.decoding.faults import ANIMATED_WEBP, is_animated_webp, source_faults
from edge_arseg.video.decoding.metadata import ANY_ENCODING
from edge_arseg.video.decoding.notices import say_transfer
from edge_arseg.video.decoding.picture import Picture, PictureSource
from edge_arseg.video.decoding.stills.said import said_of_still
from edge_arseg.video.decoding.streams import largest_video
from edge_arseg.video.matrix import demand_matrix
from edge_arseg.video.sources.folder import PICTURES, fault_of_folder, files_in
from edge_arseg.video.sources.kinds import SourceKind, Wishes
from edge_arseg.video.sources.pattern import is_glob, is_pattern, paths_from_pattern, shared_numbers, shorter_numbers
from edge_arseg.video.uri import Source

_log = logging.getLogger(__name__)

DEFAULT_RATE = 25.0
_RATES = 0.001, 10_000.0  # frames a second that clocks and containers can tell apart


class ImageSequence:
    """Images in order of their numbers (``%06d``; gaps are fine) or of their names (``*``, ``?``, a whole folder).

    They have no clock: a picture's time is its place in the sequence over ``rate``.

    Raises:
        SourceError: no image fits the pattern, or the rate is no number from 0.001 to 10,000.
    """

    unfit: str | None = "images carry no vectors"
    made_by_x264 = False

    def __init__(self, source: Source, *, rate: float | None = None) -> None:
        self.paths, self._label = image_paths(source), source.label
        given = source.query.get("rate", DEFAULT_RATE if rate is None else rate)
        try:
            self.rate: float | None = float(given)
        except ValueError:
            self.rate = None
        if self.rate is None or not _RATES[0] <= self.rate <= _RATES[1]:
            raise SourceError(
                f"{source.label}: rate={given}; expected frames a second, e.g. ?rate=15, from {_RATES[0]:g} to "
                f"{_RATES[1]:,.0f}"
            )
        self.frame_count: int | None = len(self.paths)

    def pictures(self) -> Iterator[Picture]:
        """One picture from each image; raises ``SourceError`` naming the image that cannot be read."""
        for index, path in enumerate(self.paths):
            yield replace(picture_from_file(path, self._label), time_s=index / (self.rate or DEFAULT_RATE))

    def close(self) -> None:
        """Nothing is held open."""


def pictures_from_source(source: Source, wishes: Wishes) -> PictureSource:
    """Open a folder of images; errors are those of ``ImageSequence``."""
    return ImageSequence(source, rate=wishes.rate)


def picture_from_file(path: Path, label: str) -> Picture:
    """Decode the one picture of an image file; it has no time.

    Args:
        path: of the file.
        label: of the source that it belongs to, for messages that are said once a source.

    Raises:
        SourceError: it cannot be read to its end, or holds no picture, a cover alone, or several; or it is no file.
    """
    source, name = Source(str(path), SourceKind.FILE, str(path)), printable(str(path))
    if is_special(path):
        raise SourceError(f"{name}: a pipe or a device, which holds no picture; expected a file")
    with source_faults(name), path.open("rb") as file:
        if is_animated_webp(file.read(21)):
            raise SourceError(f"{name}: {ANIMATED_WEBP}")
    ending = Ending(path)
    with (
        source_faults(name),
        av.open(source.address, options=source.address_options, **ANY_ENCODING) as container,
    ):
        stream = largest_video(name, list(container.streams))
        packets = container.demux(stream)
        first = next(packets)
        demand_whole(name, container.format.name, stream.codec_context, first)
        pictures = (picture for packet in chain((first,), packets) for picture in packet.decode())
        frame = next(pictures, None)
        # What follows in the file of a still (thumbnails, gain maps of phones) is no frame.
        if frame is not None:
            orientation = said_of_still(frame, stream.codec_context.name, first)
            demand_matrix(name, frame)
            say_transfer(label, frame, stream.codec_context)
        still = is_still(container.format.name)
        several = not still and next(pictures, None) is not None
        lack = None if still or several else ending.lack(container, stream)
    if frame is None:
        raise SourceError(f"{name}: no picture in it; expected an image such as PNG or JPEG")
    if lack is not None:
        raise SourceError(f"{name}: the file is cut off or broken: {lack}")
    if several:
        raise SourceError(
            f"{name}: more than one picture in it; expected one picture a file. Is it a video? Then type its name "
            "without images://"
        )
    return Picture(frame, None, orientation=orientation)


def image_paths(source: Source) -> list[Path]:
    """Return the images of an ``images://`` source in their order.

    Raises:
        SourceError: no image fits the pattern, or two have one number.
    """
    pattern = Path(source.location)
    folder = pattern.parent
    shown, name = (part_of_label(source.label, str(part)) for part in (folder, pattern.name))
    if not os.path.isdir(folder):  # noqa: PTH112 - never raises
        raise SourceError(f"{source.label}: there is no folder {shown}; check the path")
    if os.path.isdir(pattern):  # noqa: PTH112
        with source_faults(source.label):
            if (fault := fault_of_folder(pattern)) is not None:
                raise SourceError(f"{source.label}: {fault}")
            return files_in(pattern, PICTURES)
    if not is_pattern(pattern.name):
        raise SourceError(f"{source.label}: {name} names no sequence; expected %06d or * in it")
    with source_faults(source.label):
        paths, left_out = paths_from_pattern(pattern), shorter_numbers(pattern)
    if not paths:
        hint = "" if is_glob(pattern.name) else " (names of another form: use *)"
        raise SourceError(f"{source.label}: no file in {shown} fits {name}{hint}")
    if same := shared_numbers(pattern, paths):
        names = " and ".join(printable(path.name) for path in same)
        raise SourceError(
            f"{source.label}: {names} have the same number; expected one file for each number, or * in the pattern"
        )
    if left_out:
        _warn_once(source.label, len(left_out), printable(left_out[0].name))
    return paths


@cache
def _warn_once(label: str, count: int, name: str) -> None:
    _log.warning("%s: %d files like %s have fewer digits and are left out; %%d takes them too", label, count, name)
