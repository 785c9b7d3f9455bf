"""The AR-Seg authors' processed folder: quarter-pel vectors, their numbering, all faults at once."""

import shutil

import numpy as np
import pytest
from support.training.files import PALETTE, png_from_rgb, street_still

from edge_arseg.errors import DataError
from edge_arseg.spec.model import CAMVID_12
from edge_arseg.training.pairs.authors import flow_from_vectors, keyframe_path
from edge_arseg.training.pairs.store import PairStore
from edge_arseg.training.prepare import store_from_request
from edge_arseg.training.request import Request
from edge_arseg.video.sinks.class_ids.png import png_from_indices

SIZE = (66, 82)  # whole cells in neither direction
KEYFRAMES = {"0001TP_006690": "frames/0001TP/0001TP_000020.png", "0006R0_f00960": "frames/0006R0/0006R0_000951.png"}


@pytest.fixture
def root(tmp_path):
    rng = np.random.default_rng(0)
    root = tmp_path / "3M-GOP12"
    for seed, (name, keyframe) in enumerate(KEYFRAMES.items()):
        rgb, label = street_still(*SIZE, seed)
        label[0] = 11  # void is a class of the authors
        label[1] = 255
        flow = rng.integers(-30, 30, (17, 21, 2))
        vectors = (4 * flow).repeat(4, 0).repeat(4, 1)[: SIZE[0], : SIZE[1]].astype("<i2")
        for path, content in (
            (f"decoded_GOP12_dist_11/train/{name}.png", png_from_rgb(rgb)),
            (f"decoded_GOP12_dist_11/train_labels_with_ignored/{name}.png", png_from_indices(label, PALETTE)),
            (f"MVmap_GOP12_dist_11/{name[:6]}/{name}.bin", vectors.tobytes()),
            (keyframe, png_from_rgb(255 - rgb)),
        ):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        np.save(tmp_path / f"{name}.npy", flow)
    return root


def test_the_authors_pairs_come_back_from_a_store(root, tmp_path):
    store_from_request(tmp_path / "store", Request(authors=root, size=SIZE))
    store = PairStore(tmp_path / "store", part="all")
    assert store.classes == CAMVID_12
    found = {}
    for index, entry in enumerate(store.clips):
        pair = store.pair(index, 0)
        name = entry.made_from["image"][:-4]
        rgb, label = street_still(*SIZE, list(KEYFRAMES).index(name))
        label[0], label[1] = 11, 255
        assert np.array_equal(pair.frame, rgb)
        assert np.array_equal(pair.keyframe, 255 - rgb)
        assert np.array_equal(pair.label, label)
        assert np.array_equal(pair.flow, np.load(tmp_path / f"{name}.npy"))
        assert (pair.distance, pair.motion) == (11, "hevc")
        found[name] = entry.part
    assert found == {"0001TP_006690": "held_back", "0006R0_f00960": "train"}


def test_an_image_is_held_back_at_every_distance_or_at_none(root, tmp_path):
    near = root / "decoded_GOP12_dist_5"
    for part in ("train", "train_labels_with_ignored"):
        shutil.copytree(root / "decoded_GOP12_dist_11" / part, near / part)
        (near / part / "0001TP_006690.png").unlink()  # of one image, none would be held back
    shutil.copytree(root / "MVmap_GOP12_dist_11", root / "MVmap_GOP12_dist_5")
    shutil.copy(root / KEYFRAMES["0006R0_f00960"], root / "frames/0006R0/0006R0_000957.png")
    for held_back in ("0001TP_006690", "0006R0_f00960"):
        store = tmp_path / held_back
        store_from_request(store, Request(authors=root, size=SIZE))
        parts = {(entry.made_from["image"][:-4], entry.part) for entry in PairStore(store, part="all").clips}
        assert parts == {("0001TP_006690", "held_back"), ("0006R0_f00960", "train")}


def test_quarters_are_kept():
    vectors = np.full((8, 8, 2), (1, -6), np.int16)
    assert flow_from_vectors(vectors)[1, 1].tolist() == [0.25, -1.5]


def test_numbers_of_the_stream(tmp_path):
    """0001TP starts at 6690 as frame 31; the other sequences are two frames late."""
    assert keyframe_path(tmp_path, "0001TP_006690", 0).name == "0001TP_000031.png"
    assert keyframe_path(tmp_path, "Seq05VD_f00030", 0).name == "Seq05VD_000032.png"
    assert keyframe_path(tmp_path, "0016E5_00390", 11).name == "0016E5_000381.png"


def test_all_faults_are_told(root, tmp_path):
    (root / KEYFRAMES["0001TP_006690"]).unlink()
    cut = root / "MVmap_GOP12_dist_11/0006R0/0006R0_f00960.bin"
    cut.write_bytes(cut.read_bytes()[:-4])
    with pytest.raises(DataError, match=r"(?s)2 faults.*0001TP_000020.png.*f00960.bin: 21644 bytes, expected 21648"):
        store_from_request(tmp_path / "store", Request(authors=root, size=SIZE))
    with pytest.raises(DataError, match="not the authors' processed CamVid"):
        store_from_request(tmp_path / "store", Request(authors=tmp_path, size=SIZE))
