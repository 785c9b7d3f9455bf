"""How often `report --fail-on` cries wolf on real records of one build, and how often it names a stage that is slower.

Takes a pool of records, each in a process of its own, each with the same bundle twice, as AR and with the HR branch
alone, in turns. Then it draws pairs from the pool: of records one after the other (A B A B), and of the two runs of
each record (`--between`). As they are, they are one build; then a stage of every second one is made 5 % slower, and the
frame with it. AR and HR are compared as `report` does, and what either of them names counts.

    python benchmarks/gate_power.py --take 24 --pool build/gate --clip highway.mp4     (20 minutes)
    python benchmarks/gate_power.py --pool build/gate -o benchmarks/results/gate_power.json     (two minutes)
"""

import argparse
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from edge_arseg.bench.compare.comparison import Measured, compared_runs
from edge_arseg.bench.record import record_now, write_record
from edge_arseg.bench.record_files.reading import read_record, read_samples
from edge_arseg.bench.records.samples import Samples
from edge_arseg.runtime.bundles.zoo import ZOO

ALLOWED, SLOWER = 3.0, 1.05
STAGES = ("lr", "hr", "fuse", "head")
TRIALS = 40
MODES = ("ar", "hr")


def take(folder, count, clip, backend, profile):
    """Take the records that the pool lacks."""
    folder.mkdir(parents=True, exist_ok=True)
    asked = f"bench --mode ar,hr --backend {backend} --turns 6 --profile {profile} -q"
    bundle = str(ZOO / "camvid-compact-360x480-int8.arseg")
    for number in range(count):
        path = folder / f"{number:03d}.json"
        if path.exists():
            continue
        subprocess.run(
            [sys.executable, "-m", "edge_arseg", *asked.split(), clip, "-b", bundle, "-b", bundle, "-o", str(path)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        print(f"{number + 1} of {count}", flush=True)


def slowed(one, stage):
    """Return a run with a stage that is slower."""
    frames = one.samples.frames.copy()
    own = frames["run"] == one.run
    more = np.where(own, np.nan_to_num(frames[f"stage_{stage}_ms"]) * (SLOWER - 1), 0.0)
    frames[f"stage_{stage}_ms"] += more
    frames["total_ms"] += more
    return Measured(one.record, Samples(frames, one.samples.readings), one.run)


def drawn(pool, pairs, how, generator):
    """Return so many pairs of the pool, for each mode: before and after."""
    runs = {mode: [i for i, run in enumerate(pool[0][0].runs) if run.settings.mode == mode] for mode in MODES}
    if how == "between":
        chosen = generator.permutation(len(pool))[:pairs]
        first = generator.integers(0, 2, pairs)  # one build twice: which run is the build before is drawn
        return [
            tuple(
                [Measured(*pool[i], runs[mode][side ^ of]) for i, side in zip(chosen, first, strict=True)]
                for of in (0, 1)
            )
            for mode in MODES
        ]
    starts = generator.permutation(np.arange(generator.integers(0, 2), len(pool) - 1, 2))[:pairs]
    which = int(generator.integers(0, 2))
    return [tuple([Measured(*pool[i + step], runs[mode][which]) for i in starts] for step in (0, 1)) for mode in MODES]


def main():
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pool", type=Path, required=True)
    parser.add_argument("--take", type=int, metavar="COUNT")
    parser.add_argument("--clip", default="test://street?size=360x480&frames=240")
    parser.add_argument("--backend", default="onnxruntime")
    parser.add_argument("--profile", default="quick")
    parser.add_argument("-o", "--output", type=Path)
    asked = parser.parse_args()
    if asked.take:
        take(asked.pool, asked.take, asked.clip, asked.backend, asked.profile)
        return
    paths = [path for path in sorted(asked.pool.glob("*.json")) if read_record(path).state == "finished"]
    pool = [(read_record(path), read_samples(path)) for path in paths]
    values = {}
    for how in ("between", "records in turn"):
        most = (len(pool) - 1) // 2 if how == "records in turn" else len(pool)
        for pairs in [one for one in (1, 4, 8, 12, 16, 24) if one <= most]:
            for stage in (None, *(one for one in STAGES if f"stage_{one}_ms" in pool[0][1].frames.dtype.names)):
                failed = named = 0
                for seed in range(TRIALS):
                    worse = []
                    for before, after in drawn(pool, pairs, how, np.random.default_rng(seed)):
                        later = after if stage is None else [slowed(one, stage) for one in after]
                        worse += compared_runs(before, later, allowed_percent=ALLOWED).failed
                    failed += bool(worse)
                    named += any(change.quantity == stage for change in worse)
                came = {"failed": failed / TRIALS, "named": named / TRIALS}
                values[f"{how}, {pairs} pairs, {stage or 'nothing'} slower"] = came
                print(f"{how}, {pairs} pairs, {stage or 'nothing'} slower: {came}", flush=True)
    if asked.output:
        settings = {"trials": TRIALS, "allowed_percent": ALLOWED, "slower": SLOWER, "records": len(pool)}
        settings["seconds_of_each_run"] = pool[0][0].settings.seconds
        made = record_now("gate_power", settings=settings, values=values)
        write_record(replace(made, conditions=pool[0][0].conditions), asked.output)


if __name__ == "__main__":
    main()
