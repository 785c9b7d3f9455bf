"""A measurement from its options to its record."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from support.bench.tiny import SOURCE, TINY, choose, options
from support.bench.trees import hwmon
from support.bundles.fake import FAKE, GOP

from edge_arseg.bench.bench import bench_from_options
from edge_arseg.bench.overview import overview_of
from edge_arseg.bench.plans import profiles
from edge_arseg.bench.record_files.reading import read_record, read_samples
from edge_arseg.bench.report.rows import row_from_run
from edge_arseg.bench.report.verdict import verdict_of
from edge_arseg.errors import OptionError, SourceError
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.mode import Mode


@pytest.fixture(scope="module")
def measured(bundle, tmp_path_factory):
    """A record of AR and HR in turns, with a sensor of 10 W, and its path."""
    root = tmp_path_factory.mktemp("board")
    hwmon(root, "ina3221", {"VDD_IN": (5000, 2000), "VDD_SOC": (5000, 400)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(profiles.PROFILES, "tiny", TINY)
        return bench_from_options(options(bundle), choose, tmp_path_factory.mktemp("record"), root=root)


def test_what_is_written_is_what_was_returned(measured):
    record, path = measured
    assert read_record(path) == record
    assert record.state == "finished"
    assert path.name == f"{record.name}.json"
    for part in ("fake", "ar+hr", "fp32", "gop4", "closed"):
        assert f"_{part}_" in f"_{record.name}_"
    assert sorted(file.name for file in path.parent.iterdir()) == [path.name, record.samples]


def test_runs_take_turns(measured):
    record, _ = measured
    order = sorted((turn.number, turn.start_s, run.settings.mode) for run in record.runs for turn in run.turns)
    first = order[0][2]  # drawn
    then = {"ar": "hr", "hr": "ar"}[first]
    assert [(number, mode) for number, _, mode in order] == [(0, first), (1, then), (2, then), (3, first)]
    assert [start for _, start, _ in order] == sorted(start for _, start, _ in order)


@pytest.mark.timed  # needs some frames within its seconds
def test_every_percentile_is_numpys_of_the_raw_file(measured):
    record, path = measured
    columns = np.load(path.with_suffix(".npz"))
    for number, run in enumerate(record.runs):
        for branch, latency in run.latency.items():
            mine = columns["frames.run"] == number
            if branch != "all":
                mine &= columns["frames.branch"] == ("hr", "lr").index(branch)
            total = columns["frames.total_ms"][mine]
            assert latency.frame.count == len(total)
            for name, percent in (("p50", 50), ("p90", 90), ("p95", 95), ("p99", 99)):
                estimate = getattr(latency.frame, name)
                if estimate is not None:
                    assert estimate.value == np.percentile(total, percent)
                    assert estimate.low <= estimate.value <= estimate.high
            for stage, summary in latency.stages.items():
                raw = columns[f"frames.stage_{stage}_ms"][mine]
                if summary.p50 is not None:
                    assert summary.p50.value == np.percentile(raw[~np.isnan(raw)], 50)
    assert record.runs[0].latency["lr"].frame.count >= 5  # a p50, however busy the machine


@pytest.mark.timed
def test_a_gop_has_its_frames(measured):
    _, path = measured
    frames = read_samples(path).of_run(0)
    gops, counts = np.unique(frames["gop"], return_counts=True)
    assert list(gops) == list(range(len(gops)))
    assert counts.max() == GOP
    assert set(frames["distance"]) == set(range(GOP))
    assert (np.diff(frames["start_s"]) > 0).all()


def test_macs_are_those_of_the_manifest(measured, bundle):
    cost = read_bundle(bundle).manifest.cost
    for run in measured[0].runs:
        assert (run.bundle.hr_macs, run.bundle.lr_macs, run.bundle.fuse_macs) == (
            cost.hr_macs, cost.lr_macs, cost.fuse_macs,
        )  # fmt: skip
    (verdict,) = measured[0].verdicts
    assert verdict.promised == pytest.approx(cost.hr_macs / cost.mean_macs(GOP))
    ar, hr = measured[0].runs
    assert verdict.realised == hr.mean_ms.value / ar.mean_ms.value


def seconds_of_whole_gops(frames):
    """Seconds of a frame in the GOPs that have all their frames, from the first one's start to the last one's end."""
    gops = [frames[frames["gop"] == gop] for gop in np.unique(frames["gop"])]
    whole = [gop for gop in gops if len(gop) == GOP and gop["distance"][0] == 0]
    ends = [gop["start_s"][-1] + gop["total_ms"][-1] / 1e3 for gop in whole]
    return sum(end - gop["start_s"][0] for gop, end in zip(whole, ends, strict=True)) / sum(map(len, whole))


@pytest.mark.timed
def test_energy_is_of_the_same_frames_as_time(measured):
    record, path = measured
    seconds = seconds_of_whole_gops(read_samples(path).of_run(0))
    assert record.runs[0].energy.j_per_frame.value == pytest.approx(10 * seconds, rel=0.01)
    assert record.energy.text == "hwmon, total VDD_IN"
    assert record.energy.idle_w == pytest.approx(10.0)
    for run in record.runs:
        assert run.energy.watts == pytest.approx(10.0, rel=0.005)
        assert run.energy.j_per_gop.value == pytest.approx(GOP * run.energy.j_per_frame.value)
        assert run.energy.net_j_per_frame == pytest.approx(0.0, abs=1e-6)
        assert run.energy.rails["hwmon VDD_SOC"] == pytest.approx(0.2 * run.energy.joules, rel=0.01)
    ar = record.runs[0].energy
    assert ar.branches["hr"] == record.runs[1].energy.j_per_frame.value
    assert ar.branches["hr"] + (GOP - 1) * ar.branches["lr"] == pytest.approx(ar.j_per_gop.value)


def test_reading_shows_its_cpu_time_though_nobody_waits_for_it(measured):
    latency = measured[0].runs[0].latency["lr"]
    assert latency.cpu["read"].mean.value > 0.05
    assert latency.cpu["recode"].mean.value >= 0.0


def test_without_a_sensor_nothing_was_measured_and_nothing_is_zero(bundle, tmp_path):
    record, path = bench_from_options(options(bundle, frames=8), choose, None, root=tmp_path)
    assert path is None
    assert record.energy.text.startswith("not measured: no sensor of power")
    assert [run.energy for run in record.runs] == [None, None]
    assert (record.energy.idle_w, record.energy.measured) == (None, False)


def test_a_clip_of_three_frames_is_no_verdict_on_ar(bundle):
    """A keyframe that opens the source does not count: the mean would be of LR alone."""
    asked = options(bundle, modes=(Mode.AR, Mode.HR), frames=8, source="test://street?size=48x64&frames=3")
    record, _ = bench_from_options(asked, choose)
    assert set(record.runs[0].latency) == {"all", "lr"}
    assert record.verdicts == ()
    assert "no hr frame that counts; time a clip of two GOPs or more" in overview_of(record)
    ar, hr = record.runs
    assert (ar.mean_ms, ar.fps, hr.mean_ms is None) == (None, None, False)
    (notice,) = [notice for notice in record.notices if "the time and energy of a GOP are not known" in notice.text]
    assert (notice.code, notice.run) == ("few samples", 0)
    row = row_from_run(record, ar)
    assert row.mean_ms is None
    assert "one of the two branches has no frame that counts" in row.why_missing("mean_ms")
    assert verdict_of(record, [row, row_from_run(record, hr)]).count("HR-only") == 1  # it names no AR


def test_at_a_cameras_rate_late_frames_are_counted(bundle):
    asked = options(bundle, rate=200.0, deadline_ms=2.0, modes=(Mode.AR,), source="test://street?size=48x64&frames=40")
    record, _ = bench_from_options(asked, choose)
    (run,) = record.runs
    late = run.deadlines
    assert (run.settings.loop, run.settings.rate, run.settings.deadline_ms) == ("open", 200.0, 2.0)
    assert late.due == late.segmented + late.dropped
    assert late.missed_share == pytest.approx((late.missed + late.dropped) / late.due)
    assert late.age.max > 0
    assert run.fps.value < 201
    assert record.verdicts == ()


def test_an_interval_of_its_own(bundle):
    record, _ = bench_from_options(options(bundle, frames=8, interval=2, modes=(Mode.AR,)), choose)
    (run,) = record.runs
    assert (run.settings.interval, run.latency["hr"].frame.count) == (2, 4)


def vanish(folder):
    (folder / "curr1_input").unlink()


def babble(folder):
    (folder / "curr1_input").write_text("-9999999\n")


def meters_log(path, began_s, watts=20.0):
    """An hour before and behind, about once a second."""
    lines = [f"{began_s + 1.003 * second:.3f},{watts}" for second in range(-3600, 3600)]
    path.write_text("\n".join(["time,watts", *lines]))
    return path


@pytest.mark.timed
def test_a_meter_that_logs_once_a_second_measures_energy_and_what_idles(bundle, tmp_path):
    log = meters_log(tmp_path / "meter.csv", time.time())
    record, path = bench_from_options(options(bundle, meter=log), choose, tmp_path, root=tmp_path)
    assert record.energy.text == "an external meter"
    assert record.energy.idle_w == pytest.approx(20.0)
    for run in record.runs:
        assert run.energy.watts == pytest.approx(20.0)
        assert run.energy.net_j_per_frame == pytest.approx(0.0, abs=1e-6)
    assert record.seconds < 120  # of the record, not of the log
    assert len(read_samples(path).readings) < 2000


def test_a_meter_whose_clock_is_off_has_measured_nothing(bundle, tmp_path):
    log = meters_log(tmp_path / "meter.csv", time.time() - 7200)
    asked = options(bundle, meter=log, sensors=False, frames=8, modes=(Mode.AR,))
    record, _ = bench_from_options(asked, choose)
    assert record.energy.measured is False
    assert record.energy.text.endswith("its clock must be that of this machine")
    assert [run.energy for run in record.runs] == [None]


@pytest.mark.parametrize(("fault", "code"), [(vanish, "sensor lost"), (babble, "sensor garbage")])
def test_a_sensor_that_fails_in_mid_run_is_named(bundle, tmp_path, monkeypatch, fault, code):
    monkeypatch.setitem(profiles.PROFILES, "tiny", profiles.Profile(2.4, 0.3, 0.2))
    folder = hwmon(tmp_path, "ina3221", {"VDD_IN": (5000, 2000)})

    def progress(done, total, what):
        if what == "fake, ar" and done >= 2 and (folder / "curr1_input").exists():
            fault(folder)

    asked = options(bundle, modes=(Mode.AR,))
    record, _ = bench_from_options(asked, choose, progress=progress, root=tmp_path)
    (notice,) = [notice for notice in record.notices if notice.code == code]
    assert "hwmon VDD_IN" in notice.text
    energy = record.runs[0].energy
    if energy is not None:  # only of the time before
        assert energy.watts == pytest.approx(10.0)
        assert energy.missing_s > 0.3


@pytest.mark.timed  # needs some frames within its seconds
def test_a_source_that_stalls_and_clocks_that_are_held_back_are_named(bundle, tmp_path, monkeypatch):
    folder = tmp_path / "sys/class/thermal/cooling_device0"
    folder.mkdir(parents=True)
    (folder / "type").write_text("cpufreq-cpu0\n")
    (folder / "cur_state").write_text("1\n")
    from edge_arseg.video.frame_source import FrameSource

    usual, count = FrameSource.__next__, [0]

    def stalling(self):
        count[0] += 1
        if count[0] == 60:
            time.sleep(1.3)
        return usual(self)

    monkeypatch.setattr(FrameSource, "__next__", stalling)
    asked = options(bundle, modes=(Mode.AR,), frames=80, source="test://street?size=48x64&frames=200")
    record, _ = bench_from_options(asked, choose, root=tmp_path)
    texts = {notice.code: notice.text for notice in record.notices}
    assert "the source came to a stop 1 time, 1." in texts["stall"]
    assert "clocks were held back" in texts["throttled"]


@pytest.mark.timed  # needs some frames within its seconds
def test_what_was_measured_outlives_a_kill_and_is_gone_on_with(bundle, tmp_path, edge_arseg):
    path = tmp_path / "r.json"
    command = [
        *(sys.executable, "-m", "edge_arseg", "bench", SOURCE, "-b", bundle, *FAKE, "-o", path),
        *("--profile", "quick", "--mode", "ar"),
    ]
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(list(map(str, command)), env=here, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    journal, seen = tmp_path / "r.frames.part", 0
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and seen < 3000:
        time.sleep(0.1)
        seen = journal.stat().st_size if journal.exists() else 0
    killed = time.monotonic()
    process.send_signal(signal.SIGKILL)
    process.wait()
    record, samples = read_record(path), read_samples(path)
    assert record.state == "interrupted"
    assert record.notices[-1].text == "1 of 1 runs were not measured to their end"
    assert record.runs[0].latency["all"].frame.count == len(samples.frames) > 5
    assert len(samples.readings) > 5
    assert killed < deadline
    page = edge_arseg("report", path)
    assert page.code == 0, page.err
    assert "Warnings, interrupted:" in page.out
    assert f"| AR (not finished) | {len(samples.frames)} |" in page.out
    refused = edge_arseg("bench", SOURCE, "-b", bundle, *FAKE, "-o", path, "--mode", "ar")
    assert (refused.code, "type --force" in refused.err) == (4, True)
    other = edge_arseg("bench", SOURCE, "-b", bundle, *FAKE, "-o", path, "--mode", "hr", "--resume")
    assert (other.code, "was begun with other runs" in other.err) == (2, True)


def test_a_finished_record_that_is_not_gone_on_with_stays_as_it_is(bundle, tmp_path):
    asked = options(bundle, frames=8, modes=(Mode.HR,))
    bench_from_options(asked, choose, tmp_path / "r.json")
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(OptionError, match="is finished; nothing is left to resume"):
        bench_from_options(asked, choose, tmp_path / "r.json", resume=True)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_failed_measurement_leaves_the_old_record_alone(bundle, tmp_path):
    path = tmp_path / "r.json"
    path.write_text("mine")
    with pytest.raises(SourceError):
        bench_from_options(options(bundle, source=str(tmp_path / "nothing.mp4")), choose, path, force=True)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("r.json", "mine")]
