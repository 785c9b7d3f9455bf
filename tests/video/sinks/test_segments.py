"""Overlay videos in segments, and what is left of them when the process is killed."""

import random
import signal
import subprocess
import sys
import textwrap
import time

import av
import pytest
from support.children import Child
from support.clips.results import SIZE, decoded, result_at

from edge_arseg.errors import OptionError, SinkError
from edge_arseg.spec.model import CAMVID_11
from edge_arseg.video.sinks import plan_sinks

WRITER = """
    import sys, time
    import numpy as np
    from edge_arseg.spec.model import CAMVID_11
    from edge_arseg.spec.frame import Branch, Frame, SegmentedFrame
    from edge_arseg.video.sinks import plan_sinks

    rng = np.random.default_rng(0)
    rgb, class_map = rng.integers(0, 256, (96, 128, 3), np.uint8), np.zeros((96, 128), np.uint8)
    (sink,) = plan_sinks([sys.argv[1]], segment_s=1.0).open(size=(96, 128), rate=50.0, classes=CAMVID_11)
    with sink:
        for index in range(100000):
            sink.write(SegmentedFrame(Frame(index, index / 50, np.roll(rgb, index, 0)), class_map, Branch.LR, 1, 1.0))
            print(index, flush=True)
"""


def written(path, count, *, segment_s, force=False):
    plan = plan_sinks([str(path)], segment_s=segment_s, force=force)
    (sink,) = plan.open(size=SIZE, rate=25.0, classes=CAMVID_11)
    with sink:
        for index in range(count):
            sink.write(result_at(index, time_s=index / 25))


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_each_segment_is_a_video_of_its_own_and_together_they_have_every_frame(tmp_path, ending):
    written(tmp_path / f"a{ending}", 120, segment_s=2.0)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [f"a-{number:05d}{ending}" for number in range(3)]
    pictures = [decoded(tmp_path / name) for name in names]
    assert [len(one) for one in pictures] == [50, 50, 20]
    assert [one[0].time for one in pictures] == [0.0, 0.0, 0.0]
    assert [one[0].key_frame for one in pictures] == [True] * 3


def test_segments_that_are_there_stay_without_force_and_go_together_with_it(tmp_path):
    written(tmp_path / "a.mp4", 120, segment_s=1.0)
    (tmp_path / "a-1.mp4").write_text("mine")
    with pytest.raises(SinkError, match=r"there are 5 segments already, a-00000\.mp4 the first; type --force"):
        written(tmp_path / "a.mp4", 10, segment_s=1.0)
    written(tmp_path / "a.mp4", 30, segment_s=1.0, force=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-00000.mp4", "a-00001.mp4", "a-1.mp4"]


@pytest.mark.parametrize("length", [0, -1, float("nan"), "60s"])
def test_a_length_that_is_none_is_refused(tmp_path, length):
    """Each frame became a file."""
    with pytest.raises(OptionError, match=f"segments of {length!r} seconds: expected a number above 0"):
        written(tmp_path / "a.mp4", 1, segment_s=length)


def test_containers_that_play_only_when_closed_are_refused(tmp_path):
    with pytest.raises(SinkError, match=r"for segments choose .mp4 or .mkv"):
        plan_sinks([str(tmp_path / "a.gif")], segment_s=60.0)


def killed(path, after_s):
    command = [sys.executable, "-c", textwrap.dedent(WRITER), path]
    with Child(command, stdout=subprocess.PIPE, text=True) as writer:
        writer.stdout.readline()
        time.sleep(after_s)
        writer.send_signal(signal.SIGKILL)
        return len(writer.stdout.readlines()) + 1


def check_whole(folder, count):
    *closed, last = sorted(folder.glob("a-*.mp4"))
    assert [len(decoded(segment)) for segment in closed] == [50] * len(closed)
    left = count - 50 * len(closed)
    try:
        shown = len(decoded(last))
    except av.error.InvalidDataError:  # killed before its first fragment
        shown = 0
    # two results wait in the thread; the last second may be lost
    assert left - 53 <= shown <= left + 1


@pytest.mark.parametrize("after_s", [0.3, 0.7, 1.1])
def test_a_killed_process_leaves_every_closed_segment_whole_and_the_last_up_to_a_second(tmp_path, after_s):
    check_whole(tmp_path, killed(tmp_path / "a.mp4", after_s))


@pytest.mark.slow
def test_fifty_kills_at_random_moments(tmp_path):
    moments = random.Random(16)
    for number in range(50):
        folder = tmp_path / str(number)
        folder.mkdir()
        check_whole(folder, killed(folder / "a.mp4", moments.uniform(0, 3)))
