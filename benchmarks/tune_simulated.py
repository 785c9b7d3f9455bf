#!/usr/bin/env python3
"""Judge the search of ``edge-arseg tune`` on grids whose every setting is known: no engine runs.

usage: python benchmarks/tune_simulated.py [--first-seed 10] [--seeds 5] [--record FILE]

The search was developed on seeds below 10, and is judged on those from 10 on.

The grids are those of `tune_grids.py`. What a trial measures is off. Times of a trial are all by the same 2 % off
(standard deviation), in the noisy grid by 5 %; every twentieth trial is up to 20 % slower, as where a machine does
something else; beside that each branch is off by as much, divided by the root of its timed frames. mIoU of a setting is
exact: the same class maps give the same scores. mIoU at a distance is not, as where one phase alone is scored: the
longer the interval, the fewer frames have that distance. `FRAMES_SD` is the standard deviation of mIoU by the choice of
frames, and `FRAMES_SHARED` the share of its variance that settings have in common.

`tune` gets all of that, and Optuna's samplers get mIoU and mean time, which is all they take. All ways have three
tenths of the settings as trials. `tune` reports what is on the front by the times that were measured, or by those that
the trials together say; the others know the former alone. Said are, as means over the seeds:

* ``trials``: the share of the settings that were tried; `tune` ends by itself where nothing better is to be expected.
* ``ended_early``: the share of the seeds for which there were fewer; a sampler of Optuna that comes back to settings
  again and again is asked four times as often at most.
* ``volume``: the share of the true front's volume (mIoU, logarithm of time; from the worst of each) that the reported
  settings have, by their true values.
* ``tried``, ``reported``: the share of the true front's settings that were tried, and that are on the reported front.
* ``behind_tried``, ``behind``: how far those that were tried, and that are reported, lie behind the true front: the
  largest share by which all of them are slower, or points of mIoU by which they are worse, than one of its settings.

With the means stand the least volume and the largest ``behind`` of any seed.
"""

import argparse
import json
import math
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tune_grids import Grid, grids

from edge_arseg.bench.record import record_now, write_record
from edge_arseg.tuning.front import SAME_TIME, front_by_both
from edge_arseg.tuning.search.limits import Limits
from edge_arseg.tuning.search.outcome import Outcome
from edge_arseg.tuning.search.parts import Parts
from edge_arseg.tuning.search.proposal import Proposals
from edge_arseg.tuning.search.setting import Setting, setting_from_params
from edge_arseg.tuning.study import optuna

HERE = Path(__file__).resolve().parents[1]
RECORD = HERE / "benchmarks/results/tune_simulated.json"
SHARE = 0.3
FRAMES_SD, FRAMES_SHARED = 0.5, 0.7
LABELS = 120
Measure = Callable[[Setting], Outcome]
Found = dict[Setting, Outcome]


def measuring(grid: Grid, seed: int) -> Measure:
    """Return what measures a setting, with noise."""
    rng = np.random.default_rng(seed)

    def measure(setting: Setting) -> Outcome:
        truth, count = grid.truth[setting], setting.interval
        frames = max(24, 2 * count)
        hr_frames = frames // count
        lr_frames = frames - hr_frames
        trial = 1 + rng.normal(0, grid.noise) + (rng.uniform(0, 0.2) if rng.random() < 0.05 else 0.0)
        hr_ms = truth.key_ms * trial * (1 + rng.normal(0, grid.noise / hr_frames**0.5))
        lr_ms = truth.between_ms * trial * (1 + rng.normal(0, grid.noise / max(lr_frames, 1) ** 0.5))
        mean = hr_ms / count + (count - 1) / count * lr_ms if count > 1 else hr_ms
        by_distance = tuple(truth.by_distance + frames_chosen(grid, setting))
        maps = tuple(len(range(distance, LABELS, count)) for distance in range(count))
        parts = Parts(hr_ms, lr_ms if count > 1 else math.nan, hr_frames, lr_frames, by_distance, maps, LABELS)
        miou, off = truth.miou, 2 * FRAMES_SD
        return Outcome(miou, miou - off, miou + off, mean, mean, mean, max(hr_ms, lr_ms), None, parts)

    return measure


def frames_chosen(grid: Grid, setting: Setting) -> NDArray[np.float64]:
    """Return how far mIoU at each distance is off, by the frames that have it: not at all on average."""
    alike = json.dumps([grid.name, setting.bundle, setting.keyframes, setting.motion, setting.recode_scale])
    spread = FRAMES_SD * setting.interval**0.5
    drawn = np.zeros(setting.interval)
    for text, share in ((grid.name, FRAMES_SHARED), (alike, 1 - FRAMES_SHARED)):
        rng = np.random.default_rng(zlib.crc32(f"{text} {setting.interval}".encode()))
        drawn += rng.normal(0, spread * share**0.5, setting.interval)
    return drawn - drawn.mean()


def searched(grid: Grid, measure: Measure, most: int, seed: int) -> tuple[Found, list[Setting]]:
    """Search as ``tune`` does."""
    proposals = Proposals(grid.space)
    seen: Found = {}
    while len(seen) < most and (setting := proposals.next(list(seen), list(seen.items()), Limits())) is not None:
        seen[setting] = measure(setting)
    expected = proposals.expected(list(seen.items()), Limits())
    return seen, reported(seen, expected)


def reported(seen: Found, expected: list[tuple[float, ...]] | None = None) -> list[Setting]:
    """Return the settings that are on the front."""
    values = [Limits().values(one) for one in seen.values()]
    on = front_by_both(values, expected or values)
    return [one for one, yes in zip(seen, on, strict=True) if yes]


def sampled(kind: str) -> Callable[[Grid, Measure, int, int], tuple[Found, list[Setting]]]:
    """Search with a sampler of Optuna, until it has tried so many different settings, or asked four times."""

    def search(grid: Grid, measure: Measure, most: int, seed: int) -> tuple[Found, list[Setting]]:
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
            study.tell(trial, Limits().values(seen[setting]))
            if len(seen) == most:
                break
        return seen, reported(seen)

    return search


WAYS = {
    "tune": searched,
    "TPE": sampled("TPESampler"),
    "NSGA-II": sampled("NSGAIISampler"),
    "random": sampled("RandomSampler"),
}


def judged(grid: Grid, most: int, seen: Found, front: list[Setting]) -> dict[str, float]:
    """Return how good what was found is, by the true values."""
    true = set(grid.front)
    return {
        "trials": len(seen) / len(grid.truth),
        "ended_early": float(len(seen) < most),
        "settings_reported": len(front),
        "volume": volume(grid, front) / volume(grid, grid.front),
        "tried": len(true & set(seen)) / len(true),
        "reported": len(true & set(front)) / len(true),
        "behind_tried": behind(grid, list(seen)),
        "behind": behind(grid, front),
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
    parser.add_argument("--first-seed", type=int, default=10, help="those below 10 are for developing")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--grid", help="this one alone")
    parser.add_argument("--way", choices=WAYS, help="this one alone")
    parser.add_argument("--record", type=Path, default=RECORD)
    given = parser.parse_args()
    values: dict[str, Any] = {}
    for grid in grids():
        if given.grid not in (None, grid.name):
            continue
        most = int(SHARE * len(grid.truth))
        row: dict[str, Any] = {"settings": len(grid.truth), "front": len(grid.front), "noise_share": grid.noise}
        for name, search in WAYS.items():
            if given.way not in (None, name):
                continue
            seeds = range(given.first_seed, given.first_seed + given.seeds)
            found = [judged(grid, most, *search(grid, measuring(grid, seed), most, seed)) for seed in seeds]
            row[name] = {key: round(float(np.mean([one[key] for one in found])), 4) for key in found[0]}
            row[name]["behind_worst_seed"] = round(max(one["behind"] for one in found), 4)
            row[name]["volume_worst_seed"] = round(min(one["volume"] for one in found), 4)
            print(grid.name, name, row[name], flush=True)
        values[grid.name] = row
    settings = {
        "seeds": [given.first_seed, given.first_seed + given.seeds - 1],
        "trials_share": SHARE,
        "same_time_share": SAME_TIME,
        "frames_sd_points": FRAMES_SD,
        "frames_shared": FRAMES_SHARED,
        "labels": LABELS,
    }
    print(write_record(record_now("tune_simulated", settings=settings, values=values), given.record))


if __name__ == "__main__":
    main()
