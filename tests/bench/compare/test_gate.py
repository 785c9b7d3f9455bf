"""Whether two builds are told apart, and one build is not told apart from itself."""

import re
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from support.bench.made import STAGES, plain_record, write_made

from edge_arseg.bench.compare.comparison import Measured, compared_runs
from edge_arseg.bench.compare.gate import comparisons_of_records
from edge_arseg.bench.compare.likeness import paired_runs
from edge_arseg.bench.compare.signed_ranks import bounds, middle
from edge_arseg.bench.records.bench_record import Notice
from edge_arseg.bench.records.energy import RunEnergy
from edge_arseg.bench.records.summary import Estimate
from edge_arseg.errors import DataError

PAIRS, TRIALS = 12, 20


@pytest.fixture(scope="module")
def pool():
    """Records of one build, each with drift and bursts, and each in a process that lies elsewhere in memory."""
    generator = np.random.default_rng(0)
    placed = [tuple((stage, float(np.exp(generator.normal(0, 0.015)))) for stage in STAGES) for _ in range(2 * PAIRS)]
    return [plain_record(seed=seed, name="build", gops=20, slower=factors) for seed, factors in enumerate(placed)]


def slowed(record, samples, stage):
    frames = samples.frames.copy()
    more = 0.05 * np.nan_to_num(frames[f"stage_{stage}_ms"])
    frames[f"stage_{stage}_ms"] += more
    frames["total_ms"] += more
    return record, type(samples)(frames, samples.readings)


def verdicts(pool, stage=None):
    found = []
    for seed in range(TRIALS):
        order = np.random.default_rng(seed).permutation(len(pool))
        before = [Measured(*pool[i], 0) for i in order[:PAIRS]]
        after = [pool[i] if stage is None else slowed(*pool[i], stage) for i in order[PAIRS:]]
        found.append(compared_runs(before, [Measured(*one, 0) for one in after], allowed_percent=3.0))
    return found


def test_pairs_of_records_of_one_build_pass(pool):
    assert [one.failed for one in verdicts(pool)] == [()] * TRIALS


@pytest.mark.parametrize("stage", ["lr", "hr"])
def test_a_stage_that_is_slower_by_a_twentieth_fails_and_is_named(pool, stage):
    found = verdicts(pool, stage)
    assert sum(any(change.quantity == stage for change in one.failed) for one in found) >= 19
    assert all(change.quantity in (stage, "frame") for one in found for change in one.failed)


def test_one_pair_of_records_is_no_proof_of_5_percent_but_of_30(pool):
    (same,) = comparisons_of_records(pool[:2], allowed_percent=3.0)
    hidden = float(re.search(r"it hides up to (\d+\.\d) %; 8 pairs of records or more", same.verdict)[1])
    assert 25 < hidden < 50
    (slower,) = comparisons_of_records([pool[0], slowed(*pool[1], "lr")], allowed_percent=3.0)
    assert not slower.failed
    other = plain_record(seed=99, name="build", gops=20, slower=(("fuse", 1.3),))
    (found,) = comparisons_of_records([pool[0], other], allowed_percent=3.0)
    assert found.failed[0].quantity == "fuse"


def test_one_pair_from_a_busy_machine_is_not_judged(pool):
    slower = plain_record(seed=7, name="build", gops=20, slower=(("lr", 3.0),))
    busy = replace(slower[0], notices=(Notice("load", "other processes used 1.2 of 2 cores meanwhile", 0),)), slower[1]
    (found,) = comparisons_of_records([pool[0], busy], allowed_percent=3.0)
    assert not found.failed
    assert found.verdict.startswith("others used the machine, and so few pairs tell nothing then")
    (found,) = comparisons_of_records([*pool[:14], pool[0], busy], allowed_percent=3.0)
    assert "others used" not in found.verdict


def test_too_few_gops_prove_nothing():
    few = [plain_record(seed=seed, name="build", gops=4, slower=(("lr", 1 + seed),)) for seed in (0, 1)]
    (found,) = comparisons_of_records(few, allowed_percent=3.0)
    assert not found.failed
    assert found.verdict == "too few GOPs to tell; measure for longer"


def test_two_runs_are_compared_over_several_records(pool, edge_arseg, tmp_path):
    """The same run twice is the same time twice, whatever the noise."""
    paths = [write_made(tmp_path, replaced(one, f"r{i}")[0], one[1]) for i, one in enumerate(pool[:9])]
    name = pool[0][0].runs[0].name
    answer = edge_arseg("report", *paths, "--fail-on", "3%", "--between", name, name)
    assert answer.code == 0, answer.err
    assert "(9 pairs of records)" in answer.out
    assert "it hides up to 0.0 %" in answer.out


def opened(one, generator, first=None):
    """A record of the same run twice, of which the one that was opened first is faster by 6 %, as it comes."""
    record, samples = one
    run, frames = record.runs[0], samples.frames.copy()
    late = int(generator.integers(0, 2)) if first is None else 1 - first
    twice = np.concatenate([frames, frames])
    twice["run"][len(frames) :] = 1
    slow = twice["run"] == late
    for column in [name for name in twice.dtype.names if name.startswith("stage_") or name == "total_ms"]:
        twice[column] *= np.exp(generator.normal(0, 0.01)) * np.where(slow, 1.06, 1.0)
    turns = [replace(run.turns[0], number=number) for number in (late, 1 - late)]
    runs = tuple(replace(run, turns=(turn,)) for turn in turns)
    return replace(record, runs=runs), type(samples)(twice, samples.readings)


def test_what_is_opened_first_is_no_better_build(pool):
    generator = np.random.default_rng(5)
    drawn = [opened(one, generator) for one in pool[:16]]
    always = [opened(one, generator, first=0) for one in pool[:16]]
    found = [
        compared_runs([Measured(*one, 0) for one in of], [Measured(*one, 1) for one in of], allowed_percent=3.0)
        for of in (drawn, always)
    ]
    assert [one.one_order for one in found] == [False, True]
    assert found[0].failed == ()
    assert "the same run was opened first in every record" in replace(found[1], changes=found[0].changes).verdict
    wide = [max(change.percent - change.low for change in one.changes) for one in found]
    assert wide[1] > 1.0, "room for where a process puts its memory"


def replaced(one, name):
    return replace(one[0], name=name), one[1]


def test_bounds_are_those_of_all_signs_that_noise_could_have():
    steps = np.array([0.3, -0.1, 0.8, 0.5, 1.1, 0.2, 0.9, 0.4, -0.3])
    for confidence in (0.9, 0.95, 0.99):
        low, high = bounds(steps, confidence)
        inside = low + 1e-9
        ranks = np.argsort(np.argsort(np.abs(steps - inside))) + 1
        seen = ranks[steps - inside < 0].sum()
        chances = [sum(rank for rank, sign in enumerate(signs, 1) if sign) for signs in product((0, 1), repeat=9)]
        # a hair inside, such a sum of ranks is rarer than the confidence allows no longer
        assert np.mean(np.array(chances) <= seen) > 1 - confidence
        assert low < middle(steps) < high
    assert bounds(steps[:4], 0.99) == (-np.inf, np.inf)


def test_one_pair_that_is_far_off_hardly_moves_the_middle():
    steps = np.full(11, 0.05) + np.linspace(-0.01, 0.01, 11)
    wild = steps.copy()
    wild[3] = 4.0
    assert middle(steps) == pytest.approx(0.05)
    assert middle(wild) == pytest.approx(0.05, abs=0.003)


def test_runs_of_other_settings_are_not_paired_and_the_setting_is_named(pool):
    (record, _), (other, _) = pool[:2]
    (run, *rest) = other.runs
    other = replace(other, runs=(replace(run, settings=replace(run.settings, backend="openvino-bf16")), *rest))
    with pytest.raises(DataError, match=rf"{re.escape(run.name)} differs in backend \w+ and openvino-bf16"):
        paired_runs(replace(record, runs=record.runs[:1]), replace(other, runs=other.runs[:1]))


def test_two_bundles_of_one_name_are_each_held_against_themselves(pool):
    """Two versions that take turns in each record have the same name and settings; the last one stood for both."""
    record = pool[0][0]
    one, two, three = (replace(record.runs[0], bundle=replace(record.runs[0].bundle, digest=d * 64)) for d in "abc")
    pairs = paired_runs(replace(record, runs=(one, two)), replace(record, runs=(two, one)))
    assert pairs == [(0, 1), (1, 0)]
    assert paired_runs(replace(record, runs=(one, two)), replace(record, runs=(three, two))) == [(0, 0), (1, 1)]
    assert paired_runs(replace(record, runs=(one,)), replace(record, runs=(two, three))) == [(0, 0)]


def with_energy(one, joules):
    energy = RunEnergy(1.0, 9.0, 12.0, Estimate(joules, joules * 0.99, joules * 1.01), Estimate(joules), None, None)
    return replace(one[0], runs=(replace(one[0].runs[0], energy=energy),)), one[1]


def energy_change(pool, joules):
    (found,) = comparisons_of_records(
        [with_energy(one, value) for one, value in zip(pool, joules, strict=False)], allowed_percent=3.0
    )
    return next(one for one in found.changes if one.quantity == "j_per_frame")


def test_energy_is_compared_over_all_pairs_and_not_the_first_alone(pool):
    """One pair of nine is far off; the first of three is."""
    noise = np.random.default_rng(0).normal(1, 0.01, 18)
    fluke = energy_change(pool, [noise[i] * (2.0 if i == 1 else 1.0) for i in range(18)])
    assert (fluke.failed, abs(fluke.percent) < 3) == (False, True)
    worse = energy_change(pool, [noise[i] * (1.1 if i % 2 else 1.0) for i in range(18)])
    assert (worse.failed, worse.percent) == (True, pytest.approx(10, abs=2))
    assert not energy_change(pool, [1.0, 1.5, 1.0, 1.0, 1.0, 1.0]).failed
    assert energy_change(pool, [1.0, 1.5, 1.0, 1.4, 1.0, 1.6]).failed
    assert energy_change(pool, [1.0, 1.5]).failed
