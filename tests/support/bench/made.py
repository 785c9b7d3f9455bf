"""Records as ``bench`` writes them, made of times that are drawn: with drift, bursts and two branches."""

import json
from dataclasses import asdict, replace

import numpy as np

from edge_arseg.bench.conditions import Conditions
from edge_arseg.bench.records.accuracy import Accuracy, FrameScore
from edge_arseg.bench.records.bench_record import BenchRecord, BenchSettings, BoardFacts, Notice
from edge_arseg.bench.records.energy import Channel, EnergySource, RunEnergy
from edge_arseg.bench.records.run import (
    BenchRun,
    BundleFacts,
    Latency,
    Layer,
    RunMemory,
    RunSettings,
    Turn,
    WarmUp,
)
from edge_arseg.bench.records.samples import READING_DTYPE, Samples, columns_from_samples, frame_dtype
from edge_arseg.bench.records.summary import Estimate, Summary

CONDITIONS = Conditions(
    machine="x86_64",
    cpu="Toy CPU",
    cpu_features=("avx2",),
    cores=4,
    memory_mb=8000,
    system="Linux 6.1",
    python="3.11.7",
    packages={"edge-arseg": "0.2.0", "numpy": "2.4.6", "onnxruntime": "1.32.0"},
    load=0.1,
)
STAGES = ("decode", "motion", "hr", "lr", "fuse", "head")
MEDIANS = {  # ms by mode and branch
    ("ar", "hr"): {"decode": 0.4, "motion": 0.3, "hr": 30.0},
    ("ar", "lr"): {"decode": 0.4, "motion": 0.5, "lr": 6.0, "fuse": 2.0, "head": 0.8},
    ("hr", "hr"): {"decode": 0.4, "motion": 0.0, "hr": 30.0},
}
GOP = 12


def made_frames(mode, *, turns=1, gops=40, seed=0, run=0, first_turn=0, stride=1, start=0.0, slower=(), noise=0.03):
    """Return the frames of a run; ``slower`` is pairs of stage and factor."""
    generator = np.random.default_rng(seed)
    count = turns * gops * GOP
    frames = np.zeros(count, frame_dtype(STAGES, ("read",)))
    number = np.arange(count)
    frames["run"], frames["index"] = run, number
    frames["gop"] = number // GOP
    frames["turn"] = first_turn + stride * (number // (gops * GOP))
    frames["distance"] = number % GOP if mode == "ar" else 0
    frames["branch"] = frames["distance"] > 0
    frames["age_ms"] = np.nan
    frames["cpu_read_ms"] = 0.9
    # A walk that touches every stage alike, and bursts of a third of a second in which all takes longer.
    drift = np.cumsum(generator.normal(0, 0.002, count))
    drift -= drift.mean()
    burst = np.repeat(generator.random(count // GOP + 1) < 0.05, GOP)[:count] * generator.uniform(0, 0.5, count)
    for stage in STAGES:
        times = np.full(count, np.nan)
        for branch, name in enumerate(("hr", "lr")):
            median = MEDIANS.get((mode, name), {}).get(stage)
            if median is not None:
                own = frames["branch"] == branch
                factor = dict(slower).get(stage, 1.0)
                times[own] = (median * factor * np.exp(generator.normal(0, noise, count) + drift + burst))[own]
        frames[f"stage_{stage}_ms"] = times
    frames["total_ms"] = np.nansum([frames[f"stage_{stage}_ms"] for stage in STAGES], axis=0) + 0.02
    frames["start_s"] = start + np.concatenate([[0], np.cumsum(frames["total_ms"])[:-1]]) / 1000
    return frames


def made_run(frames, *, mode="ar", precision="fp32", backend="onnxruntime", accuracy=False, energy=None, layers=()):
    """Return what a record says of frames."""
    latency = {"all": _latency(frames)}
    for branch, name in enumerate(("hr", "lr")):
        own = frames[frames["branch"] == branch]
        if len(own):
            latency[name] = _latency(own)
    hr = latency["hr"].frame.mean.value
    mean = hr if mode == "hr" else (hr + (GOP - 1) * latency["lr"].frame.mean.value) / GOP
    macs = (1_000_000_000, 200_000_000, 50_000_000)
    bundle = BundleFacts(
        "toy", digest_of(precision), 360, 480, 0.5, GOP, {"hr": precision, "lr": precision}, False, *macs, 12.5
    )
    turns = tuple(
        Turn(int(turn), float(own["start_s"][0]), float(own["start_s"][-1]), len(own))
        for turn in np.unique(frames["turn"])
        for own in [frames[frames["turn"] == turn]]
    )
    return BenchRun(
        name=f"{mode} {precision} {backend}",
        bundle=bundle,
        settings=RunSettings(mode, backend, "cpu", None, precision, 0.5, GOP, "auto"),
        label=mode,
        chosen="as named",
        agreement=1.0,
        motion_used="recode (no vectors in the source)",
        finished=True,
        warm_up=WarmUp(48, 1.0, 80.0, True),
        turns=turns,
        latency=latency,
        mean_ms=Estimate(mean, mean * 0.99, mean * 1.01),
        fps=Estimate(1000 / mean, 990 / mean, 1010 / mean),
        outside_networks=0.2,
        cores_used=3.1,
        deadlines=None,
        energy=energy,
        memory=RunMemory(120.0, 350.0, None),
        accuracy=made_accuracy(mode, precision) if accuracy else None,
        layers=layers,
    )


def made_accuracy(mode, precision):
    """Return scores: 70 at the keyframe, falling by half a point a frame; int8 a point lower, HR-only steady."""
    first = 70.0 - (precision == "int8")
    step = 0.0 if mode == "hr" else 0.5
    by_distance = tuple(first - step * distance for distance in range(GOP))
    classes = {"sky": 90.0, "road": 95.0, "pole": 30.0 - 2 * (mode == "ar"), "bicycle": None}
    worst = (FrameScore(17, 5, 41.5), FrameScore(18, 6, 43.0))
    miou = sum(by_distance) / GOP
    return Accuracy(digest_of(precision), "val", 24, (0,), miou, miou, classes, by_distance, GOP - 1, 98.0, 0.4, worst)


def made_record(runs, frames, *, readings=(), channels=(), name="toy", notices=(), energy=None, **changes):
    """Return a record and its samples."""
    source = energy or EnergySource("not measured: no sensor was found", False)
    samples = Samples(
        np.concatenate(frames) if frames else np.zeros(0, frame_dtype(STAGES, ("read",))),
        np.array(list(readings), READING_DTYPE),
    )
    record = BenchRecord(
        revision=2,
        name=name,
        state="finished",
        taken="2026-11-28T12:00:00+00:00",
        seconds=60.0,
        conditions=CONDITIONS,
        board=BoardFacts(target="cpu"),
        settings=BenchSettings("street", False, None, "quick", 10.0, None, 1),
        runs=tuple(runs),
        channels=tuple(channels),
        energy=source,
        notices=tuple(notices),
        samples=f"{name}.npz",
    )
    return replace(record, **changes), samples


def plain_record(*, seed=0, slower=(), name="toy", **options):
    """Return a record of one AR run, with its samples."""
    frames = made_frames("ar", seed=seed, slower=slower, **options)
    return made_record([made_run(frames)], [frames], name=name)


def full_record():
    """Return a record with everything in it: four runs, power, heat, accuracy, layers, and three warnings."""
    kinds = [("ar", "fp32"), ("hr", "fp32"), ("ar", "int8"), ("hr", "int8")]
    runs, tables = [], []
    layers = tuple(
        Layer("hr", f"/encoder/layer{index}/conv/Conv_{index}", "Conv", 4.0 / (index + 1), (60 - index) * 1_000_000)
        for index in range(16)
    )
    for index, (mode, precision) in enumerate(kinds):
        faster = [(stage, 0.5) for stage in STAGES] if precision == "int8" else ()
        frames = made_frames(
            mode, gops=30 if mode == "ar" else 10, turns=3, seed=index, run=index, first_turn=index, stride=4,
            start=index * 12.0, slower=faster,
        )  # fmt: skip
        joules = 0.5 if mode == "hr" else 0.2
        power = RunEnergy(
            joules * len(frames), 9.0, 12.0, Estimate(joules, joules * 0.98, joules * 1.02),
            Estimate(joules * GOP, None, None), joules * 0.6, joules * GOP * 0.6,
        )  # fmt: skip
        runs.append(
            made_run(
                frames, mode=mode, precision=precision, accuracy=True, energy=power, layers=layers if not index else ()
            )
        )
        tables.append(frames)
    seconds = np.arange(0, 48, 0.05)
    readings = [(s, 0, 11 + np.sin(s)) for s in seconds if not 20 < s < 24]
    readings += [(s, 0, np.nan) for s in (20.0, 22.0, 24.0)]
    readings += [(s, 1, 45 + s / 4) for s in seconds] + [(s, 2, 1500 - 400 * (30 < s < 34)) for s in seconds]
    channels = [
        Channel("hwmon VDD_IN", "power", True),
        Channel("thermal cpu", "temperature"),
        Channel("cpufreq cpu0", "clock"),
    ]
    notices = [
        Notice("sensor lost", "hwmon VDD_IN gave nothing for 4.0 s; that time is not in the energy", None, 20.0, 24.0),
        Notice("throttled", "clocks fell to 1100 MHz at 53 degrees Celsius", 2, 30.0, 34.0),
        Notice("few samples", "90 HR frames do not carry a p99, which needs 299", 1),
    ]
    source = EnergySource("hwmon VDD_IN", True, len(seconds), 20.0, 4.0, 5.0)
    return made_record(
        runs, tables, readings=sorted(readings), channels=channels, notices=notices, energy=source, name="everything"
    )


def write_made(folder, record, samples):
    """Write both files of a record, and return the path of the JSON."""
    path = folder / f"{record.name}.json"
    path.write_text(json.dumps(asdict(record)))
    np.savez_compressed(path.with_suffix(".npz"), **columns_from_samples(samples))
    return path


def _latency(frames):
    stages = {}
    for stage in STAGES:
        times = frames[f"stage_{stage}_ms"]
        times = times[np.isfinite(times)]
        if len(times):
            stages[stage] = _summary(times)
    return Latency(_summary(frames["total_ms"]), stages, {"read": _summary(frames["cpu_read_ms"])})


def _summary(ms):
    def percentile(q, needed):
        return Estimate(float(np.percentile(ms, q))) if len(ms) >= needed else None

    return Summary(
        len(ms), Estimate(float(ms.mean())), percentile(50, 5), percentile(90, 29), percentile(95, 59),
        percentile(99, 299), percentile(99.9, 2995), float(ms.max()), float(ms.std() / (ms.mean() or 1.0)),
    )  # fmt: skip


def digest_of(precision):
    """Return the digest of the bundle of a precision."""
    return ("a" if precision == "int8" else "d") * 64
