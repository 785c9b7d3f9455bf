"""``train prepare`` as its user meets it."""

import json

import pytest
from support.training.files import write_camvid

from edge_arseg.video.sources.street_clip import write_street


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_camvid(tmp_path_factory.mktemp("data"), ["s_01", "s_02"])


def test_stills_become_pairs(edge_arseg, dataset, tmp_path):
    arguments = ("train", "prepare", dataset, "-o", tmp_path / "pairs", "--clips-per-image", 2, "--gop", 4, "--json")
    answer = edge_arseg(*arguments)
    assert answer.code == 0, answer.err
    result = json.loads(answer.out)
    assert (result["clips"], result["new_clips"]) == (3, 3)
    assert result["pairs"] == {"train": 6, "held_back": 3}
    assert (result["height"], result["width"], result["gop"]) == (96, 128, 4)
    assert "3 of 3 clips" in answer.err
    again = edge_arseg(*arguments)
    assert json.loads(again.out)["new_clips"] == 0


def test_a_summary_for_people(edge_arseg, dataset, tmp_path):
    answer = edge_arseg(
        "train", "prepare", dataset, "-o", tmp_path / "pairs", "--clips-per-image", 1, "--size", "64x96"
    )
    assert answer.code == 0, answer.err
    assert "3 to train on, 3 held back" in answer.out
    assert "64x96, GOP 12, 11 classes" in answer.out
    assert f"edge-arseg train lr HR_RUN --pairs {tmp_path / 'pairs'} -o RUN" in answer.out


def test_unlabelled_clips_need_classes(edge_arseg, tmp_path):
    write_street(tmp_path / "clip.mp4", size=(64, 96), count=24, seed=1)
    arguments = ("train", "prepare", "--unlabelled", tmp_path / "clip.mp4", "-o", tmp_path / "pairs", "--gop", 3)
    refused = edge_arseg(*arguments)
    assert refused.code == 2
    assert "--classes camvid-11" in refused.err
    answer = edge_arseg(*arguments, "--classes", "camvid-11", "--size", "64x96", "--motion-mix", "recode=1", "--json")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["labelled_clips"] == 0


def test_the_defaults_are_those_of_a_request(edge_arseg, tmp_path, monkeypatch):
    pytest.importorskip("numba")
    from edge_arseg.training.prepare import PreparedPairs
    from edge_arseg.training.request import Request

    requests = []

    def prepare_pairs(path, request, *, progress):
        requests.append(request)
        return PreparedPairs(str(path), 0, 0, {"train": 0, "held_back": 0}, 0, 64, 96, 12, 11, {}, 0)

    monkeypatch.setattr("edge_arseg.training.prepare.prepare_pairs", prepare_pairs)
    assert edge_arseg("train", "prepare", "-o", tmp_path).code == 0
    assert requests == [Request()]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ((), 2, "nothing to prepare"),
        (("--clip", "a.mp4"), 2, "1 --clip and 0 --labels"),
        (("--street", 1, "--motion-mix", "flow=1"), 2, "a motion mix of 'flow=1'"),
        (("missing-folder",), 3, "no such folder"),
        (("--street", 1, "--classes", "missing.toml"), 3, "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_told(edge_arseg, tmp_path, arguments, code, told):
    answer = edge_arseg("train", "prepare", *arguments, "-o", tmp_path / "pairs")
    assert (answer.code, told in answer.err) == (code, True), answer.err
    assert not (tmp_path / "pairs").exists()


def test_nothing_is_left_where_something_cannot_be_used(edge_arseg, dataset, tmp_path):
    (tmp_path / "file").write_text("mine")
    for more, output, code, told in (
        (("--unlabelled", tmp_path / "gone.mp4"), "pairs", 4, "there is no such file"),
        (("--clip", "test://street?frames=6", "--labels", tmp_path / "gone"), "pairs", 3, "no such folder"),
        (("--size", "99999x99999"), "pairs", 2, "expected 64 to 16384 rows and columns"),
        ((), "file", 4, "a part of the path is a file"),
    ):
        answer = edge_arseg("train", "prepare", dataset, "-o", tmp_path / output, "--size", "64x96", *more)
        assert (answer.code, told in answer.err) == (code, True), answer.err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "mine"
