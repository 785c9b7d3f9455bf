"""Many videos in one command: whole or not at all, once, and each by itself."""

import json
import multiprocessing
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import av
import numpy as np
import pytest
from support.archive.tasks import Deadly
from support.bundles.fake import FAKE
from support.children import Child
from support.clips.moving import chainable, encode

from edge_arseg.archive import segmenting
from edge_arseg.archive.executors import served
from edge_arseg.archive.executors.count import processes_that_pay
from edge_arseg.archive.executors.processes import Processes
from edge_arseg.archive.segmenting import Video
from edge_arseg.archive.settings import Settings
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.device.host_memory import HostMemory
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.mode import Mode

SINKS = ("masks://out/{stem}", "jsonl://out/{stem}.jsonl")


def rows_in(path):
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def tree():
    """All files below ``out`` but the records, with what changes when one is written again."""
    return {
        str(path): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in sorted(Path("out").rglob("*"))
        if path.is_file() and ".edge-arseg" not in path.parts
    }


def hidden():
    return list(Path("out").rglob(".part-*"))


@pytest.fixture
def process(fake_bundle, videos):
    """``edge-arseg run`` in a process of its own."""

    def start(*arguments):
        return Child([sys.executable, "-m", "edge_arseg", "run", *arguments, "-b", fake_bundle, *FAKE])

    return start


def test_two_processes_write_what_one_writes_and_the_summary_counts_it(run, videos):
    answer = run("**/*.mp4", *SINKS, "--processes", 2, "--summary", "s.jsonl")
    assert answer.code == 0, answer.err
    assert "2 processes, engines with 1 thread each" in answer.err
    rows = rows_in("s.jsonl")
    assert [(row["source"], row["frames"], row["keyframes"]) for row in rows] == [
        ("north/a.mp4", 6, 2),
        ("north/b.mp4", 9, 3),
        ("south/c.mp4", 5, 2),
    ]
    assert all(sum(row["classes"].values()) == pytest.approx(1, abs=1e-4) for row in rows)
    assert rows[1]["video_s"] == pytest.approx(8 / 25)
    both = {name: Path(name).read_bytes() for name in tree() if name.endswith(".png")}
    assert len(both) == 20
    assert hidden() == []
    assert run("**/*.mp4", *SINKS, "--processes", 1, "--force").code == 0
    assert {name: Path(name).read_bytes() for name in both} == both


def test_the_summary_counts_every_frame_of_mode_hr_as_a_keyframe_as_the_run_of_one_does(run, videos):
    assert run("**/*.mp4", *SINKS, "--mode", "hr", "--summary", "s.jsonl").code == 0
    assert [(row["frames"], row["keyframes"]) for row in rows_in("s.jsonl")] == [(6, 6), (9, 9), (5, 5)]


def test_a_video_that_fails_leaves_nothing_and_stops_nothing(run, videos):
    whole = (videos / "north/b.mp4").read_bytes()
    (videos / "north/b.mp4").write_bytes(whole[: len(whole) - 1500])  # its index is gone
    answer = run("**/*.mp4", *SINKS, "--summary", "s.jsonl")
    assert answer.code == 4
    assert answer.err.rstrip().endswith("error: 1 of 3 videos failed: north/b.mp4; see above for the reasons")
    errors = [row["error"] for row in rows_in("s.jsonl")]
    assert [error is None for error in errors] == [True, False, True]
    assert "north/b.mp4" in errors[1]
    assert not os.path.lexists("out/b")
    assert not os.path.lexists("out/b.jsonl")
    before = tree()
    (videos / "north/b.mp4").write_bytes(whole)
    again = run("**/*.mp4", *SINKS, "--resume", "--summary", "s.jsonl")
    assert (again.code, "2 of 3 videos are whole; 1 to go" in again.err) == (0, True), again.err
    assert {name: seen for name, seen in tree().items() if name in before} == before
    assert [(row["frames"], row["again"]) for row in rows_in("s.jsonl")] == [(6, True), (9, False), (5, True)]


def test_an_error_of_a_sink_names_the_place_that_was_typed(run, videos):
    """And not the hidden folder beside it, where results are until they are whole."""
    encode("north/wide.mkv", [np.zeros((16, 16400, 3), np.uint8)] * 2, "ffv1")
    answer = run("north", "out/{stem}.mp4", "masks://out/{stem}", "--summary", "s.jsonl")
    assert answer.code == 4
    told = "cannot write out/wide.mp4: its pictures are 16x16400, and a video has at most 16384 pixels a side"
    assert f"failed: north/wide.mkv: {told}" in answer.err
    (error,) = (row["error"] for row in rows_in("s.jsonl") if row["error"])
    assert error.startswith(told)
    assert ".part-" not in answer.err


def test_an_error_that_nobody_foresaw_stops_no_other_video(run, videos, monkeypatch):
    segmented = segmenting.run_to_sinks

    def failing(segmenter, source, *arguments, **options):
        if source.endswith("b.mp4"):
            raise ZeroDivisionError("frame of nothing")
        return segmented(segmenter, source, *arguments, **options)

    monkeypatch.setattr(segmenting, "run_to_sinks", failing)
    answer = run("**/*.mp4", *SINKS, "--processes", 1, "--summary", "s.jsonl")
    assert answer.code == 4
    assert "failed: north/b.mp4: unforeseen ZeroDivisionError: frame of nothing; this is a fault of" in answer.err
    assert [row["error"] is None for row in rows_in("s.jsonl")] == [True, False, True]
    assert not hidden()


def test_a_video_without_the_stream_that_is_asked_for_stops_no_other(run, videos):
    with av.open("north/a.mp4") as read, av.open("north/two.mkv", "w") as written:
        streams = [written.add_stream_from_template(read.streams.video[0]) for _ in range(2)]
        for packet in read.demux(video=0):
            for stream in streams if packet.size else ():
                copy = av.Packet(bytes(packet))
                copy.pts, copy.dts, copy.time_base = packet.pts, packet.dts, packet.time_base
                copy.is_keyframe, copy.stream = packet.is_keyframe, stream
                written.mux(copy)
    answer = run("north", *SINKS, "--processes", 1, "--stream", 1, "--summary", "s.jsonl")
    assert answer.code == 4
    assert "failed: north/a.mp4: its stream 1 is no video; expected one of its video streams: stream 0" in answer.err
    assert [row["frames"] for row in rows_in("s.jsonl")] == [0, 0, 6]
    assert run("north/a.mp4", "null://", "--stream", 1).code == 2


def test_other_options_and_other_videos_are_not_taken_for_done(run, videos):
    assert run("**/*.mp4", *SINKS).code == 0
    before = tree()
    answer = run("**/*.mp4", *SINKS, "--resume", "--interval", 2)
    assert (answer.code, "was made with another bundle or other options; type --force" in answer.err) == (4, True)
    chainable(videos / "south/c.mp4", 7)
    answer = run("**/*.mp4", *SINKS, "--resume")
    assert (answer.code, "south/c.mp4 is another video by now" in answer.err) == (4, True), answer.err
    assert tree() == before
    assert run("**/*.mp4", *SINKS, "--resume", "--force").code == 0
    assert len(rows_in("out/c.jsonl")) == 7
    changed = {name for name, seen in tree().items() if before.get(name) != seen}
    assert {name for name in changed if not name.startswith("out/c")} == set()
    os.utime("north/a.mp4")  # as where it was copied: another time, the same content
    assert "3 of 3 videos are whole" in run("**/*.mp4", *SINKS, "--resume").err


def test_what_the_user_changed_is_not_replaced_and_what_was_removed_is_made_again(run, videos):
    assert run("**/*.mp4", *SINKS).code == 0
    Path("out/a.jsonl").write_text("mine\n")
    answer = run("**/*.mp4", *SINKS, "--resume")
    assert (answer.code, "it was changed since it was written" in answer.err) == (4, True)
    Path("out/a.jsonl").unlink()
    assert run("**/*.mp4", *SINKS, "--resume").code == 0
    assert len(rows_in("out/a.jsonl")) == 6


def test_a_file_that_comes_meanwhile_is_not_replaced(run, videos, monkeypatch):
    from edge_arseg.archive.staging import Staged

    enter = Staged.__enter__

    def entered(staged):
        Path("out").mkdir(exist_ok=True)
        Path("out/a.jsonl").write_text("mine\n")
        return enter(staged)

    monkeypatch.setattr(Staged, "__enter__", entered)
    answer = run("**/*.mp4", *SINKS)
    assert (answer.code, "a.jsonl: it exists already" in answer.err) == (4, True), answer.err
    assert Path("out/a.jsonl").read_text() == "mine\n"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_run_leaves_no_half_file_and_is_finished_by_resume(process, run, number):
    """The second video comes slowly; the first is whole by then."""
    slow = ("--realtime", "--on-late", "block")
    chainable(Path("north/b.mp4"), 30)
    with process("north", *SINKS, *slow, "--processes", "1") as started:
        deadline = time.monotonic() + 60
        while not list(Path("out").glob(".part-*/b*")):  # of the second video
            assert time.monotonic() < deadline
            time.sleep(0.02)
        started.send_signal(number)
    assert started.returncode == (143 if number == signal.SIGTERM else -9)
    assert bool(hidden()) is (number == signal.SIGKILL)
    assert {name.split("/")[1].partition(".")[0] for name in tree() if ".part" not in name} == {"a"}
    answer = run("north", *SINKS, *slow, "--resume")
    assert (answer.code, "1 of 2 videos is whole; 1 to go" in answer.err) == (0, True), answer.err
    assert [line["index"] for line in rows_in("out/b.jsonl")] == list(range(30))
    assert (len(list(Path("out/b").glob("*.png"))), hidden()) == (30, [])


def test_a_command_that_was_killed_between_two_names_is_finished_by_resume(run, videos):
    assert run("north", *SINKS).code == 0
    for record in Path("out/.edge-arseg").glob("*.json"):
        record.write_text(record.read_text().replace('"whole"', '"placing"'))
    Path("out/a.jsonl").unlink()
    assert run("north", *SINKS, "--resume").code == 0
    assert len(rows_in("out/a.jsonl")) == 6
    assert len(list(Path("out/a").glob("*.png"))) == 6


def test_a_process_that_dies_is_replaced_and_what_it_had_is_tried_once_more(fake_bundle, tmp_path):
    digest = read_bundle(fake_bundle).digest
    settings = Settings(fake_bundle, digest, EngineOptions("graph", "fake", 1), "fake", Mode.AR, "fixed", 4)
    kills = {"a": 0, "b": 1, "c": 2, "d": 0}
    outcomes = {}
    with Processes(settings, 2, lambda count: None, lambda level, line: None) as executor:
        for label, times in kills.items():
            executor.submit(Deadly(label, times, tmp_path / "log"))
        for _, outcome in executor.completed():
            outcomes[outcome.source] = outcome
    assert {label: outcome.frames for label, outcome in outcomes.items()} == {"a": 4, "b": 4, "c": 0, "d": 4}
    assert outcomes["c"].error == (
        "the process that segmented it ended twice (by SIGKILL; perhaps memory ran out: type a smaller --processes)"
    )
    assert sorted((tmp_path / "log").read_text().split()) == ["a", "b", "b", "c", "c", "d"]


def test_a_process_that_is_told_to_end_where_nothing_is_passed_on_ends_at_its_next_frame(monkeypatch):
    monkeypatch.setattr(served, "_asked", 0)
    ours, theirs = multiprocessing.Pipe()
    frames = served._Frames(theirs)
    frames.add(None)
    with suppress(SystemExit):  # as a destructor does
        served._ended(signal.SIGTERM, None)
    with pytest.raises(SystemExit) as ended:
        frames.add(None)
    assert ended.value.code == 143
    ours.close()
    theirs.close()


def test_no_more_processes_are_started_than_pay(monkeypatch):
    def videos(*sizes):
        return [Video(str(number), str(number), (), None, "") for number, _ in enumerate(sizes)]

    def count(sizes, backend="onnxruntime", cores=8):
        monkeypatch.setattr("edge_arseg.archive.executors.count._size", lambda video: sizes[int(video.key)])
        return processes_that_pay(videos(*sizes), backend, cores=cores)

    assert count([50_000, 60_000]) == 1  # seconds of video: over before a second process has begun
    assert count([9_000_000] * 3) == 3
    assert count([9_000_000] * 30) == 8
    assert count([9_000_000] * 30, "tensorrt") == count([9_000_000] * 30, "onnxruntime-cuda") == 1
    assert count([9_000_000] * 30, "support.bundles.toy:ToyEngine") == 8  # an engine of one's own, on the CPU
    monkeypatch.setattr("edge_arseg.archive.executors.count.host_memory", lambda: HostMemory(available=1_100_000_000))
    assert count([9_000_000] * 30) == 2
