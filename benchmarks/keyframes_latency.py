#!/usr/bin/env python3
"""Measure how flat the latency is with keyframes in the background, beside keyframes made at their frame.

usage: python benchmarks/keyframes_latency.py [--rounds 6] [--frames 122] [--backend onnxruntime]

The highway clip is decoded before, with its vectors. A round runs it four times through the default int8 bundle,
A B C D: keyframes at their frame and in the background, as fast as frames can be taken, and the same at 30 frames a
second, as from a camera, where the rest of each period is idle. The first 14 frames of a run are left out.

- p50, p99: `latency_ms`, median over the rounds.
- p99_of_lr: p99 over the median of the frames between keyframes of the same kind of run, per round, then the median.
  The aim is 1.3 in the background where two cores are free.
- delay: frames that an HR pass took in the background, as the least distance says.

Run it alone: on a busy machine the passes wait for each other.
"""

import argparse
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from edge_arseg.bench.record import record_now, write_record
from edge_arseg.runtime.background import open_background_pipeline
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.mode import Mode
from edge_arseg.runtime.pipeline import Pipeline, open_pipeline
from edge_arseg.runtime.segment import segment
from edge_arseg.spec.frame import Branch, Frame
from edge_arseg.video import open_video

HERE = Path(__file__).resolve().parents[1]
RECORD = HERE / "benchmarks/results/keyframes_latency.json"
CLIP = HERE.parent / "shared/clips/highway_960x540.mp4"
BUNDLE = HERE / "edge_arseg/zoo/camvid-compact-360x480-int8.arseg"
RATE, WARM = 30.0, 14


def at_rate(frames: list[Frame], rate: float | None) -> Iterator[Frame]:
    """Yield frames, each when it is due."""
    start = time.monotonic()
    for number, frame in enumerate(frames):
        if rate is not None:
            time.sleep(max(start + number / rate - time.monotonic(), 0.0))
        yield frame


def run(pipeline: Pipeline, frames: list[Frame], rate: float | None) -> dict[str, float]:
    """Return the figures of one run."""
    results = [(r.latency_ms, r.branch, r.distance) for r in segment(at_rate(frames, rate), pipeline)][WARM:]
    latency = np.array([ms for ms, _, _ in results])
    between = np.median([ms for ms, branch, _ in results if branch is Branch.LR])
    distances = [distance for _, _, distance in results]
    return {
        "p50": float(np.median(latency)),
        "p99": float(np.percentile(latency, 99)),
        "lr_p50": float(between),
        "p99_of_lr": float(np.percentile(latency, 99) / between),
        "mean": float(latency.mean()),
        "delay": float(min(distances)),
        "longest_distance": float(max(distances)),
    }


def main() -> None:
    """Measure, print, and keep a record."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--frames", type=int, default=122)
    parser.add_argument("--backend", default="onnxruntime")
    parser.add_argument("--record", type=Path, default=RECORD)
    chosen = parser.parse_args()
    bundle, options = read_bundle(BUNDLE), EngineOptions(backend=chosen.backend)
    size = bundle.manifest.height, bundle.manifest.width
    with open_video(CLIP, size=size) as reader:
        frames = [frame for _, frame in zip(range(chosen.frames), reader, strict=False)]
    load = os.getloadavg()[0]
    kinds: dict[str, list[dict[str, float]]] = {}
    with (
        open_pipeline(bundle, Mode.AR, options) as plain,
        open_background_pipeline(bundle, Mode.AR, options) as background,
    ):
        for number in range(chosen.rounds):
            for pace, rate in (("fast", None), ("camera", RATE)):
                for name, pipeline in (("at their frame", plain), ("background", background)):
                    kinds.setdefault(f"{name}, {pace}", []).append(run(pipeline, frames, rate))
            print(f"round {number + 1} of {chosen.rounds}", flush=True)
    values: dict[str, Any] = {
        kind: {name: round(float(np.median([one[name] for one in rounds])), 2) for name in rounds[0]}
        | {"p99_of_lr_by_round": [round(one["p99_of_lr"], 2) for one in rounds]}
        for kind, rounds in kinds.items()
    }
    for pace in ("fast", "camera"):
        before, after = values[f"at their frame, {pace}"], values[f"background, {pace}"]
        after["p99_of_lr_at_their_frame"] = round(after["p99"] / before["lr_p50"], 2)
    settings = {
        "clip": CLIP.name, "bundle": BUNDLE.name, "backend": chosen.backend, "rounds": chosen.rounds,
        "frames": chosen.frames, "warm": WARM, "rate": RATE, "load_before": round(load, 2),
    }  # fmt: skip
    write_record(record_now("keyframes_latency", settings=settings, values=values), chosen.record)
    for kind, row in values.items():
        print(f"{kind}: {row}")


if __name__ == "__main__":
    main()
