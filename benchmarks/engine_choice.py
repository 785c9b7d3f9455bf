#!/usr/bin/env python3
"""Measure what choosing bundle and engine costs: at the first use, and once it is remembered.

usage: python benchmarks/engine_choice.py [--runs 7]

In a cache of its own, so that the first use is one. Remembered: the median over the runs, wall clock and CPU time of
this process, with and without reading the bundle that is taken, which every start does anyway.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from edge_arseg.bench.record import record_now, write_record
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.choice.engine_choice import choice_from_options
from edge_arseg.runtime.choice.trial_memory import TrialMemory
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.mode import Mode

RECORD = Path(__file__).parent / "results/engine_choice.json"


def medians(work: Callable[[], object], runs: int) -> tuple[float, float]:
    """Return the medians of wall clock and CPU time, milliseconds."""
    wall, cpu = [], []
    for _ in range(runs):
        begun, used = time.perf_counter(), time.process_time()
        work()
        wall.append((time.perf_counter() - begun) * 1e3)
        cpu.append((time.process_time() - used) * 1e3)
    return statistics.median(wall), statistics.median(cpu)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:

        def choose() -> object:
            return choice_from_options(None, [Mode.AR], EngineOptions(), memory=TrialMemory(Path(folder)))

        begun = time.perf_counter()
        choose()
        first_s = time.perf_counter() - begun
        wall, cpu = medians(choose, runs)
        choice = choice_from_options(None, [Mode.AR], EngineOptions(), memory=TrialMemory(Path(folder)))
    read_wall, read_cpu = medians(lambda: read_bundle(choice.bundle.path), runs)
    values = {
        "first_use_s": first_s,
        "remembered_wall_ms": wall,
        "remembered_cpu_ms": cpu,
        "of_it_reading_the_bundle_wall_ms": read_wall,
        "of_it_reading_the_bundle_cpu_ms": read_cpu,
        "chosen": str(choice),
        "trials": [asdict(trial) for trial in choice.trials],
    }
    write_record(record_now("engine choice", settings={"runs": runs}, values=values), RECORD)
    print(f"first use {first_s:.1f} s; remembered {wall:.1f} ms, {read_wall:.1f} ms of it reading the bundle; {choice}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
