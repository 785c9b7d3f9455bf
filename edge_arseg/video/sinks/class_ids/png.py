"""Index pictures as PNG: one byte per pixel, the class; a palette shows it in the class's colour."""

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_arseg.spec.model import ClassInfo


def palette_from_classes(classes: tuple[ClassInfo, ...]) -> bytes:
    """Return 256 RGB triples: the colours of the classes by index, black for what is no class."""
    palette = np.zeros((256, 3), np.uint8)
    for index, info in enumerate(classes[:256]):
        palette[index] = info.color
    return palette.tobytes()


def png_from_indices(indices: NDArray[np.uint8], palette: bytes) -> bytes:
    """Return a PNG file.

    Args:
        indices: ``[H, W] uint8``.
        palette: 256 RGB triples.
    """
    height, width = indices.shape
    lines = np.zeros((height, width + 1), np.uint8)  # every line begins with its filter: 0, none
    lines[:, 1:] = indices
    # Class maps are so even that more effort saves little; in runs (RLE) they take half of what level 1 makes of them.
    packer = zlib.compressobj(1, strategy=zlib.Z_RLE)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", palette),
            _chunk(b"IDAT", packer.compress(lines.data) + packer.flush()),
            _chunk(b"IEND", b""),
        )
    )


def is_index_png(path: Path) -> bool:
    """Whether a file is a PNG of 8-bit indices with a palette, as ``png_from_indices`` makes them.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(41)
    return head[:8] == b"\x89PNG\r\n\x1a\n" and head[24:26] == b"\x08\x03" and head[37:41] == b"PLTE"


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))
