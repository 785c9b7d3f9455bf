"""Labels: PNG files whose values are class indices."""

import io
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from edge_arseg.errors import DataError
from edge_arseg.quantity import counted
from edge_arseg.storage.files.identity import is_special
from edge_arseg.video.decoding.metadata import ANY_ENCODING

IGNORED = 255
"""The label of pixels that do not count. The number one past the last class means the same: CamVid's 11 of 11."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">16xIIBB")
_COLOUR_TYPE = 25  # offset in the file
_INDICES = {(0, 1), (0, 2), (0, 4), (0, 8), (3, 1), (3, 2), (3, 4), (3, 8)}
_KINDS = {0: "grey", 2: "RGB", 3: "palette", 4: "grey with alpha", 6: "RGB with alpha"}
_PALETTE = 3
_MOST_AS_GREY = 63
"""Dark greys, which nobody chooses to show classes in: a palette of them comes from a grey label with these values."""
_CACHE_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class LabelFile:
    """A label that was read and found good.

    Attributes:
        path: the PNG.
        height, width: pixels.
        counted: pixels that have a class.
    """

    path: Path
    height: int
    width: int
    counted: int


def read_label(path: Path) -> NDArray[np.uint8]:
    """Read an index PNG, grey or with a palette: ``[H, W] uint8``, the values as stored.

    Image libraries write pictures of few colours with 1, 2 or 4 bits a pixel: these are indices too. Transparency means
    nothing.

    Raises:
        DataError: no such file, no PNG, damaged, colours, or 16 bits a pixel; or a grey label that was made smaller by
            giving its values other numbers.
    """
    if is_special(path):  # a pipe would be waited for
        raise DataError(f"{path.name}: a pipe or a device; expected a file, a PNG with class indices")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path.name}: cannot be read ({error.strerror or error})") from error
    if len(content) < _HEADER.size or not content.startswith(_SIGNATURE):
        raise DataError(f"{path.name}: not a PNG; expected class indices as an 8-bit PNG")
    width, height, depth, kind = _HEADER.unpack_from(content)
    if (kind, depth) not in _INDICES:
        hint = "instances or distances are not classes" if kind == 0 else "colours must be converted to indices first"
        raise DataError(
            f"{path.name}: {depth}-bit {_KINDS.get(kind, 'unknown')} seen, expected 8-bit class indices or fewer bits, "
            f"grey or with a palette ({hint})"
        )
    if not _whole(content):
        raise DataError(f"{path.name}: damaged or cut off; copy it again")
    try:
        with av.open(io.BytesIO(_indices_only(content)), "r", format="png_pipe", **ANY_ENCODING) as container:
            frame = next(container.decode(video=0))
    except (av.error.FFmpegError, StopIteration) as error:
        raise DataError(f"{path.name}: damaged; copy it again") from error
    # A palette comes as the indices and the colours: only the indices matter.
    picture = frame.to_ndarray()
    indices = picture[0] if isinstance(picture, tuple) else picture
    if indices.shape != (height, width):
        raise DataError(f"{path.name}: {indices.shape} seen, {height}x{width} expected; copy it again")
    if kind == _PALETTE and (other := _renumbered(_palette(content), indices)) is not None:
        raise DataError(
            f"{path.name}: a palette of dark greys that are not their indices seen (index {other[0]} is grey {other[1]}"
            "): a program that makes PNGs smaller gave the classes of a grey label other numbers; take the label from "
            "before, or write its greys as an 8-bit grey PNG"
        )
    return np.ascontiguousarray(indices)


class Labels:
    """The labels of an evaluation: read and checked once, kept in memory as far as they fit.

    Attributes:
        classes: how many there are; ``classes`` itself and 255 are ignored, higher values are faults.
    """

    def __init__(self, classes: int) -> None:
        self.classes = classes
        self._kept: dict[Path, NDArray[np.uint8]] = {}
        self._kept_bytes = 0

    def __getitem__(self, path: Path) -> NDArray[np.uint8]:
        """``[H, W] uint8``; raises ``DataError`` if the file has become unreadable."""
        if (kept := self._kept.get(path)) is not None:
            return kept
        label = read_label(path)
        if self._kept_bytes + label.nbytes <= _CACHE_BYTES:
            self._kept[path] = label
            self._kept_bytes += label.nbytes
        return label

    def check(self, path: Path, size: tuple[int, int] | None = None) -> LabelFile:
        """Read one label and check its values, and that it has the shape of its picture.

        Args:
            path: the PNG.
            size: rows and columns of the picture. The label may be larger or smaller, but not of another shape.

        Raises:
            DataError: see ``read_label``; or a value that is no class, or another shape.
        """
        label = self[path]
        height, width = label.shape
        faults = []
        if strangers := self._strangers(label):
            seen = ", ".join(map(str, strangers[:8])) + (", ..." if len(strangers) > 8 else "")
            faults.append(
                f"unknown label {seen}; expected 0 to {self.classes - 1}, or {self.classes} or {IGNORED} for unlabelled"
            )
        if size is not None and not _same_shape(size, (height, width)):
            faults.append(f"{height}x{width} (rows x columns) is not the shape of its picture, {size[0]}x{size[1]}")
        if faults:
            raise DataError(f"{path.name}: {'; '.join(faults)}")
        return LabelFile(path, height, width, int(np.count_nonzero(label < self.classes)))

    def _strangers(self, label: NDArray[np.uint8]) -> list[int]:
        values = np.flatnonzero(np.bincount(label.reshape(-1), minlength=256))
        return [int(value) for value in values if value > self.classes and value != IGNORED]


def checked_labels(
    labels: Labels, sizes: Mapping[Path, tuple[int, int] | None], *, faults: Iterable[str] = (), where: Path
) -> dict[Path, LabelFile]:
    """Check every label before anything runs.

    Args:
        labels: reads them.
        sizes: each label with the rows and columns of its picture, if known.
        faults: found before, to be told in the same message.
        where: the folder, for the message.

    Raises:
        DataError: bad labels, all of them in one message; or not one pixel has a class.
    """
    found = list(faults)
    good = {}
    for path, size in sizes.items():
        try:
            good[path] = labels.check(path, size)
        except DataError as error:
            found.append(str(error))
    if found:
        raise DataError(fault_list(where, found))
    if not any(file.counted for file in good.values()):
        raise DataError(f"{where}: every pixel of all {len(good)} labels is ignored; is it the right folder?")
    return good


def fault_list(where: Path, faults: list[str]) -> str:
    """Return one message for all faults of a folder."""
    lines = "\n".join(f"  {fault}" for fault in faults)
    return f"{where}: {counted(len(faults), 'fault')}\n{lines}"


def _whole(png: bytes) -> bool:
    """Whether every chunk is there, with the checksum it was written with.

    FFmpeg fills what is missing with zeros, which would count as class 0.
    """
    for kind, content, checksum in _chunks(png):
        if checksum != struct.pack(">I", zlib.crc32(kind + content)):
            return False
        if kind == b"IEND":
            return True
    return False


def _palette(png: bytes) -> NDArray[np.uint8]:
    """Return the colours of a PNG that is whole, ``[entries, 3] uint8``; none where it has no palette."""
    palette = next((content for kind, content, _ in _chunks(png) if kind == b"PLTE"), b"")
    return np.frombuffer(palette, np.uint8, len(palette) // 3 * 3).reshape(-1, 3)


def _renumbered(palette: NDArray[np.uint8], indices: NDArray[np.uint8]) -> tuple[int, int] | None:
    """Return an index and its grey where a palette shows that indices are no longer what a grey label said.

    Such a palette holds what the label has, each value once, and nothing else.
    """
    used = np.flatnonzero(np.bincount(indices.reshape(-1), minlength=256))
    if not np.array_equal(used, np.arange(len(palette))) or (palette != palette[:, :1]).any():
        return None
    greys = palette[:, 0].astype(np.int64)
    classes = greys[greys != IGNORED]
    if len(np.unique(greys)) < len(greys) or not classes.size or classes.max() > _MOST_AS_GREY:
        return None
    pairs = zip(used.tolist(), greys.tolist(), strict=True)
    return next(((index, grey) for index, grey in pairs if grey not in (index, IGNORED)), None)


def _indices_only(png: bytes) -> bytes:
    """Return the PNG so that FFmpeg gives the values as stored.

    It spreads grey of 1, 2 and 4 bits over 0 to 255, but not the indices of a palette: the grey gets one. Transparency
    goes, because it would come as a channel of its own.
    """
    parts = [_SIGNATURE]
    for kind, content, _ in _chunks(png):
        if kind == b"IHDR" and content[9] == 0 and content[8] < 8:
            palette = bytes(value for index in range(1 << content[8]) for value in (index, index, index))
            parts += [_chunk(kind, content[:9] + b"\x03" + content[10:]), _chunk(b"PLTE", palette)]
        elif kind in (b"IHDR", b"IDAT", b"IEND") or (kind == b"PLTE" and png[_COLOUR_TYPE] == _PALETTE):
            parts.append(_chunk(kind, content))
    return b"".join(parts)


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Yield kind, content and checksum of each chunk; of one that is cut off what there is."""
    at = len(_SIGNATURE)
    while at + 12 <= len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        end = at + 8 + length
        yield kind, png[at + 8 : end], png[end : end + 4]
        at = end + 4


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _same_shape(picture: tuple[int, int], label: tuple[int, int]) -> bool:
    """Whether one is the other resized: widths may differ by a rounded pixel, or by 1 %."""
    expected = picture[1] * label[0] / picture[0]
    return abs(label[1] - expected) <= max(1.0, picture[1] / picture[0], 0.01 * expected)
