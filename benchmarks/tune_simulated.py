#!/usr/bin/env python3
"""Judge the search of ``edge-arseg tune`` on grids whose every setting is known: no engine runs.

usage: python benchmarks/tune_simulated.py [--seeds 20] [--record FILE]

The grids are those of `tune_grids.py`. What a trial measures is off: times by 2 % (standard deviation), in the noisy
grid by 5 %, and each twentieth by up to 20 % more, as where a machine does something else. mIoU of a setting is exact:
the same class maps give the same scores.

All ways of searching have three tenths of the settings as trials, and the same rule of what is on the front. Said are,
as means over the seeds:

* ``volume``: the share of the true front's volume (mIoU, logarithm of time; from the worst of each) that the reported
  settings have, by their true values.
* ``tried``, ``reported``: the share of the true front's settings that were tried, and that are on the reported front.
* ``behind_tried``, ``behind``: how far those that were tried, and that are reported, lie behind the true front: the
  largest share by which all of them are slower, or points of mIoU by which they are worse, than one of its settings.
"""

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tune_grids import Grid, grids

from edge_arseg.bench.record import record_now, write_record
from edge_arseg.tuning.front import SAME_TIME
from edge_arseg.tuning.search.limits import near_front_of
from edge_arseg.tuning.search.proposal import Proposals
from edge_arseg.tuning.search.setting import Setting, setting_from_params
from edge_arseg.tuning.study import optuna

HERE = Path(__file__).resolve().parents[1]
RECORD = HERE / "benchmarks/results/tune_simulated.json"
SHARE = 0.3
INFINITE = (float("inf"), float("inf"))
Measure = Callable[[Setting], tuple[float, float]]
Found = dict[Setting, tuple[float, float]]


def measuring(grid: Grid, seed: int) -> Measure:
    """Return what measures a setting, with noise."""
    rng = np.random.default_rng(seed)

    def measure(setting: Setting) -> tuple[float, float]:
        loss, time = grid.truth[setting].values
        time *= 1 + rng.normal(0, grid.noise)
        return loss, time * (1 + (rng.uniform(0, 0.2) if rng.random() < 0.05 else 0.0))

    return measure


def searched(grid: Grid, measure: Measure, most: int, seed: int) -> Found:
    """Search as ``tune`` does."""
    proposals = Proposals(grid.space)
    seen: Found = {}
    while len(seen) < most and (setting := proposals.next(list(seen), list(seen.items()), INFINITE)) is not None:
        seen[setting] = measure(setting)
    return seen


def sampled(kind: str) -> Callable[[Grid, Measure, int, int], Found]:
    """Search with a sampler of Optuna, until it has tried so many different settings, or asked four times."""

    def search(grid: Grid, measure: Measure, most: int, seed: int) -> Found:
        library = optuna()
        more = {"population_size": 10} if kind == "NSGAIISampler" else {}
        sampler = getattr(library.samplers, kind)(seed=seed, **more)
        study = library.create_study(directions=["minimize", "minimize"], sampler=sampler)
        seen: Found = {}
        for _ in range(4 * most):
            trial = study.ask()
            params = {axis: trial.suggest_categorical(axis, list(texts)) for axis, texts in grid.space.axes.items()}
            setting = setting_from_params(params)
            if setting not in seen:
                seen[setting] = measure(setting)
            study.tell(trial, seen[setting])
            if len(seen) == most:
                break
        return seen

    return search


WAYS = {
    "tune": searched,
    "TPE": sampled("TPESampler"),
    "NSGA-II": sampled("NSGAIISampler"),
    "random": sampled("RandomSampler"),
}


def judged(grid: Grid, seen: Found) -> dict[str, float]:
    """Return how good what was found is, by the true values."""
    reported = [one for one, on in zip(seen, near_front_of(list(seen.values()), SAME_TIME), strict=True) if on]
    true = set(grid.front)
    return {
        "trials": len(seen) / len(grid.truth),
        "settings_reported": len(reported),
        "volume": volume(grid, reported) / volume(grid, grid.front),
        "tried": len(true & set(seen)) / len(true),
        "reported": len(true & set(reported)) / len(true),
        "behind_tried": behind(grid, list(seen)),
        "behind": behind(grid, reported),
    }


def volume(grid: Grid, settings: list[Setting]) -> float:
    """Return the area between the worst of all settings and some, in points of mIoU and logarithms of time."""
    every = [one.values for one in grid.truth.values()]
    worst, low = max(loss for loss, _ in every), math.log(max(time for _, time in every))
    area = 0.0
    for loss, time in sorted(grid.truth[setting].values for setting in settings):
        if math.log(time) < low:
            area += (worst - loss) * (low - math.log(time))
            low = math.log(time)
    return area


def behind(grid: Grid, settings: list[Setting]) -> float:
    """Return how far settings lie behind the true front: 0.01 is 1 % of time, or 1 point of mIoU."""
    own = np.array([grid.truth[setting].values for setting in settings])
    right = np.array([grid.truth[setting].values for setting in grid.front])
    slower, worse = own[:, None, 1] / right[None, :, 1] - 1, (own[:, None, 0] - right[None, :, 0]) / 100
    return float(np.maximum(np.maximum(slower, worse), 0).min(axis=0).max())


def main() -> None:
    """Take the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--record", type=Path, default=RECORD)
    given = parser.parse_args()
    values: dict[str, Any] = {}
    for grid in grids():
        most = round(SHARE * len(grid.truth))
        row: dict[str, Any] = {"settings": len(grid.truth), "front": len(grid.front), "noise_share": grid.noise}
        for name, search in WAYS.items():
            found = [judged(grid, search(grid, measuring(grid, seed), most, seed)) for seed in range(given.seeds)]
            row[name] = {key: round(float(np.mean([one[key] for one in found])), 4) for key in found[0]}
            row[name]["behind_worst_seed"] = round(max(one["behind"] for one in found), 4)
            print(grid.name, name, row[name], flush=True)
        values[grid.name] = row
    settings = {"seeds": given.seeds, "trials_share": SHARE, "same_time_share": SAME_TIME}
    print(write_record(record_now("tune_simulated", settings=settings, values=values), given.record))


if __name__ == "__main__":
    main()
