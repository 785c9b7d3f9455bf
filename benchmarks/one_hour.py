#!/usr/bin/env python3
"""Run the rendered street at 30 frames a second for an hour, and say whether anything grows, jumps or differs.

usage: python benchmarks/one_hour.py [--minutes 60] [--warm-up 5] [--page] [--backend onnxruntime]
       python benchmarks/one_hour.py --check      the offline pass alone, over the lines of a run before

`test://street` comes like a camera (`--realtime`): ten seconds of it, shown there and back. Frames that nobody was
ready for are dropped, and the default int8 bundle segments the rest. A line for each result is added to RECORD.lines as
it comes: its index, whether it was a keyframe, and a digest of its flow. RECORD itself is written again every ten
seconds, with `finished` false, so both can be read meanwhile, and what a run came to is there if it is ended (Ctrl-C is
such an end, and then it is checked).

Afterwards the same frames are read once more without a clock, with keyframes at the same places: every flow has to have
the digest that it had. That pass takes about a quarter of the time.

- rss_growth_percent: median memory of the last tenth over that of the first tenth behind the warm-up. Aim: below 1.
- threads, descriptors: least and most behind the warm-up; threads of a pool end and come again. Aim: no more of them in
  the last tenth than in the first.
- out_of_order: results whose index or time is not above the one before. Aim: 0.
- flows_compared, flows_different: in the offline pass. Aim: 0 different.
- kept_up_share: frames that were read over those that were due; dropped, age_ms_p50, age_ms_p95 of what was read. A
  machine that renders or segments too slowly is told of so, and is no fault. The run ends by the clock in any case.

The exit code is 1 where an aim is missed.
"""

import argparse
import hashlib
import json
import os
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edge_arseg.bench.record import record_now, write_record
from edge_arseg.motion.chain import MotionChain
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.run import run_to_sinks
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.spec.frame import Branch, SegmentedFrame
from edge_arseg.video import open_video
from edge_arseg.video.delivery.options import LiveOptions
from edge_arseg.video.sinks.base import Sink

HERE = Path(__file__).resolve().parents[1]
RECORD = HERE / "benchmarks/results/one_hour.json"
BUNDLE = HERE / "edge_arseg/zoo/camvid-compact-360x480-int8.arseg"
RATE, EVERY_S, LOOP = 30, 10.0, 300


def digest_of(flow: Any) -> str:
    """Return eight bytes that stand for a flow."""
    return hashlib.blake2b(np.ascontiguousarray(flow).data, digest_size=8).hexdigest()


@dataclass
class State:
    """What the process takes now."""

    seconds: float
    rss_mb: float
    threads: int
    descriptors: int

    @staticmethod
    def now(start: float) -> "State":
        """Read it from the kernel."""
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        status = Path("/proc/self/status").read_text()
        threads = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("Threads:"))
        descriptors = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - the one that lists is in every count
        return State(round(time.monotonic() - start, 1), pages * os.sysconf("SC_PAGE_SIZE") / 1e6, threads, descriptors)


class TimeOverError(Exception):
    """The time is over."""


@dataclass
class Watch(Sink):
    """Writes a line for each result, and the record every ten seconds."""

    lines: Path
    settings: dict[str, Any]
    record: Path
    warm_up_s: float
    states: list[State] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__("one hour")
        self._file = self.lines.open("w", encoding="ascii")
        self._start = self._told = time.monotonic()
        self._last = (-1, -1.0)
        self.out_of_order = self.results = self.keyframes = self.missed = 0
        self.ages = np.zeros(2001, np.int64)

    def _write(self, result: SegmentedFrame) -> None:
        index, time_s = result.frame.index, result.frame.time_s
        self.out_of_order += index <= self._last[0] or time_s <= self._last[1]
        self._last = index, time_s
        self.results += 1
        self.missed += result.dropped
        self.keyframes += result.branch is Branch.HR
        self.ages[min(int(result.age_ms or 0), 2000)] += 1
        told = "key" if result.motion is None else digest_of(result.motion.flow)
        self._file.write(f"{index} {told}\n")
        now = time.monotonic()
        if now - self._told >= EVERY_S:
            self._told = now
            self._file.flush()
            self.states.append(State.now(self._start))
            self.keep({"finished": False})
            print(self.line(), flush=True)

    def _close(self) -> None:
        self._file.close()

    def line(self) -> str:
        """Return how it goes."""
        state = self.states[-1]
        return (
            f"{state.seconds:.0f} s: {self.results} results, {self.missed} dropped, {state.rss_mb:.1f} MB, "
            f"{state.threads} threads, {state.descriptors} descriptors"
        )

    def values(self) -> dict[str, Any]:
        """Return what it came to so far."""
        behind = [state for state in self.states if state.seconds >= self.warm_up_s]
        tenth = max(1, len(behind) // 10)
        cumulated = np.cumsum(self.ages)
        passed = self.states[-1].seconds if self.states else 0.0
        due = min(passed, 60 * self.settings["minutes"]) * RATE
        values: dict[str, Any] = {
            "kept_up_share": round(min((self._last[0] + 1) / due, 1.0), 3) if due else None,
            "results": self.results, "keyframes": self.keyframes, "dropped": self.missed,
            "out_of_order": self.out_of_order,
            "age_ms_p50": int(np.searchsorted(cumulated, 0.5 * cumulated[-1])),
            "age_ms_p95": int(np.searchsorted(cumulated, 0.95 * cumulated[-1])),
        }  # fmt: skip
        if behind:
            first = statistics.median(state.rss_mb for state in behind[:tenth])
            last = statistics.median(state.rss_mb for state in behind[-tenth:])
            values |= {
                "seconds": behind[-1].seconds, "rss_first_mb": round(first, 2), "rss_last_mb": round(last, 2),
                "rss_growth_percent": round(100 * (last / first - 1), 3),
                "threads": [min(s.threads for s in behind), max(s.threads for s in behind)],
                "descriptors": [min(s.descriptors for s in behind), max(s.descriptors for s in behind)],
                "threads_more": max(s.threads for s in behind[-tenth:]) - max(s.threads for s in behind[:tenth]),
                "descriptors_more": max(s.descriptors for s in behind[-tenth:])
                - max(s.descriptors for s in behind[:tenth]),
                "rss_mb_by_minute": [round(s.rss_mb, 1) for s in self.states[5::6]],
            }  # fmt: skip
        return values

    def keep(self, more: dict[str, Any]) -> None:
        """Write the record."""
        settings = self.settings | {"load": [round(one, 1) for one in os.getloadavg()]}
        write_record(record_now("one_hour", settings=settings, values=self.values() | more), self.record)


def source(minutes: float) -> str:
    """Return the street of so many minutes; a picture takes longer to render than a camera's period."""
    return f"test://street?size=360x480&frames={max(1, round(minutes * 60 * RATE))}&rate={RATE}&loop={LOOP}"


def told_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield index and digest of each whole line."""
    with path.open(encoding="ascii") as file:
        for line in file:
            if line.endswith("\n"):
                index, told = line.split()
                yield int(index), told


def checked(lines: Path, minutes: float) -> dict[str, int]:
    """Follow the same frames without a clock, with keyframes at the same places, and compare every flow."""
    manifest = read_bundle(BUNDLE).manifest
    told = told_lines(lines)
    index, digest = next(told, (-1, ""))
    compared = different = 0
    key = False
    chain = MotionChain(
        manifest.height, manifest.width, block=manifest.flow_block, policy=lambda _: Branch.HR if key else Branch.LR
    )
    said = time.monotonic()
    with open_video(source(minutes), size=(manifest.height, manifest.width), fit=manifest.fit) as reader:
        for frame in reader:
            if index < 0:
                break
            key = frame.index == index and digest == "key"
            _, motion = chain.follow(frame)
            if frame.index != index:
                continue  # dropped, and its motion counts
            if not key:
                compared += 1
                different += digest_of(motion.flow) != digest
            index, digest = next(told, (-1, ""))
            if time.monotonic() - said >= EVERY_S:
                said = time.monotonic()
                print(f"checked to frame {frame.index}: {different} of {compared} flows differ", flush=True)
    return {"flows_compared": compared, "flows_different": different}


def main() -> int:
    """Run, check, and keep a record."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--warm-up", type=float, default=5, help="minutes")
    parser.add_argument("--backend", default="onnxruntime")
    parser.add_argument("--page", action="store_true", help="serve the page too, and look at /metrics every 10 s")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--record", type=Path, default=RECORD)
    chosen = parser.parse_args()
    lines = chosen.record.with_suffix(".lines")
    if chosen.check:
        found = checked(lines, chosen.minutes)
        kept = json.loads(chosen.record.read_text())
        kept["values"] |= found
        chosen.record.write_text(json.dumps(kept, indent=2) + "\n")
        return report(kept["values"])
    settings = {
        "bundle": BUNDLE.name, "backend": chosen.backend, "minutes": chosen.minutes, "rate": RATE, "loop": LOOP,
        "warm_up_minutes": chosen.warm_up, "page": chosen.page,
    }  # fmt: skip
    watch = Watch(lines, settings, chosen.record, 60 * chosen.warm_up)
    with ExitStack() as stack:
        segmenter = stack.enter_context(Segmenter(BUNDLE, engines=EngineOptions(backend=chosen.backend)))
        sinks: list[Sink] = [watch]
        if chosen.page:
            sinks.append(page_of(segmenter, stack))
        end = time.monotonic() + 60 * chosen.minutes

        def each(_: SegmentedFrame) -> None:
            if time.monotonic() > end:
                raise TimeOverError

        try:
            run_to_sinks(segmenter, source(chosen.minutes), sinks, live=LiveOptions(realtime=True), each=each)
        except TimeOverError:
            print("the time is over; what came so far is checked", flush=True)
        except KeyboardInterrupt:
            print("ended early; what came so far is checked", flush=True)
    watch.keep({"finished": False})
    found = checked(lines, chosen.minutes)
    watch.keep(found | {"finished": True})
    return report(watch.values() | found)


def page_of(segmenter: Segmenter, stack: ExitStack) -> Sink:
    """Serve a page, and have its metrics looked at."""
    import urllib.request

    from edge_arseg.serve.address import Address
    from edge_arseg.serve.server import PageServer, Subject
    from edge_arseg.serve.sink import PageSink

    server = stack.enter_context(PageServer(Address("127.0.0.1", 0)))
    manifest = segmenter.bundle.manifest
    server.show(Subject("street", manifest.name, "", manifest.model.classes, "contrast", 0.5))
    print(f"watch at {server.url}", flush=True)
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(EVERY_S):
            urllib.request.urlopen(f"{server.url}metrics", timeout=5).read()

    thread = threading.Thread(target=look)
    thread.start()
    stack.callback(thread.join)
    stack.callback(ended.set)
    return PageSink(server)


def report(values: dict[str, Any]) -> int:
    """Print what it came to; return 1 where an aim is missed."""
    for name, value in values.items():
        print(f"{name}: {value}")
    missed = []
    if values["out_of_order"]:
        missed.append("results out of order")
    if values["flows_different"] or (values["results"] > 1 and not values["flows_compared"]):
        missed.append("flows")
    if values.get("rss_growth_percent", 0.0) >= 1.0:
        missed.append("memory grows")
    if values.get("threads_more", 0) > 0 or values.get("descriptors_more", 0) > 0:
        missed.append("threads or descriptors")
    print(f"missed: {', '.join(missed)}" if missed else "every aim is met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
