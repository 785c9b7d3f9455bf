"""Times strictly increase by sane steps, whatever a stream's clock does."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.clips.broken import remuxed
from support.clips.moving import chainable, encode, moving

from edge_arseg.motion import MotionChain
from edge_arseg.video import open_video
from edge_arseg.video.decoding.times import clock as clocks
from edge_arseg.video.decoding.times.clock import Clock


class Wall:
    """The clock of this process, moved by hand."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def wall(monkeypatch):
    found = Wall()
    monkeypatch.setattr(clocks.time, "monotonic", found.monotonic)
    return found


def times(said, *, rate=25.0, leap_s=math.inf):
    clock = Clock(rate, live=False, leap_s=leap_s)
    return [round(clock.time_s(time_s), 6) for time_s in said]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([0, 0.04, 0.08, 0, 0.04, 0.08], [0, 0.04, 0.08, 0.12, 0.16, 0.2]),  # a restart
        ([0, 0.04, 0.08, 0, 0.04, 0, 0.04], [0, 0.04, 0.08, 0.12, 0.16, 0.2, 0.24]),  # two
        ([5, 5.04, 5.08, 1, 1.5, 1.54], [5, 5.04, 5.08, 5.12, 5.62, 5.66]),  # and a pause behind it
        ([0, 0.04, 0.04, 0.08, 0.12], [0, 0.04, 0.08, 0.12, 0.16]),  # twice the same
        ([0, 0.08, 0.04, 0.16, 0.12, 0.24], [0, 0.08, 0.12, 0.16, 0.2, 0.24]),  # out of order
        ([0, None, 0.08, math.nan, math.inf, 0.2], [0, 0.04, 0.08, 0.12, 0.16, 0.2]),  # none said
        ([None, None, 7.0, 7.04], [0, 0.04, 0.08, 0.12]),  # none at first
        ([0, 0.04, 0.08, 30.08, 30.12, 3630.12], [0, 0.04, 0.08, 30.08, 30.12, 3630.12]),  # pauses
        ([-0.08, -0.04, 0, 0.04], [-0.08, -0.04, 0, 0.04]),
    ],
)
def test_times_of_a_file(said, expected):
    assert times(said) == expected


def test_a_clock_that_leaps_advances_one_period_where_the_container_is_known_for_it():
    said = [0, 0.04, 0.08, 95443.7, 95443.74, 0.12]
    assert times(said, leap_s=60.0) == [0, 0.04, 0.08, 0.12, 0.16, 0.2]
    assert times([0, 0.04, 30.04, 30.08], leap_s=60.0) == [0, 0.04, 30.04, 30.08]


@pytest.mark.parametrize("rate", [25.0, 50.0, 90000.0])
def test_a_clock_that_is_coarser_than_the_pictures_come_keeps_its_pace(rate):
    """50 pictures a second, whose times are written in steps of a 25th: they had run at half the pace."""
    found = times([n // 2 / 25 for n in range(1000)], rate=rate)
    assert found[-1] == pytest.approx(999 / 50, abs=0.15)
    assert np.diff(found[100:]) == pytest.approx(0.02, abs=0.002)
    found = times([(n - (n > 500)) / 25 for n in range(1000)])  # one of them twice
    assert found[-1] == pytest.approx(998 / 25, abs=0.05)


def test_a_time_lapse_keeps_its_steps():
    assert times([0, 600, 1200, 1800], rate=1 / 600, leap_s=60.0) == [0, 600, 1200, 1800]


def test_the_period_is_the_streams_and_not_a_rate_that_was_guessed():
    said = [0, 0.1, 0.2, 0.3, 0.4, 0, 0.1]
    for rate in (None, 90000.0, 50.0):
        assert times(said, rate=rate) == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]


@given(st.lists(st.none() | st.floats(-1e5, 1e5) | st.just(math.nan), max_size=60), st.booleans())
def test_times_always_go_on(said, live):
    clock = Clock(25.0, live=live, leap_s=60.0)
    found = [clock.time_s(time_s) for time_s in said]
    assert all(a < b for a, b in itertools.pairwise(found))
    assert all(map(math.isfinite, found))


def test_an_outage_of_a_live_stream_counts_though_the_first_pictures_have_no_time(wall):
    """As RTSP gives them: the first picture after opening has no time, for H.264 and H.265."""
    clock = Clock(25.0, live=True)
    found = []

    def came(time_s, wait=0.04):
        wall.now += wait
        found.append(round(clock.time_s(time_s), 6))

    for time_s in (None, 900.04, 900.08):
        came(time_s)
    clock.restart()
    came(None, 5.0)
    came(None, 0.0)  # what was sent while the stream was opened comes at once
    came(17.08, 0.0)
    came(17.12)
    assert found == [0, 0.04, 0.08, 5.08, 5.12, 5.16, 5.2]


def test_a_live_clock_that_breaks_without_opening_anew_goes_by_what_passed(wall):
    clock = Clock(25.0, live=True)
    found = []
    for time_s, wait in [(7, 0), (7.04, 0.04), (0, 3.0), (0.04, 0.04), (500, 0.04), (500.04, 0.04), (504.04, 4.0)]:
        wall.now += wait
        found.append(round(clock.time_s(time_s), 6))
    assert found == [0, 0.04, 3.04, 3.08, 3.12, 3.16, 7.16]


@pytest.mark.parametrize("ending", ["ts", "h264", "mpg"])
def test_joined_files_go_on_by_one_period(tmp_path, ending):
    codec = "mpeg2video" if ending == "mpg" else "libx264"
    options = {} if ending == "mpg" else {"bf": 0, "refs": 1}
    part = encode(tmp_path / f"part.{ending}", moving(12, height=64, width=96), codec, **options)
    path = tmp_path / f"whole.{ending}"
    path.write_bytes(2 * part.read_bytes())
    with open_video(path) as reader:
        found = np.array([frame.time_s for frame in reader])
    assert len(found) in (23, 24)  # the MPEG-2 decoder keeps a picture back where the parts meet
    np.testing.assert_allclose(np.diff(found), 0.04, atol=0.0011)


def test_a_transport_stream_whose_clock_leaps_goes_on_by_one_period(tmp_path):
    part, later, path = (tmp_path / name for name in ("part.ts", "later.ts", "whole.ts"))
    encode(part, moving(12, height=64, width=96), bf=0, refs=1)
    encode(later, moving(12, height=64, width=96), times=[2_000_000 + 40 * n for n in range(12)], bf=0, refs=1)
    path.write_bytes(part.read_bytes() + later.read_bytes())
    with open_video(path) as reader:
        found = np.array([frame.time_s for frame in reader])
    np.testing.assert_allclose(np.diff(found), 0.04, atol=0.001)


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_pauses_of_a_recording_stay(tmp_path, ending):
    times_ms = [0, 40, 80, 30_080, 30_120, 75_000, 75_040]
    with open_video(encode(tmp_path / f"a.{ending}", moving(7), times=times_ms, bf=0)) as reader:
        found = [frame.time_s for frame in reader]
    steps = [0.04, 0.04, 30, 0.04, 44.88, 0.04]
    np.testing.assert_allclose(np.diff(found), steps, atol=0.001)


def test_a_restart_does_not_stop_the_motion_where_the_pictures_go_on(tmp_path):
    part = chainable(tmp_path / "part.ts", 6)
    (tmp_path / "whole.ts").write_bytes(2 * part.read_bytes())
    with open_video(tmp_path / "whole.ts", motion="codec") as reader:
        chain = MotionChain(reader.height, reader.width)
        frames = [(frame.vectors is None, chain.follow(frame)[0].value) for frame in reader]
    assert [n for n, (fresh, branch) in enumerate(frames) if fresh and branch == "hr"] == [0, 6]


@pytest.mark.parametrize("lengths", [(24, 24), (12, 36), (36, 12)])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_joined_fragments_show_all_pictures(tmp_path, lengths, b_frames):
    """``cat a.mp4 b.mp4`` of fragments: FFmpeg takes the first one of the second file for a copy, and hides it."""
    both = tmp_path / "both.mp4"
    with both.open("wb") as file:
        for n, length in enumerate(lengths):
            plain = encode(tmp_path / f"{n}.mp4", moving(length), bf=b_frames, g=12 if n == 0 else 250)
            part = tmp_path / f"part{n}.mp4"
            remuxed(plain, part, movflags="frag_keyframe+empty_moov+default_base_moof")
            file.write(part.read_bytes())
    with open_video(both, motion="zero") as reader:
        found = [frame.time_s for frame in reader]
    assert len(found) == sum(lengths)
    assert np.diff(found) == pytest.approx(0.04, abs=1e-6)
