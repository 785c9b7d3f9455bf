"""Labels of every depth that PNG has, written chunk by chunk: the values stored are the values read."""

import struct
import zlib

import numpy as np
import pytest

from edge_arseg.errors import DataError
from edge_arseg.evaluation.labels.files import read_label

GREY, PALETTE = 0, 3
ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def packed(values, depth):
    """Rows of values as PNG stores them, each behind its filter 0."""
    bits = (values[..., None] >> np.arange(depth - 1, -1, -1)) & 1
    rows = np.packbits(bits.reshape(len(values), -1).astype(np.uint8), axis=1)
    return b"".join(b"\0" + row.tobytes() for row in rows)


def png(values, kind, depth, *, interlaced=False, more=b"", palette=None):
    height, width = values.shape
    if interlaced:
        passes = [values[y::dy, x::dx] for y, x, dy, dx in ADAM7]
        data = b"".join(packed(part, depth) for part in passes if part.size)
    else:
        data = packed(values, depth)
    if palette is None:
        palette = bytes(range(0, 3 * min(1 << depth, 85))) if kind == PALETTE else b""
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced)),
            chunk(b"PLTE", palette) if palette else b"",
            more,
            chunk(b"IDAT", zlib.compress(data)),
            chunk(b"IEND", b""),
        )
    )


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(
    ("kind", "depth"),
    [(GREY, 1), (GREY, 2), (GREY, 4), (GREY, 8), (PALETTE, 1), (PALETTE, 2), (PALETTE, 4), (PALETTE, 8)],
)
def test_the_values_read_are_those_stored(tmp_path, kind, depth, interlaced):
    top = min(1 << depth, 256 if kind == GREY else 85)
    values = np.random.default_rng(depth).integers(0, top, (21, 37), dtype=np.int64)
    path = tmp_path / "a.png"
    transparent = chunk(b"tRNS", b"\0\1" if kind == GREY else b"\x80\0")
    for more in (
        b"",
        transparent,
        chunk(b"tEXt", b"Title\0Stra\xdfe"),
        chunk(b"sBIT", b"\1" * (1 if kind == 0 else 3)),
    ):
        path.write_bytes(png(values, kind, depth, interlaced=interlaced, more=more))
        label = read_label(path)
        assert label.dtype == np.uint8
        np.testing.assert_array_equal(label, values)


@pytest.mark.parametrize(
    ("kind", "depth", "seen"),
    [(2, 8, "8-bit RGB"), (4, 8, "8-bit grey with alpha"), (2, 16, "16-bit RGB"), (3, 16, "16-bit palette")],
)
def test_colours_are_no_indices(tmp_path, kind, depth, seen):
    path = tmp_path / "a.png"
    path.write_bytes(png(np.zeros((4, 12), np.int64), kind, depth))
    with pytest.raises(DataError, match=f"{seen} seen, expected 8-bit class indices"):
        read_label(path)


def with_greys(tmp_path, values, *greys):
    path = tmp_path / "a.png"
    path.write_bytes(png(values, PALETTE, 8, palette=bytes(value for grey in greys for value in (grey, grey, grey))))
    return path


def test_a_grey_label_whose_classes_have_got_other_numbers_is_refused(tmp_path):
    """What optimizers of PNGs make of grey labels: a palette sorted as they like, and the picture looks the same."""
    indices = np.random.default_rng(0).integers(0, 4, (21, 37), dtype=np.int64)
    with pytest.raises(
        DataError, match=r"a.png: a palette of dark greys .* \(index 0 is grey 3\).* as an 8-bit grey PNG"
    ):
        read_label(with_greys(tmp_path, indices, 3, 7, 0, 255))
    with pytest.raises(DataError, match=r"index 1 is grey 11"):
        read_label(with_greys(tmp_path, indices, 0, 11, 2, 3))


@pytest.mark.parametrize(
    "greys",
    [
        (0, 1, 2, 3),  # as Pillow writes a palette that nobody chose
        (0, 1, 2, 255),  # unlabelled in white
        (0, 80, 160, 240),  # classes to look at
        (255, 0, 0, 0),  # too dark to tell apart, or black and white: no numbers
        (0, 1, 2, 3, 9, 8, 7),  # entries that no pixel has
    ],
)
def test_greys_that_say_nothing_of_numbers_are_read(tmp_path, greys):
    indices = np.random.default_rng(1).integers(0, 4, (21, 37), dtype=np.int64)
    if greys[0] == 255:
        indices = indices.clip(0, 1)
        greys = (0, 255)
    assert np.array_equal(read_label(with_greys(tmp_path, indices, *greys)), indices)
