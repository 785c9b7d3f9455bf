"""Data sets by their layouts: what is found, what is held back, what is refused."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.clips.heif import tiled
from support.training.files import (
    PALETTE,
    jpeg_from_rgb,
    png_from_rgb,
    street_still,
    write_camvid,
    write_classes,
    write_still,
)

from edge_arseg.errors import DataError, OptionError
from edge_arseg.spec.model import CAMVID_11, CAMVID_12, CITYSCAPES_19
from edge_arseg.training.datasets.dataset import LabelledImage, split_images
from edge_arseg.training.datasets.labels import camvid_11_colors, camvid_12_colors
from edge_arseg.training.datasets.layouts import dataset_from_folder
from edge_arseg.training.datasets.picture import read_rgb
from edge_arseg.video.sinks.class_ids.png import png_from_indices


def images_named(names):
    return [LabelledImage(Path(f"{name}.png"), Path(f"labels/{name}.png")) for name in names]


def test_the_middle_of_every_sequence_is_held_back():
    names = [f"a_{n:03d}" for n in range(20)] + [f"b_{n:03d}" for n in range(31)] + ["c_000"]
    train, held_back = split_images(images_named(reversed(names)))
    assert [image.name for image in held_back] == ["a_009", "a_010", "b_014", "b_015", "b_016"]
    assert [image.name for image in train] == [name for name in names if name not in {i.name for i in held_back}]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 60)), min_size=2, max_size=60, unique=True),
    st.floats(0.05, 0.6),
)
def test_nothing_is_both_trained_and_held_back(drawn, share):
    images = images_named([f"{sequence}_{number:04d}" for sequence, number in drawn])
    train, held_back = split_images(images, share)
    assert sorted(i.name for i in (*train, *held_back)) == sorted(i.name for i in images)
    for sequence in "abc":  # one run: nothing trained lies between two that are held back
        learnt = [image.name for image in train if image.name[0] == sequence]
        kept = [image.name for image in held_back if image.name[0] == sequence]
        assert not any(min(kept) < name < max(kept) for name in learnt if kept)


def test_share_out_of_range_is_refused():
    with pytest.raises(OptionError, match="held-back share of 1"):
        split_images([], 1.0)


def test_two_images_without_sequences_are_one_each():
    train, held_back = split_images(images_named(["x", "y"]))
    assert (len(train), len(held_back)) == (1, 1)


def test_camvid_reads_pictures_and_labels(tmp_path):
    dataset = dataset_from_folder(write_camvid(tmp_path, ["s_01", "s_02", "s_03"]))
    assert (dataset.name, dataset.classes) == ("camvid", CAMVID_11)
    assert [image.name for image in dataset.held_back] == ["s_02"]
    rgb, label = dataset.train[1].read()
    expected_rgb, expected = street_still(seed=2)
    assert np.array_equal(rgb, expected_rgb)
    assert np.array_equal(label, expected)


def test_one_past_the_last_class_is_ignored(tmp_path):
    rgb, label = street_still()
    label[:5] = 11
    label[5:7] = 255
    for name in ("a", "b"):
        write_still(tmp_path / "train/images", tmp_path / "train/labels", name, rgb, label)
    assert np.array_equal(dataset_from_folder(tmp_path).train[0].read()[1] == 255, np.isin(label, (11, 255)))


def test_camvid_val_is_never_read(tmp_path):
    write_camvid(tmp_path, ["s_01", "s_02"])
    (tmp_path / "val/images").mkdir(parents=True)
    (tmp_path / "val/images/broken.png").write_bytes(b"nothing")
    dataset = dataset_from_folder(tmp_path)
    assert all("val" not in image.image.parts for image in (*dataset.train, *dataset.held_back))


def test_a_data_set_of_segnets_layout_is_read(tmp_path):
    for name in ("a_1", "a_2"):
        write_still(tmp_path / "train", tmp_path / "trainannot", name, *street_still())
    assert len(dataset_from_folder(tmp_path).train) == 1


def test_plain_layout_with_its_own_split(tmp_path):
    write_classes(tmp_path / "classes.toml")
    for part, names in (("train", ["a", "b", "c"]), ("val", ["d"])):
        for name in names:
            write_still(tmp_path / part / "images", tmp_path / part / "labels", name, *street_still())
    dataset = dataset_from_folder(tmp_path)
    assert [[i.name for i in part] for part in (dataset.train, dataset.held_back)] == [["a", "b", "c"], ["d"]]
    assert dataset.classes == CAMVID_11


def test_original_colors(tmp_path):
    label = np.arange(32, dtype=np.uint8).reshape(4, 8).repeat(4, 0).repeat(4, 1)
    colors = np.array(list(camvid_11_colors()[1]))
    for name in ("0001TP_1", "0001TP_2", "0001TP_3"):
        for folder, suffix, rgb in (
            ("701_StillsRaw_full", "", np.zeros((16, 32, 3), np.uint8)),
            ("LabeledApproved_full", "_L", colors[label].astype(np.uint8)),
        ):
            (tmp_path / folder).mkdir(exist_ok=True)
            (tmp_path / folder / f"{name}{suffix}.png").write_bytes(png_from_rgb(rgb))
    merged = dataset_from_folder(tmp_path).train[0].read()[1]
    values = dict(zip(label.ravel().tolist(), merged.ravel().tolist(), strict=True))
    by_color = {tuple(color): values[i] for i, color in enumerate(colors.tolist())}
    names = {info.name: index for index, info in enumerate(CAMVID_11)}
    assert by_color[64, 128, 192] == names["car"]  # SUVPickupTruck
    assert by_color[128, 0, 192] == names["road"]  # LaneMkgsDriv
    assert by_color[192, 192, 0] == names["tree"]  # VegetationMisc
    assert by_color[0, 0, 0] == 255
    authors = dataset_from_folder(tmp_path, "camvid-authors")
    assert authors.classes == CAMVID_12
    assert authors.train[0].read()[1].ravel().tolist().count(255) == 20 * 16
    assert camvid_12_colors()[1][0, 0, 0] == 11
    (tmp_path / "train.txt").write_text("\ufeff0001TP_3.png\n0001TP_1\n0001TP_1_L.png\n0001TP_1\n", encoding="utf-8")
    listed = dataset_from_folder(tmp_path)  # an image that is named more than once is one image
    assert sorted(image.name for image in (*listed.train, *listed.held_back)) == ["0001TP_1", "0001TP_3"]
    (tmp_path / "train.txt").write_bytes(b"\xff\xfe0")
    with pytest.raises(DataError, match=r"train.txt: cannot be read .*expected the names of images, as UTF-8"):
        dataset_from_folder(tmp_path)


def test_every_color_of_a_class_is_that_class():
    for colors, classes in (camvid_11_colors(), camvid_12_colors()):
        infos, table = colors, classes
        assert len(table) == 32
        assert all(table[info.color] == index for index, info in enumerate(infos))


def test_cityscapes_ids_become_train_ids(tmp_path):
    ids = np.array([[7, 8, 11, 26, 33, 0, 4, 10]], np.uint8).repeat(16, 0).repeat(2, 1)
    for name in ("aachen_000000_000019", "aachen_000001_000019"):
        picture = tmp_path / f"leftImg8bit/train/aachen/{name}_leftImg8bit.png"
        label = tmp_path / f"gtFine/train/aachen/{name}_gtFine_labelIds.png"
        for path in (picture, label):
            path.parent.mkdir(parents=True, exist_ok=True)
        picture.write_bytes(png_from_rgb(np.zeros((16, 16, 3), np.uint8)))
        label.write_bytes(png_from_indices(ids, PALETTE))
    dataset = dataset_from_folder(tmp_path)
    assert dataset.classes == CITYSCAPES_19
    assert dataset.train[0].read()[1][0, ::2].tolist() == [0, 1, 2, 13, 18, 255, 255, 255]


def test_all_bad_files_are_told_at_once(tmp_path):
    root = write_camvid(tmp_path, [f"s_{n:02d}" for n in range(12)])
    images, labels = root / "train/images", root / "train/labels"
    (labels / "s_00.png").unlink()
    (images / "s_01.png").unlink()
    (images / "s_02.png").write_bytes(b"not a picture")
    (labels / "s_03.png").write_bytes((labels / "s_03.png").read_bytes()[:-20])
    _, label = street_still()
    (labels / "s_04.png").write_bytes(png_from_indices(label[:-2], PALETTE))
    label[0, 0] = 77
    (labels / "s_11.png").write_bytes(png_from_indices(label, PALETTE))  # held back
    with pytest.raises(DataError) as caught:
        dataset_from_folder(root)
    told = str(caught.value)
    assert "6 faults" in told
    for part in (
        "s_00.png: an image without a label",
        "s_01.png: a label without an image",
        "s_02.png: cannot be read",
    ):
        assert part in told
    assert "s_03.png: damaged" in told
    assert "s_04.png: 94x128 (rows x columns), its image is 96x128" in told
    assert "s_11.png: unknown label 77; expected one of 0 to 11, 255" in told


def test_a_picture_is_turned_as_its_exif_data_says_and_its_label_is_of_what_is_shown(tmp_path):
    rgb, label = street_still(96, 128)
    stored = np.rot90(rgb)  # a quarter turn to the right brings it back
    (tmp_path / "a.jpg").write_bytes(jpeg_from_rgb(stored, orientation=6))
    (tmp_path / "b.jpg").write_bytes(jpeg_from_rgb(stored, orientation=1))
    (tmp_path / "a.png").write_bytes(png_from_indices(label, PALETTE))
    shown, read = LabelledImage(tmp_path / "a.jpg", tmp_path / "a.png").read()
    assert np.array_equal(read, label)
    assert np.array_equal(shown, np.rot90(read_rgb(tmp_path / "b.jpg"), -1))
    assert np.abs(shown.astype(int) - rgb).mean() < 12
    (tmp_path / "a.png").write_bytes(png_from_indices(np.rot90(label).copy(), PALETTE))
    told = r"a\.png: 128x96 \(rows x columns\), its image is 96x128; labels are of an image as its EXIF data turns"
    with pytest.raises(DataError, match=told):
        LabelledImage(tmp_path / "a.jpg", tmp_path / "a.png").read()


def test_what_is_no_picture_is_refused_as_a_source_refuses_it(tmp_path):
    """The first tile of a phone's picture, and a cover, had been read."""
    tiled(tmp_path / "a.heic", [np.full((128, 128, 3), level, np.uint8) for level in (50, 200)])
    with pytest.raises(
        DataError, match=r"^a\.heic: cannot be read as an image \(FFmpeg gives this picture only in tiles"
    ):
        read_rgb(tmp_path / "a.heic")
    (tmp_path / "b.png").write_text("a text that FFmpeg would draw as letters\n" * 9)
    with pytest.raises(DataError, match=r"^b\.png: cannot be read as an image \("):
        read_rgb(tmp_path / "b.png")


def test_many_faults_are_counted(tmp_path):
    root = write_camvid(tmp_path, [f"s_{n:02d}" for n in range(2)])
    for number in range(25):
        (root / f"train/images/t_{number:02d}.png").write_bytes(b"")
    with pytest.raises(DataError, match="25 faults") as caught:
        dataset_from_folder(root)
    assert str(caught.value).endswith("and 5 more")


def test_one_image_leaves_a_part_empty(tmp_path):
    with pytest.raises(DataError, match="held-back part is empty"):
        dataset_from_folder(write_camvid(tmp_path, ["s_01"]))


def test_unknown_folders_and_layouts_are_refused(tmp_path):
    with pytest.raises(DataError, match="no layout"):
        dataset_from_folder(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        dataset_from_folder(tmp_path / "missing")
    with pytest.raises(OptionError, match="layout 'coco'"):
        dataset_from_folder(tmp_path, "coco")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("x = 1", "2 to 254 entries"),
        ("not toml", "not TOML"),
        (
            '[[class]]\nname = "a"\ncolor = [1, 2]\n[[class]]\nname = "a"\ncolor = [1, 2, 3]\n',
            r"(?s)entry 0: color.*'a' twice",
        ),
    ],
)
def test_class_files_are_checked(tmp_path, content, told):
    write_camvid(tmp_path, ["s_01", "s_02"])
    (tmp_path / "classes.toml").write_text(content)
    with pytest.raises(DataError, match=told):
        dataset_from_folder(tmp_path)
