"""Progress where nobody watches a terminal: lines that are few and say all."""

import pytest

from edge_arseg.cli import progress
from edge_arseg.cli.progress import CLIPS, FRAMES, STEPS, FrameProgress, Meter


@pytest.fixture
def clock(monkeypatch):
    """Seconds, which the test sets."""
    seconds = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: seconds[0])
    return seconds


def shown(clock, capsys, meter, calls):
    """Lines of ``(second, done, total, what, detail)``."""
    with meter:
        for second, done, total, what, *detail in calls:
            clock[0] = second
            meter.show(done, total, what, **({"detail": detail[0]} if detail else {}))
    return capsys.readouterr().err.splitlines()


def test_what_goes_on_is_announced_then_told_every_ten_seconds(clock, capsys):
    calls = [(0, 0, 100, "scoring"), (4, 8, 100, "scoring"), (12, 24, 100, "scoring"), (13, 26, 100, "scoring")]
    assert shown(clock, capsys, Meter(unit=FRAMES), calls) == [
        "scoring ...",
        "scoring: 24 of 100 frames, 2.0 fps, 38 s to go",
    ]


def test_the_end_is_told(clock, capsys):
    calls = [(0, 0, 3, "preparing"), (1, 1, 3, "preparing"), (2, 3, 3, "preparing")]
    assert shown(clock, capsys, Meter(unit=CLIPS), calls)[1:] == [
        "preparing: 3 of 3 clips, 1.5 a second, 0 s to go"
    ]  # fmt: skip


def test_the_end_is_told_once(clock, capsys):
    """The seconds of a run are over while its last frames are on their way."""
    calls = [(0, 0, 30, "timing"), (2, 30, 30, "timing"), (3, 30, 30, "timing"), (4, 30, 30, "timing")]
    assert shown(clock, capsys, Meter(unit=FRAMES), calls) == [
        "timing ...",
        "timing: 30 of 30 frames, 15.0 fps, 0 s to go",
    ]


def test_the_end_of_each_of_two_is_told(clock, capsys):
    calls = [(1, 2, 2, "first"), (2, 2, 2, "second"), (3, 2, 2, "second")]
    assert [line.partition(":")[0] for line in shown(clock, capsys, Meter(unit=CLIPS), calls)] == ["first", "second"]


def test_what_was_done_before_does_not_count_for_the_pace(clock, capsys):
    """A run of 900 steps that goes on at 500: five steps in ten seconds."""
    calls = [(60, 501, 900, "training", "loss 2.000"), (72, 507, 900, "training", "loss 1.000, mIoU 7.00 %")]
    assert shown(clock, capsys, Meter(unit=STEPS), calls) == [
        "training: step 501 of 900, loss 2.000",
        "training: step 507 of 900, loss 1.000, mIoU 7.00 %, 2.00 s a step, 786 s to go",
    ]


def test_another_count_has_its_own_pace(clock, capsys):
    calls = [(0, 0, 4, "first"), (1, 4, 4, "first"), (50, 0, 4, "second"), (62, 3, 4, "second")]
    assert shown(clock, capsys, Meter(unit=CLIPS), calls)[-1] == "second: 3 of 4 clips, 0.2 a second, 4 s to go"


def test_without_a_total_there_is_no_end_to_wait_for(clock, capsys):
    assert shown(clock, capsys, Meter(), [(11, 22, 0, "")]) == ["22 frames, 2.0 fps"]


def test_frames_are_counted_before_steps_by_one_meter(clock, capsys):
    with Meter(unit=STEPS) as meter:
        scored, timed = meter.counter(FRAMES), meter.counter(STEPS)
        for second, show, done in ((0, scored, 0), (10, scored, 50), (11, timed, 0), (21, timed, 20)):
            clock[0] = second
            show(done, 100, "scoring" if show is scored else "timing")
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "scoring ...",
        "scoring: 50 of 100 frames, 5.0 fps, 10 s to go",
        "timing ...",
        "timing: step 20 of 100, 0.50 s a step, 40 s to go",
    ]


def test_what_is_done_before_the_first_result_is_not_in_the_rate(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr("edge_arseg.cli.progress.time.monotonic", lambda: now[0])
    frames = FrameProgress(48)
    now[0] = 11.0  # a street is rendered
    frames.begun()
    now[0] = 11.5
    frames.show(10, 48, "")
    assert frames.rate == 20.0
    assert capsys.readouterr().err == ""  # ten seconds count from there, too
