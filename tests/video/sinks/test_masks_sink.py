"""Index masks, read back chunk by chunk."""

import errno
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from support.clips.results import opened, result_at

from edge_arseg.errors import SinkError
from edge_arseg.spec.model import CAMVID_11


def _png(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read an index PNG chunk by chunk, checksums and all."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, position = {}, 8
    while position < len(data):
        (length,) = struct.unpack_from(">I", data, position)
        kind, content = data[position + 4 : position + 8], data[position + 8 : position + 8 + length]
        (checksum,) = struct.unpack_from(">I", data, position + 8 + length)
        assert checksum == zlib.crc32(kind + content)
        chunks[kind] = content
        position += 12 + length
    width, height, *rest = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert rest == [8, 3, 0, 0, 0]
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, width + 1)
    assert not lines[:, 0].any()
    return lines[:, 1:], np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)


def test_masks_hold_the_class_indices(tmp_path):
    folder = tmp_path / "new" / "masks"
    with opened(f"masks://{folder}") as sink:
        for index in (0, 1, 123):
            sink.write(result_at(index))
    assert sorted(path.name for path in folder.iterdir()) == ["000000.png", "000001.png", "000123.png"]
    indices, palette = _png(folder / "000123.png")
    np.testing.assert_array_equal(indices, result_at(123).class_map)
    assert [tuple(row) for row in palette[:11].tolist()] == [info.color for info in CAMVID_11]
    assert not palette[11:].any()


def test_masks_are_read_by_pillow(tmp_path):
    image = pytest.importorskip("PIL.Image")
    with opened(f"masks://{tmp_path}") as sink:
        sink.write(result_at(5, size=(31, 17)))  # any size
    with image.open(tmp_path / "000005.png") as picture:
        assert picture.mode == "P"
        np.testing.assert_array_equal(np.array(picture), result_at(5, size=(31, 17)).class_map)
        assert picture.convert("RGB").getpixel((0, 0)) in [info.color for info in CAMVID_11]


def test_a_mask_is_complete_or_missing(tmp_path, monkeypatch):
    with opened(f"masks://{tmp_path}") as sink:
        sink.write(result_at(0))

        def full(path, data):
            with path.open("wb") as file:
                file.write(data[:10])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

        monkeypatch.setattr(Path, "write_bytes", full)
        with pytest.raises(SinkError, match="disk is full") as caught:  # noqa: PT012 - one of them fails
            for index in range(1, 5):  # a thread writes, up to two masks behind
                sink.write(result_at(index))
        assert caught.value.exit_code == 4
        with pytest.raises(SinkError, match="closed already"):
            sink.write(result_at(2))
    assert [path.name for path in tmp_path.iterdir()] == ["000000.png"]
