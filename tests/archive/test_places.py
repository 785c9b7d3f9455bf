"""Nothing that is read is overwritten, and nothing is written twice: refused before anything starts."""

import json
from pathlib import Path

import pytest
from support.clips.moving import chainable

from edge_arseg.archive.staging import target_of
from edge_arseg.archive.summary import is_summary
from edge_arseg.errors import SinkError


@pytest.fixture
def refused(run, videos):
    """What is said where a run is refused, and nothing in the working directory has changed."""

    def files():
        return {str(path): path.read_bytes() for path in sorted(Path().rglob("*")) if path.is_file()}

    def ask(*arguments):
        before, folders = files(), set(Path().rglob("*"))
        answer = run(*arguments)
        assert answer.code == 4, answer.err
        assert (files(), set(Path().rglob("*"))) == (before, folders)
        return answer.err

    return ask


@pytest.mark.parametrize("more", [(), ("--force",), ("--resume",), ("--resume", "--force")])
@pytest.mark.parametrize(
    ("arguments", "summary", "told"),
    [
        (("south/c.mp4", "jsonl://o/{stem}.jsonl"), "south/c.mp4", "south/c.mp4: a source of this run is there"),
        (("**/*.mp4", "jsonl://o/{stem}.jsonl"), "south/../north/a.mp4", "a source of this run is there"),
        (("south/c.mp4", "y.mp4"), "y.mp4", "y.mp4: y.mp4 writes there; choose another name for --summary"),
        (("south/c.mp4", "jsonl://o/{stem}.jsonl"), "./o/c.jsonl", "jsonl://o/c.jsonl writes there"),
        (("south/c.mp4", "masks://o/{stem}"), "o/c/s.jsonl", "o/c/s.jsonl: it is inside masks://o/c"),
        (("south/c.mp4", "masks://o/{stem}"), "o", "masks://o/c writes there"),
    ],
)
def test_a_summary_replaces_no_source_and_no_result(refused, arguments, summary, told, more):
    assert told in refused(*arguments, "--summary", summary, *more)


def test_resume_replaces_a_summary_and_nothing_else(run, refused):
    sinks = ("south", "jsonl://o/{stem}.jsonl")
    Path("notes.jsonl").write_text('{"source": "mine", "frames": 3}\n')
    told = refused(*sinks, "--summary", "notes.jsonl", "--resume")
    assert "notes.jsonl: it exists already; type --force to replace it" in told
    assert "--resume replaces a summary and nothing else" in told
    Path("s.jsonl").write_text("")  # of a run that was ended at once
    for again in (False, True):
        assert run(*sinks, "--summary", "s.jsonl", "--resume").code == 0
        assert [row["again"] for row in map(json.loads, Path("s.jsonl").read_text().splitlines())] == [again]
    assert run(*sinks, "--summary", "notes.jsonl", "--resume", "--force").code == 0
    assert is_summary(Path("notes.jsonl"))


@pytest.mark.parametrize("text", ["text\n", "[]\n", "3\n", '{"source": "a"}\n', "[" * 10_000, "\xff\n"])
def test_what_is_no_summary_is_not_taken_for_one(tmp_path, text):
    (tmp_path / "s").write_text(text, encoding="latin-1")
    assert not is_summary(tmp_path / "s")


def test_a_summary_that_cannot_be_written_is_noticed_at_the_start(refused):
    Path("file").touch()
    for place in ("/proc/nope/s", "file/s"):
        told = refused("south", "jsonl://o/{stem}.jsonl", "--summary", place)
        assert "cannot be written (" in told
        assert told.endswith("; choose another place for --summary\n")


def test_a_result_is_no_source_of_another_video(run, refused):
    chainable(Path("north/a1.mp4"), 4)
    told = refused("north", "north/{stem}1.mp4", "--force")
    assert (
        "cannot write north/a1.mp4: it is a source of this run too; write the results to a folder of their own" in told
    )
    assert "for example 'results/{stem}1.mp4', or name the sources in a list (@list.txt)" in told
    Path("north/a1.mp4").unlink()
    assert run("north", "north/{stem}-overlay.mp4").code == 0
    for more in ("--force", "--resume"):
        assert "it is a source of this run too" in refused("north", "north/{stem}-overlay.mp4", more)
    Path("list.txt").write_text("north/a.mp4\nnorth/b.mp4\n")
    assert run("@list.txt", "north/{stem}-overlay.mp4", "--force").code == 0


def test_a_source_that_is_a_link_is_what_it_stands_for(refused):
    Path("links").mkdir()
    Path("links/d.mp4").symlink_to(Path("north/a.mp4").resolve())
    Path("list.txt").write_text("links/d.mp4\nsouth/c.mp4\n")
    assert "north/a.mp4: it is a source" in refused("@list.txt", "{parent}/../north/a.mp4", "--force")
    assert "a source of this run is inside" in refused("@list.txt", "masks://{parent}", "--force")


def test_a_result_in_a_store_is_no_source(run, videos):
    pytest.importorskip("fsspec")
    for sink in ("memory://bucket/a.mp4", "raw://memory://bucket/a.mp4"):
        answer = run("memory://bucket/a.mp4", sink, "--force")
        assert (answer.code, f"cannot write {sink}: it is the source, which is being read" in answer.err) == (4, True)


def test_masks_do_not_go_to_a_folder_that_holds_the_source(refused):
    told = refused("south", "masks://south", "--summary", "s.jsonl", "--force")
    assert "cannot write masks://south: a source of this run is inside; choose another folder" in told


@pytest.mark.parametrize(
    ("sinks", "told"),
    [
        (
            ("jsonl://z/{stem}.txt", "jsonl://z/./{number}.txt"),
            "cannot write jsonl://z/1.txt: jsonl://z/./1.txt is the same place, where the results of n/2.mp4 go",
        ),
        (
            ("jsonl://z/{stem}.txt", "raw://link/{number}.txt"),
            "cannot write jsonl://z/1.txt: raw://link/1.txt is the same place, where the results of n/2.mp4 go",
        ),
        (
            ("masks://z/{stem}", "jsonl://z/2/{stem}.jsonl"),
            "cannot write jsonl://z/2/1.jsonl: it is inside masks://z/2, where the results of n/2.mp4 go",
        ),
        (
            ("jsonl://z/{stem}", "jsonl://link/{number}/x"),
            "cannot write jsonl://link/1/x: it is inside jsonl://z/1, where the results of n/1.mp4 go",
        ),
    ],
)
def test_two_spellings_of_a_place_are_one(refused, sinks, told):
    Path("n").mkdir()
    for name in (1, 2):
        chainable(Path(f"n/{name}.mp4"), 3)
    Path("z").mkdir()
    Path("link").symlink_to("z")
    Path("list.txt").write_text("n/2.mp4\nn/1.mp4\n")
    assert told in refused("@list.txt", *sinks, "--force")


def test_a_folder_takes_the_masks_of_a_video_beside_its_other_results(run, videos):
    Path("out/a").mkdir(parents=True)
    sinks = ("masks://out/{stem}", "jsonl://out/{stem}/lines.jsonl")
    for more in ((), ("--resume",), ("--force",)):
        answer = run("north", *sinks, *more)
        assert answer.code == 0, answer.err
        assert sorted(path.name for path in Path("out/a").iterdir()) == [
            *(f"{index:06d}.png" for index in range(6)),
            "lines.jsonl",
        ]
    assert "it holds 6 masks already" in run("north", *sinks).err


def test_overlays_without_a_named_sink_have_names_of_their_own(run, videos):
    chainable(Path("south/a.mp4"), 4)
    Path("list.txt").write_text("north/a.mp4\nsouth/a.mp4\n")
    assert run("@list.txt").code == 0
    assert sorted(path.name for path in Path().glob("*.mp4")) == ["a-overlay-2.mp4", "a-overlay.mp4"]


def test_a_device_is_not_replaced_by_a_result():
    with pytest.raises(SinkError, match="a device or a pipe cannot be begun again"):
        target_of("jsonl:///dev/null")


def test_a_result_is_called_after_its_video_also_where_that_looks_like_a_part_of_a_url(run, videos):
    names = ["50%25", "a%20b", "x%2f..%2f..%2fup"]
    video = Path("south/c.mp4")
    for name in names:
        video.with_stem(name).write_bytes(video.read_bytes())
    video.unlink()
    assert run("south", "localhost/{stem}.mp4", "localhost/{stem}.npz", "--summary", "s.jsonl").code == 0
    made = sorted(f"{name}{ending}" for name in names for ending in (".mp4", ".npz"))
    assert sorted(path.name for path in Path("localhost").iterdir() if path.name != ".edge-arseg") == made
    assert not Path("up.mp4").exists()
