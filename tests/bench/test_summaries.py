import math
from dataclasses import replace

import numpy as np
import pytest

from edge_arseg.bench.records.run import RunSettings, Turn
from edge_arseg.bench.records.samples import frame_dtype
from edge_arseg.bench.summaries.energy import Traces, run_energy
from edge_arseg.bench.summaries.integral import total_trace, trace_of
from edge_arseg.bench.summaries.latency import missing_branch, times_of
from edge_arseg.bench.summaries.percentiles import PERCENTILES, samples_needed, summary_of
from edge_arseg.bench.summaries.resampling import Blocks


@pytest.fixture(autouse=True)
def quick_records():
    """Intervals are as good as in records of users here."""


def gops(count, length):
    return np.repeat(np.arange(count), length)


def test_nothing_is_clipped():
    summary = summary_of(np.array([1.0] * 98 + [50.0, 100.0]), Blocks(gops(10, 10)))
    assert (summary.count, summary.max, summary.p50.value) == (100, 100.0, 1.0)
    assert summary.mean.value == pytest.approx(2.48)


def test_a_percentile_needs_samples_that_carry_it():
    assert [samples_needed(percent) for percent in PERCENTILES.values()] == [5, 29, 59, 299, 2995]
    for name, percent in PERCENTILES.items():
        needed = samples_needed(percent)
        assert getattr(summary_of(np.ones(needed - 1), Blocks(np.zeros(needed - 1, int))), name) is None
        assert getattr(summary_of(np.ones(needed), Blocks(np.zeros(needed, int))), name).value == 1.0


def test_no_samples_are_an_error():
    with pytest.raises(ValueError, match="no samples"):
        summary_of(np.zeros(0), Blocks(np.zeros(0, int)))


def test_intervals_resample_whole_gops():
    """Frames of a GOP share a delay here, so blocks of GOPs are far less certain than as many single frames."""
    delays = np.random.default_rng(1).normal(0, 2, 60)
    times = np.repeat(20 + delays, 10) + np.random.default_rng(2).normal(0, 0.1, 600)
    by_gop = summary_of(times, Blocks(gops(60, 10))).mean
    by_frame = summary_of(times, Blocks(np.arange(600))).mean
    assert by_gop.high - by_gop.low > 2.5 * (by_frame.high - by_frame.low)
    assert by_gop.low < 20 + delays.mean() < by_gop.high


def test_the_interval_covers_the_truth_as_often_as_it_says():
    random = np.random.default_rng(3)
    covered = 0
    for _ in range(100):
        times = np.repeat(random.normal(10, 1, 40), 3) + random.normal(0, 0.5, 120)
        mean = summary_of(times, Blocks(gops(40, 3))).mean
        covered += mean.low <= 10 <= mean.high
    assert 88 <= covered <= 100


def test_one_gop_has_no_interval():
    assert summary_of(np.ones(8), Blocks(np.zeros(8, int))).mean.low is None


def frames(hr_ms, lr_ms, gops_count, interval, *, start=0.0):
    """Frames one after the other: a keyframe, then the others."""
    table = np.zeros(gops_count * interval, frame_dtype(("hr", "lr", "decode"), ()))
    table["index"] = np.arange(len(table))
    table["distance"] = np.tile(np.arange(interval), gops_count)
    table["gop"] = gops(gops_count, interval)
    table["branch"] = table["distance"] > 0
    table["total_ms"] = np.where(table["branch"], lr_ms, hr_ms)
    table["start_s"] = start + np.concatenate(([0.0], np.cumsum(table["total_ms"])[:-1])) / 1e3
    table["stage_hr_ms"] = np.where(table["branch"], np.nan, hr_ms - 1)
    table["stage_lr_ms"] = np.where(table["branch"], lr_ms - 2, np.nan)
    table["stage_decode_ms"] = 0.5
    table["age_ms"] = np.nan
    return table


SETTINGS = RunSettings("ar", "onnxruntime", "kernel", None, "fp32", 0.5, 12, "auto")
SHORT = replace(SETTINGS, interval=6)


def test_the_mean_is_that_of_a_gop_and_not_of_the_frames_that_came():
    table = frames(60.0, 10.0, 30, 12)
    cut = table[:-8]  # the last GOP was not run to its end
    times = times_of(cut, SETTINGS, ())
    assert times.mean_ms.value == pytest.approx((60 + 11 * 10) / 12)
    assert times.fps.value == pytest.approx(1000 / times.mean_ms.value)
    assert times.outside_networks == pytest.approx(1 - (59 + 11 * 8) / (60 + 11 * 10))
    assert times_of(cut, replace(SETTINGS, loop="open"), ()).outside_networks is None  # the rest is mostly a wait
    assert times.latency["hr"].frame.count == 30
    assert times.latency["lr"].unexplained.mean.value == pytest.approx(1.5)
    assert set(times.latency["lr"].stages) == {"lr", "decode"}


def sine(start, end, period):
    """Energy of 10 W with a sine of 5 W on it, worked out."""
    turn = 2 * math.pi / period
    return 10 * (end - start) - 5 / turn * (math.cos(turn * end) - math.cos(turn * start))


@pytest.mark.parametrize("period", [0.5, 1.3, 7.0])
def test_a_power_trace_of_known_energy_is_integrated_within_half_a_per_cent(period):
    """25 readings a second with the jitter of a busy machine; windows of ten seconds begin between them."""
    times = np.cumsum(np.random.default_rng(0).uniform(0.02, 0.06, 800))
    trace = trace_of(times, 10 + 5 * np.sin(2 * math.pi * times / period), "power")
    for start, end in ((0.515, 10.7), (3.21, 13.37), (1.0, 30.0)):
        joules, known = trace.between(start, end)
        assert joules == pytest.approx(sine(start, end, period), rel=0.005)
        assert known == pytest.approx(end - start)


def test_a_counter_is_read_between_its_readings():
    times = np.arange(0, 10, 0.1)
    trace = trace_of(times, 7.0 * times, "energy")
    assert trace.between(1.234, 4.321)[0] == pytest.approx(7 * 3.087)


def test_a_counter_that_began_anew_is_a_gap():
    times = np.arange(0, 10, 0.1)
    joules = np.where(times < 5, 1e6 + 7.0 * times, 7.0 * (times - 5))
    measured, known = trace_of(times, joules, "energy").between(1.0, 9.0)
    assert known == pytest.approx(7.9)
    assert measured == pytest.approx(7 * known)


def test_time_without_readings_is_known_to_be_unknown():
    times = np.concatenate([np.arange(0, 4, 0.04), np.arange(7, 10, 0.04)])
    watts = np.full(len(times), 20.0)
    watts[10] = np.inf  # one bad reading: the trapezoid goes across it
    watts[11] = np.nan
    joules, known = trace_of(times, watts, "power").between(1.0, 9.0)
    assert known == pytest.approx(2.96 + 2.0, abs=0.05)
    assert joules == pytest.approx(20 * known)


def test_a_meter_answers_about_once_a_second():
    """A little less often than that it was away all the time."""
    times = 1.003 * np.arange(60)
    joules, known = trace_of(times, np.full(60, 20.0), "power").between(10.0, 40.0)
    assert (joules, known) == (pytest.approx(600), pytest.approx(30))
    away = times[(times < 20) | (times > 26)]
    assert trace_of(away, np.full(len(away), 20.0), "power").between(10.0, 40.0)[1] == pytest.approx(24, abs=1.5)
    rare = 30.0 * np.arange(5)
    assert trace_of(rare, np.full(5, 20.0), "power").between(10.0, 40.0)[1] == 0.0


def test_a_total_is_known_where_all_of_its_rails_are():
    times = np.arange(0, 10, 0.04)
    whole = trace_of(times, np.full(len(times), 3.0), "power")
    gap = times[(times < 2) | (times > 5)]
    part = trace_of(gap, np.full(len(gap), 4.0), "power")
    joules, known = total_trace([whole, part]).between(0.0, 2.0)
    assert joules == pytest.approx(7.0 * known, rel=0.01)
    joules, known = total_trace([whole, part]).between(0.0, 9.9)
    assert known == pytest.approx(6.9, abs=0.1)
    assert joules == pytest.approx(7.0 * known, rel=0.01)  # not with what one rail took while the other was away


def test_energy_of_a_frame_is_that_of_gops_with_readings():
    """Power is 30 W during keyframes and 10 W between, and the sensor is away for a while in the middle."""
    table = frames(120.0, 40.0, 60, 6)
    end = float(table["start_s"][-1] + 0.04)
    times = np.arange(-0.5, end + 0.5, 0.001)
    place = np.searchsorted(table["start_s"], times, side="right") - 1
    watts = np.where(table["branch"][np.clip(place, 0, None)] == 0, 30.0, 10.0)
    away = (times > 6.0) & (times < 9.0)
    trace = trace_of(times[~away], watts[~away], "power")
    turns = (Turn(0, 0.0, end, len(table)),)
    energy = run_energy(table, turns, SHORT, Traces({"rail": trace}, trace, len(times)), idle_w=4.0)
    assert energy.j_per_gop.value == pytest.approx(30 * 0.12 + 5 * 10 * 0.04, rel=0.01)
    assert energy.j_per_frame.value == pytest.approx(energy.j_per_gop.value / 6)
    assert energy.missing_s == pytest.approx(3.0, abs=0.01)
    assert energy.seconds == pytest.approx(end - 3.0, abs=0.01)
    assert energy.net_j_per_frame == pytest.approx((1 - 4.0 / energy.watts) * energy.j_per_frame.value)


def test_a_sensor_that_was_away_for_most_of_a_run_has_not_measured_it():
    table = frames(20.0, 20.0, 100, 6)
    times = np.arange(0, 3, 0.04)
    trace = trace_of(times, np.full(len(times), 5.0), "power")
    assert run_energy(table, (Turn(0, 0.0, 12.0, 600),), SHORT, Traces({}, trace, 75), None) is None
    assert run_energy(table, (Turn(0, 0.0, 12.0, 600),), SHORT, Traces({}, None, 0), None) is None


def watts_of(table, hr_w, lr_w):
    """A trace of what each branch draws, a reading each millisecond."""
    end = float(table["start_s"][-1] + table["total_ms"][-1] / 1e3)
    times = np.arange(-0.5, end + 0.5, 0.001)
    place = np.clip(np.searchsorted(table["start_s"], times, side="right") - 1, 0, None)
    trace = trace_of(times, np.where(table["branch"][place] == 0, hr_w, lr_w), "power")
    return (Turn(0, 0.0, end, len(table)),), Traces({}, trace, len(times))


def read_again(table, length):
    """The same frames of a clip of so many, read again and again: the first of each time is in no table."""
    return table[table["index"] % length > 0]


def test_energy_is_that_of_whole_gops_however_short_the_clip():
    """Of 18 frames the first is in no table, so the first GOP has no keyframe, and the third is cut off: 1 of 17."""
    table = read_again(frames(120.0, 40.0, 90, 6), 18)
    assert np.count_nonzero(table["branch"] == 0) / len(table) < 0.12
    turns, traces = watts_of(table, 30, 10)
    energy = run_energy(table, turns, SHORT, traces, None)
    whole = 30 * 0.12 + 5 * 10 * 0.04
    assert energy.j_per_gop.value == pytest.approx(whole, rel=0.01)
    assert energy.j_per_frame.value == pytest.approx(whole / 6, rel=0.01)


def test_energy_of_hr_alone_counts_every_frame():
    table = read_again(frames(120.0, 40.0, 90, 6), 18)
    table["branch"] = 0
    turns, traces = watts_of(table, 30, 30)
    energy = run_energy(table, turns, replace(SHORT, mode="hr"), traces, None)
    assert energy.j_per_frame.value == pytest.approx(30 * table["total_ms"].mean() / 1e3, rel=0.02)


def test_a_gop_whose_frames_were_dropped_is_whole():
    table = frames(120.0, 40.0, 40, 6)
    table["dropped"][5::6] = 1  # the one before the last of each GOP
    kept = table[np.arange(len(table)) % 6 != 4]
    turns, traces = watts_of(kept, 30, 10)
    energy = run_energy(kept, turns, replace(SHORT, loop="open"), traces, None)
    assert energy.j_per_frame.value == pytest.approx((30 * 0.12 + 10 * 0.2) / 5, rel=0.05)
    assert energy.j_per_gop.value == pytest.approx(5 * energy.j_per_frame.value)  # not of six frames


def test_keyframes_that_come_when_they_pay_make_gops_of_their_own_length():
    """GOPs of 4 and 8 frames, by turns, where 6 are aimed at."""
    table = frames(120.0, 40.0, 40, 6)
    place = np.arange(len(table)) % 12
    key = (place == 0) | (place == 4)
    table["gop"], table["branch"] = np.cumsum(key) - 1, ~key
    turns, traces = watts_of(table, 30, 10)
    settings = replace(SHORT, keyframes="adaptive", scene_cut=0.3)
    assert run_energy(table, turns, settings, traces, None).j_per_frame.value > 0
    table = read_again(table, 12)  # each time the first keyframe is in no table, and the last GOP is cut off
    turns, traces = watts_of(table, 30, 10)
    assert run_energy(table, turns, settings, traces, None) is None


def test_what_draws_no_power_has_no_share_above_idle():
    table = frames(120.0, 40.0, 20, 6)
    turns, traces = watts_of(table, 0.0, 0.0)
    energy = run_energy(table, turns, SHORT, traces, idle_w=0.0)
    assert (energy.watts, energy.j_per_frame.value, energy.net_j_per_frame) == (0.0, 0.0, None)


def test_without_one_of_its_branches_a_run_has_no_mean_of_a_gop():
    """The mean of the other branch is another figure, and would hold limits that AR does not hold."""
    lr = frames(60.0, 10.0, 30, 12)
    lr = lr[lr["branch"] == 1]
    times = times_of(lr, SETTINGS, ())
    assert (times.mean_ms, times.fps, times.outside_networks) == (None, None, None)
    assert times.latency["lr"].frame.mean.value == 10.0
    turns, traces = watts_of(lr, 30, 10)
    assert run_energy(lr, turns, SETTINGS, traces, None) is None
    assert times_of(lr, replace(SETTINGS, keyframes="async", scene_cut=0.3), ()).mean_ms.value == 10.0
    assert times_of(lr, replace(SETTINGS, mode="lr"), ()).mean_ms.value == 10.0
    assert missing_branch(SETTINGS, ()) == ""
    assert missing_branch(SETTINGS, ("all", "hr")) == "lr"
    assert missing_branch(replace(SETTINGS, interval=1), ("all", "hr")) == ""
