#!/usr/bin/env python3
"""Compare the time of every stage of a run with that of another checkout.

usage: python benchmarks/stages.py --against CHECKOUT [--bundle BUNDLE] [--backend onnxruntime] [--rounds 7]

Both checkouts bench the same bundle on the same clip in turn, A B A B, each time in a fresh process of this
interpreter. A round gives the median of each stage; the ratio of a stage is that of the medians over the rounds, and
the spread is the smallest and largest ratio of a round. Stages under a millisecond are listed and not judged: they are
noise.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from checkouts import revision

from edge_arseg.bench.record import record_now, write_record

HERE = Path(__file__).resolve().parents[1]
RECORD = HERE / "benchmarks/results/stages.json"
CLIP = HERE.parent / "shared/clips/highway_960x540.mp4"
BUNDLE = HERE / "edge_arseg/zoo/camvid-compact-360x480.arseg"
LIMIT = 1.03
JUDGED_MS = 1.0


def medians_of_stages(tree: Path, clip: Path, bundle: Path, options: list[str]) -> dict[str, float]:
    """Return the median milliseconds by ``kind stage`` of one bench in a checkout."""
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "record.json"
        command = [
            *(sys.executable, "-m", "edge_arseg", "bench", str(clip), "-b", str(bundle), *options),
            *("--mode", "ar", "-o", str(record)),
        ]
        environment = {**os.environ, "PYTHONPATH": str(tree)}
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr[-2000:]}")
        data = json.loads(record.read_text())
        samples = record.with_suffix(".npz")
        return medians_of_samples(samples) if samples.exists() else medians_of_first_revision(data)


def medians_of_samples(samples: Path) -> dict[str, float]:
    """Return the medians of a record that keeps every sample."""
    columns = np.load(samples)
    key = columns["frames.distance"] == 0
    found = {}
    for kind, frames in (("key", key), ("between", ~key)):
        for name in columns.files:
            stage = name.removeprefix("frames.stage_").removesuffix("_ms")
            values = columns[name][frames] if name.startswith("frames.stage_") else np.zeros(0)
            if len(values) and not np.isnan(values).all():
                found[f"{kind} {stage}"] = float(np.nanmedian(values))
    return found


def medians_of_first_revision(data: dict[str, Any]) -> dict[str, float]:
    """Return the medians of a record from before samples were kept: a checkout of that time writes one."""
    stages = data["values"]["modes"]["ar"]["stages"]
    return {f"{kind} {stage}": row["p50"] for kind, rows in stages.items() for stage, row in rows.items()}


def main() -> None:
    """Take the rounds, print a table, and keep a record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", type=Path, required=True, help="checkout to compare with")
    parser.add_argument("--bundle", type=Path, default=BUNDLE, help="bundle that both can read")
    parser.add_argument("--backend", default="onnxruntime")
    parser.add_argument("--clip", type=Path, default=CLIP)
    parser.add_argument("--motion", default="auto")
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--record", type=Path, default=RECORD)
    chosen = parser.parse_args()
    trees = {"there": chosen.against.resolve(), "here": HERE}
    options = ["--backend", chosen.backend, "--motion", chosen.motion, "--frames", str(chosen.frames)]
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in trees}
    for i in range(chosen.rounds + 1):
        for name, tree in trees.items():
            row = medians_of_stages(tree, chosen.clip.resolve(), chosen.bundle.resolve(), options)
            if i:  # the first round writes caches
                rounds[name].append(row)
    table: dict[str, dict[str, Any]] = {}
    for stage in rounds["here"][0]:
        there, here = ([row[stage] for row in rounds[name]] for name in ("there", "here"))
        each = [b / a for a, b in zip(there, here, strict=True)]
        medians = statistics.median(there), statistics.median(here)
        judged = medians[0] >= JUDGED_MS
        table[stage] = {
            "there_ms": round(medians[0], 3),
            "here_ms": round(medians[1], 3),
            "ratio": round(medians[1] / medians[0], 3),
            "ratios_of_rounds": [round(min(each), 3), round(max(each), 3)],
            "within_limit": medians[1] / medians[0] <= LIMIT if judged else None,
        }
        print(f"{stage:18}", table[stage])
    settings = {
        "rounds": chosen.rounds, "frames": chosen.frames, "clip": chosen.clip.name, "bundle": chosen.bundle.name,
        "backend": chosen.backend, "motion": chosen.motion, "limit": LIMIT, "judged_from_ms": JUDGED_MS,
        **{name: revision(tree) for name, tree in trees.items()},
    }  # fmt: skip
    write_record(record_now("stages", settings=settings, values={"stages": table, "rounds": rounds}), chosen.record)


if __name__ == "__main__":
    main()
