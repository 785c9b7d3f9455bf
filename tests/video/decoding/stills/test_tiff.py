"""TIFFs: their colours, which way up, and those that cannot be shown."""

import io
import struct

import av
import numpy as np
import pytest

from edge_arseg.errors import SourceError
from edge_arseg.video import open_video
from edge_arseg.video.decoding.stills.tiff import is_jpeg_in_tiff, say_colours


def tiff(data, packing, order="<", colour=6, samples=3, size=(96, 128)):
    """A TIFF with one strip, shown turned to the right; FFmpeg gives one that is packed as JPEG as a green picture."""
    entries = (
        *((256, size[1]), (257, size[0]), (258, 8), (259, packing), (262, colour), (273, 8)),
        *((277, samples), (278, size[0])),
    )
    longs = {tag: struct.pack(order + "HHII", tag, 4, 1, value) for tag, value in (*entries, (279, len(data)))}
    turned = struct.pack(order + "HHIHH", 274, 3, 1, 6, 0)  # a short, as all readers want it
    tags = b"".join(entry for _, entry in sorted({**longs, 274: turned}.items()))
    head = struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, 8 + len(data))
    return head + data + struct.pack(order + "H", len(entries) + 2) + tags + bytes(4)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("packing", [6, 7])
def test_a_tiff_that_is_packed_as_jpeg_is_refused(tmp_path, order, packing):
    (tmp_path / "a.tif").write_bytes(tiff(bytes(100), packing, order))
    for uri in (f"images://{tmp_path}/*.tif", tmp_path / "a.tif"):
        with pytest.raises(SourceError, match=r"a\.tif: a TIFF whose pixels are packed as JPEG"):
            next(open_video(uri))


@pytest.mark.parametrize("order", "<>")
def test_a_sound_tiff_is_read_whatever_a_strict_decoder_says_of_its_tags(tmp_path, order):
    level = np.arange(96 * 128, dtype=np.uint8).reshape(96, 128)
    (tmp_path / "a.tif").write_bytes(tiff(level.tobytes(), 1, order, colour=1, samples=1))
    for uri in (f"images://{tmp_path}/*.tif", tmp_path / "a.tif"):
        with open_video(uri) as reader:
            np.testing.assert_array_equal(next(reader).rgb, np.repeat(np.rot90(level, -1)[..., None], 3, 2))


@pytest.mark.parametrize("order", ["<", ">"])
def test_pages_of_a_tiff_behind_the_first_are_told_of(tmp_path, caplog, order):
    """A preview beside a picture is no page. Each page is as the first one, with more said of it."""
    page = tiff(bytes([100]) * (96 * 128), 1, order, colour=1, samples=1)
    (start,) = struct.unpack(order + "I", page[4:8])
    (tags,) = struct.unpack(order + "H", page[start : start + 2])
    end = start + 2 + 12 * tags
    for kind, told in ((1, 0), (2, 1), (4, 0)):
        said = struct.pack(order + "HHII", 254, 4, 1, kind)
        second = struct.pack(order + "H", tags + 1) + said + page[start + 2 : end] + bytes(4)
        data = page[:end] + struct.pack(order + "I", len(page)) + page[end + 4 :] + second
        path = tmp_path / f"{kind}.tif"
        path.write_bytes(data)
        with open_video(path) as reader:
            assert len(list(reader)) == 1
        assert caplog.text.count(f"{kind}.tif: a TIFF of several pages; the first one is taken") == told


def test_other_tiffs_and_those_without_an_index_are_none_that_are_packed_as_jpeg():
    whole = tiff(b"", 7)
    assert is_jpeg_in_tiff(io.BytesIO(whole))
    assert not is_jpeg_in_tiff(io.BytesIO(tiff(b"", 5)))
    assert not any(is_jpeg_in_tiff(io.BytesIO(whole[:size])) for size in (0, 3, 6, 9, 20, 46))


BT601, BT709 = (0.299, 0.587, 0.114), (0.2126, 0.7152, 0.0722)


def ycbcr_tiff(rgb, *, weights=None, black=None, order="<", half=False):
    """A TIFF of uncompressed YCbCr, with a chroma value for each pixel, or for four; ``black``: luma of black."""
    red, _, blue = weights or BT601
    red_part, green_part, blue_part = np.moveaxis(rgb.astype(float), 2, 0)
    luma = red * red_part + (weights or BT601)[1] * green_part + blue * blue_part
    planes = [luma, 128 + (blue_part - luma) / 2 / (1 - blue), 128 + (red_part - luma) / 2 / (1 - red)]
    if black:
        planes = [black + planes[0] * 219 / 255, *(128 + (plane - 128) * 224 / 255 for plane in planes[1:])]
    y, cb, cr = (np.clip(np.rint(plane), 0, 255).astype(np.uint8) for plane in planes)
    if half:
        four = y.reshape(rgb.shape[0] // 2, 2, rgb.shape[1] // 2, 2).transpose(0, 2, 1, 3).reshape(-1, 4)
        data = np.concatenate([four, cb[::2, ::2].reshape(-1, 1), cr[::2, ::2].reshape(-1, 1)], 1).tobytes()
    else:
        data = np.stack([y, cb, cr], 2).tobytes()
    more, values = {}, b""
    for tag, numbers in ((529, weights), (532, black and (black, 235, 128, 240, 128, 240))):
        if numbers:
            more[tag] = struct.pack(order + "HHII", tag, 5, len(numbers), 8 + len(data) + len(values))
            values += b"".join(struct.pack(order + "II", round(number * 10000), 10000) for number in numbers)
    sides = {256: rgb.shape[1], 257: rgb.shape[0], 258: 8, 259: 1, 262: 6, 273: 8, 277: 3, 278: rgb.shape[0]}
    entries = {tag: struct.pack(order + "HHII", tag, 4, 1, value) for tag, value in {**sides, 279: len(data)}.items()}
    entries[530] = struct.pack(order + "HHIHH", 530, 3, 2, *(2 * (2 if half else 1,)))
    tags = b"".join(entry for _, entry in sorted({**entries, **more}.items()))
    head = struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, 8 + len(data) + len(values))
    return head + data + values + struct.pack(order + "H", len(tags) // 12) + tags + bytes(4)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    "said", [{}, {"half": True}, {"weights": BT601}, {"weights": BT709}, {"black": 16}, {"black": 16, "weights": BT709}]
)
def test_a_tiff_of_ycbcr_has_its_own_colours(tmp_path, order, said):
    """FFmpeg takes any for those of a video, 19 levels off."""
    rgb = np.kron(
        [[[255, 255, 255], [0, 0, 0], [200, 30, 60]], [[10, 120, 40], [40, 60, 200], [128, 128, 128]]],
        np.ones((32, 32, 1)),
    ).astype(np.uint8)
    (tmp_path / "a.tif").write_bytes(ycbcr_tiff(rgb, order=order, **said))
    for uri in (f"images://{tmp_path}/*.tif", tmp_path / "a.tif"):
        with open_video(uri) as reader:
            found = next(reader).rgb
        middle = np.abs(found.astype(int) - rgb)[16::32, 16::32]
        assert middle.max() <= 3, middle.max(axis=2)


def test_a_tiff_whose_tags_lead_nowhere_keeps_its_colours():
    whole = ycbcr_tiff(np.full((8, 8, 3), 100, np.uint8), weights=BT709, black=16)
    for size in range(0, len(whole), 7):
        picture = av.VideoFrame(8, 8, "yuv444p")
        say_colours(picture, whole[:size])
    rgb = av.VideoFrame(8, 8, "rgb24")
    say_colours(rgb, tiff(b"", 1, colour=2))
    assert int(rgb.color_range) == 0
