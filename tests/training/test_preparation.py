"""Preparing a store: simulated clips that are worth learning from, goes on after a stop, real clips, errors."""

import numpy as np
import pytest
from support.training.files import street_still, write_camvid, write_classes, write_still

from edge_arseg.errors import DataError, OptionError
from edge_arseg.motion import KeyframePolicy, MotionChain
from edge_arseg.spec.model import CAMVID_11
from edge_arseg.training.pairs.jobs import Job, store_from_jobs
from edge_arseg.training.pairs.store import PairStore, StoreHead
from edge_arseg.training.pairs.writer import StoreWriter
from edge_arseg.training.prepare import store_from_request
from edge_arseg.training.request import Request
from edge_arseg.training.simulation.clip import frames_from_still
from edge_arseg.training.simulation.encoded import Encoding, clip_from_frames
from edge_arseg.video.reader import open_video
from edge_arseg.video.sources.street_clip import write_street

SIZE = (96, 128)


def psnr(a, b, mask):
    return 10 * np.log10(255**2 / np.mean((a[mask].astype(float) - b[mask]) ** 2))


def warped(keyframe, flow):
    height, width = keyframe.shape[:2]
    spread = flow.repeat(4, 0).repeat(4, 1)[:height, :width]
    y, x = np.mgrid[:height, :width]
    u = np.clip(np.rint(x + spread[..., 0]), 0, width - 1).astype(int)
    v = np.clip(np.rint(y + spread[..., 1]), 0, height - 1).astype(int)
    return keyframe[v, u]


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_decoded_flow_leads_back_to_the_keyframe():
    """Over simulated clips, the warped keyframe is nearer to the frame than the keyframe as it is, by far."""
    gains, wrong = [], []
    for seed in range(6):
        frames = frames_from_still(*street_still(144, 192, seed), CAMVID_11, seed=[seed])
        motion = "codec" if seed % 3 == 2 else "recode"
        clip = clip_from_frames(frames, Encoding(500_000, "veryfast"), motion=motion, distances=(4, 11))
        key = clip.records[0]["rgb"]
        for record in clip.records[1:]:
            seen = record["label"] != 255
            still = psnr(key, record["rgb"], seen)
            gains.append(psnr(warped(key, record["flow"]), record["rgb"], seen) - still)
            wrong.append(psnr(warped(key, -record["flow"]), record["rgb"], seen) - still)
    assert np.mean(gains) >= 3.0
    assert np.mean(wrong) < 0.0


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_camvid(tmp_path_factory.mktemp("camvid"), ["s_01", "s_02", "s_03"])


@pytest.fixture(scope="module")
def request_(dataset):
    return Request(dataset=dataset, clips_per_image=2, gop=6, mix={"recode": 0.5, "codec": 0.25, "zero": 0.25}, seed=3)


@pytest.fixture(scope="module")
def store(request_, tmp_path_factory):
    path = tmp_path_factory.mktemp("pairs") / "store"
    assert store_from_request(path, request_) == 5  # 2 stills twice, the held-back one once
    return path


def test_pairs_are_what_training_expects(store):
    pairs = PairStore(store)
    assert (len(pairs), pairs.gop, pairs.frame_count) == (12, 6, 16)
    pair = pairs[0]
    assert (pair.keyframe.shape, pair.frame.shape, pair.label.shape) == ((*SIZE, 3), (*SIZE, 3), SIZE)
    assert (pair.flow.shape, pair.flow.dtype) == ((24, 32, 2), np.float32)
    assert all(pairs.pair(clip, 2).distance == 5 for clip in range(len(pairs.clips)))
    assert pairs.distances().tolist() == [pairs[i].distance for i in range(len(pairs))]
    assert set(np.unique(pair.label)) <= {*range(11), 255}


def test_parts_do_not_overlap(store):
    trained = {entry.made_from["image"] for entry in PairStore(store).clips}
    held_back = {entry.made_from["image"] for entry in PairStore(store, part="held_back").clips}
    assert (trained, held_back) == ({"s_01.png", "s_03.png"}, {"s_02.png"})


def test_frames_are_all_stored_pictures(store):
    pairs = PairStore(store)
    frames = list(pairs.frames())
    assert len(frames) == 16
    assert np.array_equal(frames[0][0], pairs[0].keyframe)
    assert np.array_equal(frames[3][0], pairs[2].frame)
    assert np.array_equal(frames[4][0], pairs[3].keyframe)
    with pytest.raises(IndexError):
        pairs.frame(16)


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("workers", [1, 3])
def test_a_killed_preparation_goes_on(store, request_, tmp_path, workers):
    def kill(done, total, what):
        if done == 2:
            raise Killed

    path = tmp_path / "store"
    with pytest.raises(Killed):
        store_from_request(path, request_, progress=kill)
    with (path / "clips.jsonl").open("a") as lines:
        lines.write('{"key": "still-s_0')  # cut off in the middle of a line
    assert len(PairStore(path, part="all").clips) == 2
    request_ = Request(**{name: getattr(request_, name) for name in request_.__slots__} | {"workers": workers})
    assert store_from_request(path, request_) == 3
    assert contents(path) == contents(store)


def test_more_clips_leave_those_that_are_there(store, request_, tmp_path):
    path = tmp_path / "store"
    fields = {name: getattr(request_, name) for name in request_.__slots__}
    store_from_request(path, Request(**fields | {"clips_per_image": 1}))
    assert store_from_request(path, request_) == 2
    assert contents(path) == contents(store)


def test_another_seed_in_the_same_store_is_refused(store, request_):
    fields = {name: getattr(request_, name) for name in request_.__slots__}
    with pytest.raises(DataError, match="made with another seed"):
        store_from_request(store, Request(**fields | {"seed": 4}))
    with pytest.raises(DataError, match="holds a store of 96x128, GOP 6"):
        store_from_request(store, Request(**fields | {"gop": 12}))


def test_damaged_stores_are_told_and_can_be_mended(store, request_, tmp_path):
    with pytest.raises(DataError, match="edge-arseg train prepare"):
        PairStore(tmp_path)
    copy = tmp_path / "copy"
    (copy / "clips").mkdir(parents=True)
    for name, content in contents(store).items():
        (copy / name).write_bytes(content)
    pairs = PairStore(copy)
    cut = copy / "clips" / f"{pairs.clips[0].key}.npy"
    cut.write_bytes(cut.read_bytes()[:-1000])
    with pytest.raises(DataError, match=r"missing or cut off.*train prepare` again, which makes it anew"):
        pairs[0]
    (copy / "clips" / ".part-1-ab.npy").write_bytes(b"of a writer that was killed")
    assert store_from_request(copy, request_) == 1
    assert contents(copy) == contents(store)
    lines = (copy / "clips.jsonl").read_text().splitlines(keepends=True)
    for damage in (
        '{"key": 1}\n',
        lines[1].replace('"part": "', '"part": "x'),
        lines[1].replace("still", "../still"),
        "\udcff\n",
    ):
        text = "".join([lines[0], damage, *lines[2:]])
        (copy / "clips.jsonl").write_bytes(text.encode(errors="surrogateescape"))
        for use in (lambda: PairStore(copy), lambda: store_from_request(copy, request_)):
            with pytest.raises(DataError, match=r"line 2 of clips.jsonl is damaged .*; delete that line, and type"):
                use()
    (copy / "clips.jsonl").write_text("".join([lines[0], *lines[2:]]))
    assert store_from_request(copy, request_) == 1
    assert sorted((copy / "clips.jsonl").read_text().splitlines(keepends=True)) == sorted(lines)
    head = (copy / "store.json").read_text()
    for damage in (head.replace(": 96", ": 1e999"), head.replace(": 96", ": 0"), head[:-9]):
        (copy / "store.json").write_text(damage)
        with pytest.raises(DataError, match=r"store.json is damaged .*; put back a copy of it, or delete the folder"):
            PairStore(copy)
    (copy / "store.json").write_text(head)
    (copy / "store.json").write_text((copy / "store.json").read_text().replace('"revision": 1', '"revision": 9'))
    with pytest.raises(DataError, match="revision 9, this version reads 1"):
        PairStore(copy)


def test_images_of_one_name_in_both_parts_are_kept_apart(tmp_path):
    """As where the folders of a data set both count from 0: the clip of one took the file of the other."""
    data = tmp_path / "data"
    rgb, label = street_still()
    for part, picture in (("train", rgb), ("val", 255 - rgb)):
        write_still(data / part / "images", data / part / "labels", "0001", picture, label)
    write_classes(data / "classes.toml")
    request = Request(dataset=data, clips_per_image=1, gop=4, mix={"zero": 1.0})
    assert store_from_request(tmp_path / "pairs", request) == 2
    assert store_from_request(tmp_path / "pairs", request) == 0
    seen = {}
    for part, key in (("train", "still-0001-00"), ("held_back", "still-held-0001-00")):
        pairs = PairStore(tmp_path / "pairs", part=part)
        assert [entry.key for entry in pairs.clips] == [key]
        seen[part] = pairs[0].frame.mean()
    assert seen["train"] == pytest.approx(rgb.mean(), abs=20)
    assert seen["held_back"] == pytest.approx(255 - rgb.mean(), abs=20)


def test_jobs_of_one_name_are_refused(tmp_path):
    jobs = [Job("one", "train", {"n": n}, lambda: None) for n in (1, 2)]
    writer = StoreWriter(tmp_path / "pairs", StoreHead(CAMVID_11, 64, 96, 12))
    with pytest.raises(DataError, match="two clips would be called one; give the images names of their own"):
        store_from_jobs(writer, jobs)


@pytest.mark.parametrize("changes", [{"clips_per_image": 10**12}, {"street": 10**12}])
def test_more_clips_than_the_disk_holds_are_refused_before_they_are_planned(dataset, tmp_path, changes):
    with pytest.raises(DataError, match="GB are free; choose a smaller"):
        store_from_request(tmp_path / "pairs", Request(dataset=dataset, **changes))
    assert not (tmp_path / "pairs").exists()


@pytest.mark.parametrize(("size", "told"), [((128, 96), True), ((96, 128), False), (None, False)])
def test_frames_across_the_images_are_told(dataset, tmp_path, caplog, size, told):
    with pytest.raises(DataError, match="GB are free"):
        store_from_request(tmp_path / "pairs", Request(dataset=dataset, size=size, clips_per_image=10**12))
    assert ("128x96 is 128 rows and 96 columns, and the images of camvid have" in caplog.text) is told


@pytest.mark.parametrize("changes", [{"gop": 10**9}, {"gop": 1}, {"clips_per_image": 0}, {"street": -1}])
def test_numbers_that_cannot_be_meant_are_refused(dataset, tmp_path, changes):
    with pytest.raises(OptionError, match="expected"):
        store_from_request(tmp_path / "pairs", Request(dataset=dataset, **changes))


def test_a_folder_of_something_else_is_left_alone(request_, tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(DataError, match="something else"):
        store_from_request(tmp_path, request_)


@pytest.fixture(scope="module")
def drive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drive")
    write_street(folder / "drive.mp4", folder / "labels", size=SIZE, count=30, seed=1, gop=30, bitrate=400_000)
    return folder


def test_real_clips_are_taken_as_they_are(drive, tmp_path):
    clips = ((str(drive / "drive.mp4"), drive / "labels"),)
    request = Request(clips=clips, classes=CAMVID_11, size=SIZE, gop=3, mix={"recode": 1.0})
    made = store_from_request(tmp_path / "store", request)
    pairs = PairStore(tmp_path / "store")
    held_back = PairStore(tmp_path / "store", part="held_back")
    assert made == len(pairs.clips) + len(held_back.clips)
    assert max(c.made_from["first"] + max(c.distances) for c in pairs.clips) < 27
    assert min(c.made_from["first"] for c in held_back.clips) >= 27
    with open_video(drive / "drive.mp4", motion="recode") as reader:
        frames = list(reader)
    entry = pairs.clips[7]
    first = entry.made_from["first"]
    chain = MotionChain(*SIZE, policy=KeyframePolicy(interval=100, scene_cut=1.0))
    flows = [chain.follow(frame)[1].flow.copy() for frame in frames[first:]]
    for i, distance in enumerate(entry.distances):
        pair = pairs.pair(7, i)
        assert np.array_equal(pair.keyframe, frames[first].rgb)
        assert np.array_equal(pair.frame, frames[first + distance].rgb)
        assert np.array_equal(pair.flow, flows[distance])
    assert store_from_request(tmp_path / "store", request) == 0


def test_labels_of_some_frames(drive, tmp_path):
    some = tmp_path / "labels"
    some.mkdir()
    for index in (10, 20, 29):
        (some / f"{index:06d}.png").write_bytes((drive / f"labels/{index:06d}.png").read_bytes())
    clips = ((str(drive / "drive.mp4"), some),)
    store_from_request(tmp_path / "store", Request(clips=clips, classes=CAMVID_11, size=SIZE, gop=3, mix={"zero": 1.0}))
    pairs = PairStore(tmp_path / "store", part="all")
    ends = {entry.made_from["first"] + distance for entry in pairs.clips for distance in entry.distances}
    assert ends == {10, 20, 29}
    assert (pairs[0].label != 255).mean() > 0.9


def test_unlabelled_clips_have_no_labels(drive, tmp_path):
    clip = str(drive / "drive.mp4")
    store_from_request(
        tmp_path / "store", Request(clips=((clip, None),), classes=CAMVID_11, size=SIZE, gop=3, mix={"codec": 1.0})
    )
    with pytest.raises(DataError, match="no labelled pair"):
        PairStore(tmp_path / "store")
    pairs = PairStore(tmp_path / "store", labelled=False)
    assert all((pairs[i].label == 255).all() for i in range(len(pairs)))
    assert {entry.motion for entry in pairs.clips} == {"codec"}


def test_codec_vectors_that_cannot_be_used_are_recoded(tmp_path):
    clip = tmp_path / "b.mp4"
    write_street(clip, size=SIZE, count=20, seed=1, bframes=2)
    store_from_request(
        tmp_path / "store", Request(clips=((str(clip), None),), classes=CAMVID_11, size=SIZE, gop=3, mix={"codec": 1.0})
    )
    assert {entry.motion for entry in PairStore(tmp_path / "store", labelled=False).clips} == {"recode"}


def test_a_short_clip_is_refused(tmp_path):
    clip = tmp_path / "short.mp4"
    write_street(clip, size=SIZE, count=13, seed=1)
    with pytest.raises(DataError, match="13 frames, 1 of them to be paired"):
        store_from_request(tmp_path / "store", Request(clips=((str(clip), None),), classes=CAMVID_11, size=SIZE))


def test_plain_layout_with_a_clip(drive, tmp_path):
    root = write_camvid(tmp_path / "data", ["s_01", "s_02"])
    write_classes(root / "classes.toml")
    (root / "clips/drive").mkdir(parents=True)
    (root / "clips/drive.mp4").write_bytes((drive / "drive.mp4").read_bytes())
    for label in (drive / "labels").iterdir():
        (root / "clips/drive" / label.name).write_bytes(label.read_bytes())
    store_from_request(tmp_path / "store", Request(dataset=root, clips_per_image=1, gop=3, mix={"recode": 1.0}))
    kinds = [entry.made_from["kind"] for entry in PairStore(tmp_path / "store", part="all").clips]
    assert kinds.count("still") == 2
    assert kinds.count("clip") > 20


def test_street_clips_have_exact_labels(tmp_path):
    request = Request(street=1, classes=CAMVID_11, size=SIZE, gop=4, mix={"recode": 1.0})
    store_from_request(tmp_path / "store", request)
    pair = PairStore(tmp_path / "store")[0]
    assert (pair.label < 11).all()
    with pytest.raises(OptionError, match="leave --street out"):
        store_from_request(tmp_path / "other", Request(street=1, classes=CAMVID_11[:5], size=SIZE))


def test_nothing_asked_for_is_refused(tmp_path):
    with pytest.raises(OptionError, match="nothing to prepare"):
        store_from_request(tmp_path / "store", Request())
