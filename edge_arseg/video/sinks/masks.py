"""One index PNG per frame."""

from contextlib import suppress
from pathlib import Path

from edge_arseg.spec.classes import ClassInfo
from edge_arseg.spec.result import SegmentedFrame
from edge_arseg.video.sinks.base import Sink, sink_errors
from edge_arseg.video.sinks.png import palette_from_classes, png_from_indices


class MasksSink(Sink):
    """Writes ``NNNNNN.png`` into a directory, named by the index of the frame in its source.

    The bytes are the class indices, the palette holds the class colours. A file appears complete or not at all.

    Args:
        target: the URI, for messages.
        directory: made if missing; files of the same name are replaced.
        classes: names and colours, by index.

    Raises:
        SinkError: the directory cannot be made or written to.
    """

    def __init__(self, target: str, directory: Path, classes: tuple[ClassInfo, ...]) -> None:
        super().__init__(target)
        self._directory = directory
        self._palette = palette_from_classes(classes)
        self._part = directory / ".part.png"
        with sink_errors(target):
            directory.mkdir(parents=True, exist_ok=True)
            self._part.write_bytes(b"")  # says now, not after the first inference, that the place is read-only
            self._part.unlink()

    def _write(self, result: SegmentedFrame) -> None:
        self._part.write_bytes(png_from_indices(result.class_map, self._palette))
        self._part.replace(self._directory / f"{result.frame.index:06d}.png")

    def _close(self) -> None:
        self._part.unlink(missing_ok=True)  # left behind by an interruption in the middle of a frame

    def _abandon(self) -> None:
        with suppress(OSError):
            self._part.unlink(missing_ok=True)
