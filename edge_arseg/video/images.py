"""A folder of images as a source of pictures."""

import re
from collections.abc import Iterator
from pathlib import Path

import av

from edge_arseg.errors import SourceError
from edge_arseg.video.decode import Picture
from edge_arseg.video.faults import source_faults
from edge_arseg.video.uri import Source

DEFAULT_RATE = 25.0


class ImageSequence:
    """Images in order of their numbers (``%06d``; gaps are fine) or of their names (``*``).

    They have no clock: a picture's time is its place in the sequence over ``rate``.

    Raises:
        SourceError: no image fits the pattern, or the rate is not a positive number.
    """

    unfit: str | None = "images carry no vectors"
    made_by_x264 = False

    def __init__(self, source: Source, *, rate: float | None = None) -> None:
        self._uri = source.uri
        self.paths = _paths(source)
        try:
            self.rate: float | None = float(source.query.get("rate", rate or DEFAULT_RATE))
        except ValueError:
            self.rate = None
        if not self.rate or self.rate <= 0:
            raise SourceError(f"{source.uri}: rate={source.query.get('rate')}; expected frames a second, e.g. ?rate=15")
        self.frame_count: int | None = len(self.paths)

    def pictures(self) -> Iterator[Picture]:
        """One picture from each image; raises ``SourceError`` naming the image that cannot be read."""
        for index, path in enumerate(self.paths):
            with source_faults(str(path)), av.open(str(path)) as container:
                frame = next(container.decode(video=0), None) if container.streams.video else None
            if frame is None:
                raise SourceError(f"{path}: no picture in it; expected an image such as PNG or JPEG")
            yield Picture(frame, index / (self.rate or DEFAULT_RATE))

    def close(self) -> None:
        """Nothing is held open."""


def _paths(source: Source) -> list[Path]:
    pattern = Path(source.location)
    folder = pattern.parent
    if not folder.is_dir():
        raise SourceError(f"{source.uri}: there is no folder {folder}; check the path")
    if "*" in pattern.name or "?" in pattern.name:
        paths = sorted(folder.glob(pattern.name))
        hint = ""
    else:
        match = re.fullmatch(r"(.*?)%(0?)(\d*)d(.*)", pattern.name)
        if not match:
            raise SourceError(f"{source.uri}: {pattern.name} names no sequence; expected %06d or * in it")
        before, zero, width, after = match.groups()
        digits = rf"\d{{{width},}}" if zero and width else r"\d+"
        number = re.compile(re.escape(before) + f"({digits})" + re.escape(after))
        found = ((number.fullmatch(path.name), path) for path in folder.iterdir())
        paths = [path for _, path in sorted((int(match[1]), path) for match, path in found if match)]
        hint = " (names of another form: use *)"
    if not paths:
        raise SourceError(f"{source.uri}: no file in {folder} fits {pattern.name}{hint}")
    return paths
