#!/usr/bin/env python3
"""Measure what measuring costs: the frame rate with samples kept and sensors read, and without, in turn.

usage: python benchmarks/bench_overhead.py [--bundle BUNDLE] [--rounds 250] [--frames 48]     (6 minutes)

One segmenter runs bursts of whole frames three ways, one after the other in each round, the order turned by one from
round to round: ``plain`` asks for frames and does nothing else; ``clock`` keeps a row of each frame in a journal, as
``bench`` does; ``sensors`` does that while the process of the sensors reads this machine. That process is there all the
time and stopped in the other ways: it starts before the first frame of a bench, so its start is not what is asked. A
round gives the ratio of each way to ``plain``; the record has the middle of the ratios, with exact 95 % bounds. The
limit is 1 %, and ``shown`` where the upper bound is below it.
"""

import argparse
import signal
import statistics
import tempfile
import time
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import numpy as np

from edge_arseg.bench.compare.signed_ranks import bounds, middle
from edge_arseg.bench.loops.frame_table import FrameTable
from edge_arseg.bench.loops.timed import timed_results
from edge_arseg.bench.record import record_now, write_record
from edge_arseg.bench.records.journal import Journal
from edge_arseg.bench.sampling.sampling import Sampling
from edge_arseg.motion.keyframe import KeyframePolicy
from edge_arseg.runtime.bundles.zoo import ZOO
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.video.sources.street_clip import write_street

RECORD = Path(__file__).resolve().parent / "results/bench_overhead.json"
LIMIT = 0.01
WAYS = ("plain", "clock", "sensors")


def burst_ms(segmenter: Segmenter, clip: Path, frames: int, table: FrameTable | None) -> float:
    """Return milliseconds of a frame over a burst; the first frame, which waits for the file, is left out."""

    def open_source():
        return segmenter.open(clip, motion="recode")

    if table is None:
        with open_source() as reader:
            results = segmenter.segment(reader)
            next(results)
            start = time.perf_counter()
            count = sum(1 for _ in islice(results, frames))
            return 1e3 * (time.perf_counter() - start) / count
    results = timed_results(open_source, segmenter.segment)
    next(results)
    start = time.perf_counter()
    for timed in islice(results, frames):
        table.add(0, 0, 0, timed)
    taken = 1e3 * (time.perf_counter() - start) / frames
    results.close()
    return taken


def main() -> None:
    """Take the rounds, print the ratios, and keep a record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", type=Path, default=ZOO / "camvid-compact-360x480-int8.arseg")
    parser.add_argument("--backend", default="onnxruntime")
    parser.add_argument("--rounds", type=int, default=250)
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--record", type=Path, default=RECORD)
    asked = parser.parse_args()
    times: dict[str, list[float]] = {way: [] for way in WAYS}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        segmenter = stack.enter_context(Segmenter(asked.bundle, backend=asked.backend))
        manifest = segmenter.bundle.manifest
        segmenter.policy = KeyframePolicy(manifest.gop, 1.0)
        clip = folder / "street.mp4"
        write_street(clip, size=segmenter.size, count=asked.frames + 2, gop=manifest.gop)
        sampling = stack.enter_context(Sampling(folder / "sensors", zero=time.monotonic()))
        reading = sampling._process
        stack.callback(reading.send_signal, signal.SIGCONT)
        table = FrameTable(stack.enter_context(Journal(folder / "frames")), time.monotonic(), None)
        for number in range(asked.rounds + 2):
            for step in range(len(WAYS)):
                way = WAYS[(step + number) % len(WAYS)]
                reading.send_signal(signal.SIGCONT if way == "sensors" else signal.SIGSTOP)
                taken = burst_ms(segmenter, clip, asked.frames, None if way == "plain" else table)
                if number > 1:  # the first rounds warm up
                    times[way].append(taken)
    values = {}
    for way in WAYS[1:]:
        steps = np.log(np.array(times[way]) / np.array(times["plain"]))
        found, low, high = (float(np.expm1(step)) for step in (middle(steps), *bounds(steps, 0.975)))
        values[way] = {
            "overhead": found, "low": low, "high": high, "within_limit": found < LIMIT, "shown": high < LIMIT,
        }  # fmt: skip
        print(f"{way:8} {found:+.3%} ({low:+.3%} to {high:+.3%})")
    medians = {f"{way}_ms": statistics.median(taken) for way, taken in times.items()}
    settings = {
        "bundle": asked.bundle.name, "backend": asked.backend, "rounds": asked.rounds, "frames": asked.frames,
        "limit": LIMIT,
    }  # fmt: skip
    write_record(record_now("bench_overhead", settings=settings, values={**values, **medians}), asked.record)


if __name__ == "__main__":
    main()
