"""``run`` on sources that do not wait, and its kinds of keyframes."""

import json
import re

import pytest

STREET = "test://street?size=48x64&frames=20&rate=40"


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_file_in_real_time_says_drops_and_ages(run, tmp_path):
    answer = run(STREET, f"jsonl://{tmp_path}/a.jsonl", "--realtime", "--on-late", "block")
    assert answer.code == 0, answer.err
    assert re.search(r"20 frames, 5 keyframes, .* fps, 0 dropped, age \d+ ms, p95 \d+ ms", answer.err)
    frames = lines(tmp_path / "a.jsonl")
    assert [frame["index"] for frame in frames] == list(range(20))
    assert all(frame["age_ms"] >= frame["latency_ms"] for frame in frames)
    assert {frame["dropped"] for frame in frames} == {0}
    assert [frame["warp_error"] is None for frame in frames] == [frame["branch"] == "hr" for frame in frames]


def test_a_file_at_its_own_speed_has_no_age(run, tmp_path):
    answer = run(STREET, f"jsonl://{tmp_path}/a.jsonl", "--max-age", "1")
    assert answer.code == 0, answer.err
    assert "age" not in answer.err.splitlines()[-1]
    assert {frame["age_ms"] for frame in lines(tmp_path / "a.jsonl")} == {None}


@pytest.mark.parametrize("kind", ["fixed", "async", "adaptive", "adaptive-async"])
def test_every_kind_of_keyframes_gives_every_frame(run, tmp_path, kind):
    answer = run(STREET, f"jsonl://{tmp_path}/a.jsonl", "--keyframes", kind, "--threads", "2", "--interval", "6")
    assert answer.code == 0, answer.err
    assert ("keyframes in the background" in answer.err) == kind.endswith("async")
    frames = lines(tmp_path / "a.jsonl")
    assert [frame["index"] for frame in frames] == list(range(20))
    assert (frames[0]["branch"], frames[0]["distance"]) == ("hr", 0)
    assert max(frame["distance"] for frame in frames) < 19


def test_on_one_core_async_keyframes_are_fixed_and_a_line_says_so(run):
    answer = run(STREET, "null://", "--keyframes", "async", "--threads", "1")
    assert answer.code == 0, answer.err
    assert "keyframes are made at their frame and not in the background: there is one core" in answer.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--on-late", "block", "--max-age", "50"], "--on-late block drops no frame"),
        (["--keyframes", "adaptive", "--interval", "1"], "expected frames, 2 or more"),
        (["--timeout", "0"], "--timeout"),
    ],
)
def test_options_that_contradict_are_refused(run, options, said):
    answer = run(STREET, "null://", *options)
    assert answer.code == 2
    assert said in answer.err


def test_a_source_that_never_comes_ends_with_4(run):
    answer = run("rtsp://127.0.0.1:9/live", "null://", "--wait", "--timeout", "1.2")
    assert answer.code == 4
    assert "nobody listens at this address" in answer.err
    assert "(waited for it for " in answer.err
