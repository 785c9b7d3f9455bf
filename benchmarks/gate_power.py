"""How often `report --fail-on` cries wolf, and how often it sees a stage that became slower, on a real record's noise.

Two records are drawn from the GOPs of each AR run of one record, in stretches of several GOPs, so that what lasts for a
second lasts in them too. Drawn alike they are two records of one build. Then one stage of the second is made slower.

    python benchmarks/gate_power.py RECORD.json -o benchmarks/results/gate_power.json
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from edge_arseg.bench.compare.gate import comparisons_of_records
from edge_arseg.bench.record import record_now, write_record
from edge_arseg.bench.record_files.reading import read_record, read_samples
from edge_arseg.bench.records.samples import Samples

TRIALS = 20
ALLOWED, SLOWER = 3.0, 1.05
STRETCHES = (1, 4, 12)


def gops_of(frames, interval):
    """Return the whole GOPs of a run."""
    gops = [frames[frames["gop"] == number] for number in np.unique(frames["gop"])]
    return [gop for gop in gops if len(gop) == interval]


def drawn(gops, stretch, generator, slower=None):
    """Return as many GOPs as there are, in stretches that were neighbours."""
    chosen = []
    while len(chosen) < len(gops):
        first = generator.integers(0, len(gops) - stretch + 1)
        chosen += gops[first : first + stretch]
    chosen = chosen[: len(gops)]
    frames = np.concatenate(chosen).copy()
    frames["run"] = frames["turn"] = 0
    frames["gop"] = np.repeat(np.arange(len(chosen)), [len(gop) for gop in chosen])
    if slower is not None:
        more = np.nan_to_num(frames[f"stage_{slower}_ms"]) * (SLOWER - 1)
        frames[f"stage_{slower}_ms"] += more
        frames["total_ms"] += more
    return frames


def counted(record, samples, index, stretch, slower):
    """Return how many of the trials failed, and in how many the stage was named."""
    run = record.runs[index]
    one = replace(record, runs=(run,))
    gops = gops_of(samples.of_run(index), run.settings.interval)
    failed = named = 0
    for seed in range(TRIALS):
        generator = np.random.default_rng(seed)
        pair = [
            (one, Samples(drawn(gops, stretch, generator, stage), samples.readings[:0])) for stage in (None, slower)
        ]
        (comparison,) = comparisons_of_records(pair, allowed_percent=ALLOWED)
        failed += bool(comparison.failed)
        named += any(change.quantity == slower for change in comparison.failed)
    return {"gops": len(gops), "failed": failed, "named": named}


def main():
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("record", type=Path)
    parser.add_argument("-o", "--output", type=Path)
    asked = parser.parse_args()
    record, samples = read_record(asked.record), read_samples(asked.record)
    values = {}
    for index, run in enumerate(record.runs):
        if run.settings.mode != "ar":
            continue
        for stretch in STRETCHES:
            for slower in (None, "lr", "fuse", "head", "hr"):
                came = counted(record, samples, index, stretch, slower)
                values[f"{run.name}, stretches of {stretch}, {slower or 'nothing'} slower"] = came
                print(
                    f"{run.name}, stretches of {stretch}, {slower or 'nothing'} slower: {came} of {TRIALS}", flush=True
                )
    if asked.output:
        settings = {"trials": TRIALS, "allowed_percent": ALLOWED, "slower": SLOWER, "record": record.name}
        made = record_now("gate_power", settings=settings, values=values)
        write_record(replace(made, conditions=record.conditions), asked.output)


if __name__ == "__main__":
    main()
