#!/usr/bin/env python3
"""Measure the search of ``edge-arseg tune`` against trying everything.

usage: python benchmarks/tune.py [--frames 120] [--clip-frames 120] [--try AXIS=A,B ...] [--record FILE]

The grid: both bundles in the package and their mixtures, every backend that is installed, intervals and motions, on the
rendered street with its labels.

* Everything: each setting is timed and scored to its end; the front of that is the truth.
* Search: the same search as in ``tune``, which is told the values of that truth. So both have the same numbers. Said
  are the share of the front's settings that it finds until it ends, the share among the first three tenths of all
  settings, and how far the front of those lies behind the truth, as below: of two settings whose values differ by noise
  alone, both are on the true front. Beside it, with as many trials and the same values, Optuna's TPE and NSGA-II
  samplers and random settings, each with five seeds.
* Live: ``tune`` itself on the machine, with its own noise and with giving up early: seconds, trials, and how far its
  front lies behind the truth: the largest share by which every setting of its front is slower, or points by which it is
  worse, than a setting of the true front, by the true values.
"""

import argparse
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from edge_arseg.bench.record import record_now, write_record
from edge_arseg.runtime.bundles.zoo import shipped_paths
from edge_arseg.tuning.bundles import bundles_from_paths
from edge_arseg.tuning.options import TuneOptions
from edge_arseg.tuning.search.limits import Limits, front_of
from edge_arseg.tuning.search.outcome import Outcome
from edge_arseg.tuning.search.proposal import Proposals
from edge_arseg.tuning.search.setting import Setting
from edge_arseg.tuning.search.space import Space, space_from_options
from edge_arseg.tuning.study import optuna
from edge_arseg.tuning.task import Task, bench_of_options, motions_of
from edge_arseg.tuning.trials.trial import try_setting
from edge_arseg.tuning.tune import tune
from edge_arseg.video.sources.street_clip import write_street

HERE = Path(__file__).resolve().parents[1]
RECORD = HERE / "benchmarks/results/tune.json"
TRIES = ("threads=all", "interval=1,4,12,30", "keyframes=fixed", "recode-scale=1")
SEEDS = 5
Values = dict[Setting, tuple[float, float]]


def everything(options: TuneOptions, space: Space, folder: Path) -> tuple[dict[Setting, Outcome], float]:
    """Try every setting to its end; with the seconds that took."""
    given = bundles_from_paths(options.bundles, folder / "bundles", mixed=True)
    bench = bench_of_options(options, space, given.given[0])
    found, begun = {}, time.monotonic()
    for number, setting in enumerate(space.settings):
        choice = Task(options, given, bench).choice(setting)
        tried = try_setting(setting, choice, bench, folder / f"{number:04d}.json", [], None, lambda _: None)
        found[setting] = tried.outcome
        print(f"{number + 1}/{len(space.settings)} {setting}: {tried.outcome.mean_ms:.1f} ms {tried.outcome.miou:.1f}")
    return found, time.monotonic() - begun


def searched(space: Space, outcomes: Mapping[Setting, Outcome]) -> list[Setting]:
    """The settings that the search tries, in order."""
    proposals, seen = Proposals(space), {}
    while (setting := proposals.next(list(seen), list(seen.items()), Limits())) is not None:
        seen[setting] = outcomes[setting]
    return list(seen)


def sampled(space: Space, values: Values, sampler: Any, most: int) -> set[Setting]:
    """The settings that a sampler of Optuna tries until it has tried so many different ones."""
    library = optuna()
    places = {tuple(setting.params.values()): setting for setting in space.settings}
    study = library.create_study(directions=["minimize", "minimize"], sampler=sampler)
    seen: set[Setting] = set()
    for _ in range(20 * most):
        trial = study.ask()
        params = [trial.suggest_categorical(axis, list(texts)) for axis, texts in space.axes.items()]
        setting = places.get(tuple(params)) or _alike(space, dict(zip(space.axes, params, strict=True)))
        study.tell(trial, values[setting])
        seen.add(setting)
        if len(seen) == most:
            break
    return seen


def _alike(space: Space, params: dict[str, str]) -> Setting:
    from edge_arseg.tuning.search.setting import setting_from_params

    return setting_from_params(params)


def behind(front: Sequence[Setting], truth: Sequence[Setting], values: Values) -> float:
    """How far a front lies behind the true one: 0.01 is 1 % of time, or 1 point of mIoU."""
    worst = 0.0
    for right in truth:
        miou, ms = values[right]
        worst = max(worst, min(max((values[own][0] - miou) / 100, values[own][1] / ms - 1, 0.0) for own in front))
    return worst


def main() -> None:
    """Take the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=120, help="timed of a setting at most")
    parser.add_argument("--clip-frames", type=int, default=120, help="of the clip, all with labels")
    parser.add_argument("--try", dest="tries", action="append", default=[], help="as in tune, before those above")
    parser.add_argument("--record", type=Path, default=RECORD)
    given = parser.parse_args()
    named = {text.partition("=")[0] for text in given.tries}
    tries = (*given.tries, *(text for text in TRIES if text.partition("=")[0] not in named))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        clip, labels = folder / "street.mp4", folder / "labels"
        write_street(clip, labels, count=given.clip_frames)
        options = TuneOptions(tuple(shipped_paths()), str(clip), labels, tries=tries, frames=given.frames)
        bundles = bundles_from_paths(options.bundles, folder, mixed=True)
        space = space_from_options(
            bundles.names,
            tries,
            motions_of(str(clip), None),
            bundles.given[0].manifest.gop,
            hr_only=bundles.hr_only,
            halves=bundles.halves,
        )
        outcomes, seconds = everything(options, space, folder / "everything")
        values: Values = {setting: options.limits.values(one) for setting, one in outcomes.items()}  # type: ignore[misc]
        truth = [one for one, on in zip(values, front_of(list(values.values())), strict=True) if on]
        tried = searched(space, outcomes)
        found = set(tried) & set(truth)
        share = tried[: round(0.3 * len(space.settings))]
        of_share = [one for one, on in zip(share, front_of([values[one] for one in share]), strict=True) if on]
        library, most = optuna(), len(tried)
        samplers = library.samplers
        kinds = {
            "tpe": lambda seed: samplers.TPESampler(seed=seed, multivariate=False),
            "nsga2": lambda seed: samplers.NSGAIISampler(seed=seed, population_size=10),
            "random": lambda seed: samplers.RandomSampler(seed=seed),
        }
        others = {
            name: [len(sampled(space, values, kind(seed), most) & set(truth)) / len(truth) for seed in range(SEEDS)]
            for name, kind in kinds.items()
        }
        begun = time.monotonic()
        live = tune(replace(options, trials=round(0.3 * len(space.settings))), folder / "tuned")
        live_s = time.monotonic() - begun
        own = [live.tried[number].setting for number in live.verdict.front]
        measured = {
            "settings": len(space.settings),
            "front": [{"setting": str(one), **asdict(replace(outcomes[one], parts=None))} for one in truth],
            "everything_s": seconds,
            "search_trials": len(tried),
            "search_trials_share": len(tried) / len(space.settings),
            "search_last_of_front": max(tried.index(one) for one in found) + 1 if found else None,
            "search_front_found_share": len(found) / len(truth),
            "search_front_found_in_three_tenths": len(set(share) & set(truth)) / len(truth),
            "search_behind_in_three_tenths": behind(of_share, truth, values),
            "front_found_share_of_others": others,
            "live_s": live_s,
            "live_trials": len(live.tried),
            "live_given_up": sum(one.given_up is not None for one in live.tried.values()),
            "live_front": [str(one) for one in own],
            "live_behind_share": behind(own, truth, values),
        }
    settings = {"tries": tries, "frames": given.frames, "clip_frames": given.clip_frames, "seeds": SEEDS}
    path = write_record(record_now("tune", settings=settings, values=measured), given.record)
    told = {name: float(np.mean(shares)) for name, shares in others.items()}
    print(f"{len(tried)} of {len(space.settings)} trials: {len(found)} of {len(truth)} of the front; others {told}")
    print(f"live: {live_s:.0f} s against {seconds:.0f}, behind by {measured['live_behind_share']:.3f}; {path}")


if __name__ == "__main__":
    main()
