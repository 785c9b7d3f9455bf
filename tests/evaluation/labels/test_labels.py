import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.bundles.toy import write_label

from edge_arseg.errors import DataError
from edge_arseg.evaluation.labels.files import Labels, checked_labels, read_label
from edge_arseg.evaluation.labels.pairing import labels_by_frame, pairs_by_stem

LABEL = np.arange(12, dtype=np.uint8).reshape(3, 4) % 11


def png(values, *, kind=0, depth=8):
    """A PNG of any kind; ``values``: its bytes, ``[H, bytes in a line]``."""
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[kind]
    height, width = values.shape[0], values.shape[1] * 8 // (channels * depth)
    lines = np.zeros((height, values.shape[1] + 1), np.uint8)
    lines[:, 1:] = values
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))]
    parts += [(b"IDAT", zlib.compress(lines.tobytes())), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )


def test_palette_and_grey_give_the_values_as_stored(tmp_path):
    write_label(tmp_path / "palette.png", LABEL)
    (tmp_path / "grey.png").write_bytes(png(LABEL))
    for name in ("palette.png", "grey.png"):
        label = read_label(tmp_path / name)
        assert label.dtype == np.uint8
        assert np.array_equal(label, LABEL)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not a PNG"),
        (b"GIF89a" + bytes(90), "not a PNG"),
        (png(LABEL)[:-20], "damaged or cut off"),
        (png(LABEL)[:50] + b"?" + png(LABEL)[51:], "damaged or cut off"),
        (png(np.zeros((3, 12), np.uint8), kind=2), "8-bit RGB seen, expected 8-bit class indices"),
        (png(np.zeros((3, 8), np.uint8), depth=16), "16-bit grey seen"),
    ],
)
def test_other_files_are_refused(tmp_path, content, told):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(DataError, match=told):
        read_label(tmp_path / "a.png")


def test_a_pipe_among_labels_is_told_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"a.png: a pipe or a device; expected a file, a PNG with class indices"):
        read_label(tmp_path / "a.png")


def test_all_bad_labels_are_told_at_once(tmp_path):
    write_label(tmp_path / "good.png", LABEL)
    write_label(tmp_path / "strange.png", np.full((3, 4), 33, np.uint8))
    write_label(tmp_path / "shape.png", np.zeros((3, 9), np.uint8))
    (tmp_path / "empty.png").write_bytes(b"")
    paths = {tmp_path / name: (30, 40) for name in ("good.png", "strange.png", "shape.png", "empty.png", "gone.png")}
    with pytest.raises(DataError) as caught:
        checked_labels(Labels(11), paths, faults=["one more"], where=tmp_path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 6
    assert "5 faults" in lines[0]
    assert "one more" in lines[1]
    assert "strange.png: unknown label 33; expected 0 to 10, or 11 or 255 for unlabelled" in lines[2]
    assert "shape.png: 3x9 (rows x columns) is not the shape of its picture, 30x40" in lines[3]
    assert "empty.png" in lines[4]
    assert "gone.png: cannot be read" in lines[5]


def test_unlabelled_pixels_are_known_and_do_not_count(tmp_path):
    write_label(tmp_path / "a.png", np.array([[0, 10, 11, 255]], np.uint8))
    file = Labels(11).check(tmp_path / "a.png")
    assert (file.height, file.width, file.counted) == (1, 4, 2)


def test_labels_without_any_class_are_refused(tmp_path):
    write_label(tmp_path / "a.png", np.full((3, 4), 11, np.uint8))
    with pytest.raises(DataError, match="every pixel of all 1 labels is ignored"):
        checked_labels(Labels(11), {tmp_path / "a.png": None}, where=tmp_path)


def paths(*names):
    return [Path(name) for name in names]


def test_as_many_labels_as_frames_are_paired_in_order():
    named = paths("seq_07959_L.png", "seq_07961_L.png", "seq_07965_L.png")
    assert labels_by_frame(named, 3, where=Path("l")) == dict(enumerate(named))
    # Numbers in order of their value, whatever they count from.
    numbered = paths("10.png", "8.png", "9.png")
    assert [p.name for p in labels_by_frame(numbered, 3, where=Path("l")).values()] == ["8.png", "9.png", "10.png"]


def test_names_that_are_indices_may_leave_frames_out():
    assert labels_by_frame(paths("000007.png", "000002.png"), 9, where=Path("l")) == {
        2: Path("000002.png"),
        7: Path("000007.png"),
    }


@pytest.mark.parametrize(
    ("names", "frames", "told"),
    [
        (("a_1.png", "a_2.png"), 3, "2 labels for 3 frames, and names like a_1.png do not say which frame"),
        (("a_1.png", "a_10.png", "a_2.png"), 3, r"a_10.png sorts before a_2.png"),
        (("0.png", "1.png", "9.png"), 4, r"9.png: no frame 9, the clip has frames 0 to 3"),
        (("1.png", "01.png"), 2, "1.png: the same number as another label"),
        (("1.png", "01.png"), 5, "01.png: the same number as another label"),
    ],
)
def test_what_cannot_be_paired_is_refused(names, frames, told):
    with pytest.raises(DataError, match=told):
        labels_by_frame(paths(*names), frames, where=Path("labels"))


@given(st.sets(st.integers(0, 50), min_size=1), st.integers(0, 10))
def test_no_label_ever_lands_on_another_frame_than_its_number_or_place(numbers, more):
    frames = max(numbers) + 1 + more
    found = labels_by_frame([Path(f"{n:04d}.png") for n in numbers], frames, where=Path("l"))
    assert found == {n: Path(f"{n:04d}.png") for n in sorted(numbers)}


def test_images_and_labels_pair_by_name():
    pairs, faults = pairs_by_stem(
        paths("i/a.jpg", "i/b.jpg", "i/b.png", "i/c.png"), paths("l/a.png", "l/b.png", "l/d.png")
    )
    assert pairs == [(Path("i/a.jpg"), Path("l/a.png")), (Path("i/b.jpg"), Path("l/b.png"))]
    assert faults == [
        "b.png: the same name as b.jpg",
        "c.png: an image without a label c.png",
        "d.png: a label without an image",
    ]
