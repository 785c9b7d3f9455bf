"""Videos and results in object stores: one in this process, and an S3 server."""

import json
from pathlib import Path

import pytest
from support.archive.s3 import s3_server
from support.clips.moving import encode, moving

from edge_arseg.archive.store_shelf import StoreShelf
from edge_arseg.errors import SourceError
from edge_arseg.video.reader import open_video

fsspec = pytest.importorskip("fsspec")
COUNTS = {"a": 6, "b": 9}


@pytest.fixture
def memory(videos):
    """The videos of ``north`` in a store of this process."""
    store = fsspec.filesystem("memory")
    store.store.clear()
    store.pseudo_dirs[:] = [""]
    for name in COUNTS:
        store.pipe_file(f"/videos/{name}.mp4", Path(f"north/{name}.mp4").read_bytes())
    yield store
    store.store.clear()


@pytest.fixture(scope="module")
def s3():
    with s3_server() as store:
        yield store


def indices_in(data):
    return [json.loads(line)["index"] for line in data.decode().splitlines()]


def test_a_store_takes_what_a_folder_takes(run, memory):
    sinks = ("masks://{}/{{stem}}", "jsonl://{}/{{stem}}.jsonl", "{}/{{stem}}.mp4")
    answer = run("memory://videos/*.mp4", *(sink.format("memory://out") for sink in sinks))
    assert answer.code == 0, answer.err
    assert run("north", *(sink.format("here") for sink in sinks)).code == 0
    for name, count in COUNTS.items():
        assert indices_in(memory.cat_file(f"/out/{name}.jsonl")) == list(range(count))
        masks = {path.rpartition("/")[2]: memory.cat_file(path) for path in memory.find(f"/out/{name}")}
        assert masks == {path.name: path.read_bytes() for path in Path("here", name).iterdir()}
    assert not list(Path().glob("*memory*"))


def test_a_store_is_resumed_and_nothing_in_it_is_replaced(run, memory):
    arguments = ("memory://videos/*.mp4", "masks://memory://out/{stem}", "jsonl://memory://out/{stem}.jsonl")
    assert run(*arguments).code == 0
    answer = run(*arguments)
    assert (answer.code, "memory://out/a: it exists already" in answer.err) == (4, True), answer.err
    memory.rm("/out/b.jsonl")
    answer = run(*arguments, "--resume")
    assert (answer.code, "1 of 2 videos is whole" in answer.err) == (0, True), answer.err
    assert indices_in(memory.cat_file("/out/b.jsonl")) == list(range(9))
    memory.pipe_file("/videos/a.mp4", Path("south/c.mp4").read_bytes())
    assert "memory://videos/a.mp4 is another video by now" in run(*arguments, "--resume").err


def test_pieces_that_a_store_does_not_remove_stop_no_other_video(run, memory, monkeypatch):
    removed = StoreShelf.remove

    def refusing(shelf, name):
        if "probe" not in name:
            raise OSError("the store is busy")
        removed(shelf, name)

    monkeypatch.setattr(StoreShelf, "remove", refusing)
    answer = run("memory://videos/*.mp4", "jsonl://memory://out/{stem}.jsonl", "--piece-length", 600)
    assert answer.code == 0, answer.err
    assert "memory://videos/a.mp4: its pieces cannot be removed: the store is busy" in answer.err
    for name, count in COUNTS.items():
        assert indices_in(memory.cat_file(f"/out/{name}.jsonl")) == list(range(count))


def test_an_s3_server_takes_videos_in_pieces(run, s3, tmp_path):
    encode(tmp_path / "long.mp4", moving(75, step=(1, 1)), g=15, bf=0, refs=1, preset="veryfast", sc_threshold=0)
    s3.put_file(str(tmp_path / "long.mp4"), "cars/in/long.mp4")
    arguments = ("s3://cars/in/*.mp4", "masks://s3://cars/out/{stem}", "jsonl://s3://cars/out/{stem}.jsonl")
    answer = run(*arguments, "s3://cars/out/{stem}.mkv", "--piece-length", 1)
    assert answer.code == 0, answer.err
    assert indices_in(s3.cat_file("cars/out/long.jsonl")) == list(range(75))
    s3.invalidate_cache()
    assert sorted(path.rpartition("/")[2] for path in s3.find("cars/out/long")) == [f"{n:06d}.png" for n in range(75)]
    assert s3.info("cars/out/long.mkv")["size"] > 1000
    assert [path for path in s3.find("cars/out/.edge-arseg") if "/pieces/" in path] == []
    answer = run(*arguments, "s3://cars/out/{stem}.mkv", "--piece-length", 1, "--resume")
    assert (answer.code, "1 of 1 video is whole" in answer.err) == (0, True), answer.err


def test_what_a_store_refuses_is_told_without_keys(run, videos, s3):
    answer = run("s3://cars/in/gone.mp4", "null://")
    assert (answer.code, "s3://cars/in/gone.mp4" in answer.err) == (4, True), answer.err
    refused = run("north", "jsonl://s3://nobodys-bucket/{stem}.jsonl", "--processes", 1)
    assert (refused.code, refused.err.startswith("error: cannot write s3://nobodys-bucket: ")) == (4, True), refused.err
    told = answer.err + refused.err
    assert "AKIASECRET" not in told
    assert "very-secret" not in told


@pytest.mark.parametrize("secret", ["WORD", "WO/RD", "12/WORD+/WORD"])
def test_a_login_in_the_url_of_a_store_is_refused_and_not_shown(run, videos, secret):
    url, street = f"s3://AKIAKEY:{secret}@cars/in/a.mp4", "test://street?frames=2&size=48x64"
    for arguments in ((url, "null://"), (f"{url}*", "null://"), (street, url), (street, f"jsonl://{url}")):
        answer = run(*arguments, "-v", "--log-file", "run.log")
        assert answer.code == 4, answer.err
        assert "a login in the URL is not used; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in answer.err
        told = answer.err + answer.out + Path("run.log").read_text()
        assert "AKIAKEY" not in told
        assert "WORD" not in told


def test_a_package_that_is_missing_is_named(run, videos, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "gcsfs", None)
    answer = run("gs://cars/a.mp4", "null://")
    assert (answer.code, "gs:// needs gcsfs, which is not installed; type: " in answer.err) == (3, True), answer.err


def test_a_store_that_finds_no_keys_says_what_to_set(monkeypatch):
    """FFmpeg reads it, but it is not FFmpeg that says so."""
    opened = type("NoCredentialsError", (Exception,), {})("Unable to locate credentials")

    def refused(*_):
        raise opened

    monkeypatch.setattr(fsspec.core, "url_to_fs", refused)
    with pytest.raises(SourceError) as caught:
        open_video("s3://bucket/a.mp4")
    assert str(caught.value) == (
        "s3://bucket/a.mp4: no keys for this store were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
        "AWS_PROFILE"
    )
