"""What settings that were tried tell of others."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_arseg.tuning.front import front_by_both
from edge_arseg.tuning.search.limits import Limits, front_of
from edge_arseg.tuning.search.outcome import Outcome
from edge_arseg.tuning.search.parts import Parts
from edge_arseg.tuning.search.proposal import Proposals
from edge_arseg.tuning.search.space import Space
from edge_arseg.tuning.search.surrogate import Surrogate

AXES = {
    "bundle": ("fp32", "int8", "fp32+int8", "int8+fp32"),
    "backend": ("onnxruntime", "openvino"),
    "threads": ("all",),
    "interval": ("12", "1", "4", "30"),
    "keyframes": ("fixed", "async"),
    "motion": ("codec", "zero"),
    "recode-scale": ("1",),
}
HALVES = {"fp32": ("fp32", "fp32"), "int8": ("int8", "int8"), "fp32+int8": ("fp32", "int8")}
HALVES["int8+fp32"] = ("int8", "fp32")
SPACE = Space({**AXES, "keyframes": ("fixed",)}, halves=HALVES)
NO_LIMITS = Limits()


def outcome(setting, hr_ms, lr_ms, miou, lost, frames=60):
    distances = np.arange(setting.interval)
    by_distance = tuple((miou - lost * np.sqrt(distances)).tolist())
    mean = (hr_ms + (setting.interval - 1) * lr_ms) / setting.interval
    alone = setting.interval == 1
    parts = Parts(
        hr_ms, math.nan if alone else lr_ms, 12, 0 if alone else 12, by_distance, (frames,) * setting.interval, frames
    )
    level = float(np.mean(by_distance))
    return Outcome(level, level - 1, level + 1, mean, mean, mean, max(hr_ms, lr_ms), None, parts)


def expected_of(surrogate, space, seen, limits=NO_LIMITS):
    found = surrogate.guess(list(seen.items()), limits)
    return {
        setting: (-row[0], *np.exp(row[1:]), off)
        for setting, row, off in zip(space.settings, found.mean, found.deviation, strict=True)
    }


def setting_of(space, **params):
    return next(one for one in space.settings if all(getattr(one, key) == value for key, value in params.items()))


@given(st.floats(5, 200), st.floats(0.1, 0.9), st.floats(50, 80), st.floats(0.05, 2))
@settings(max_examples=30)
def test_one_trial_at_a_long_interval_foretells_all_shorter_ones(hr_ms, share, miou, lost):
    surrogate = Surrogate(SPACE)
    tried = setting_of(SPACE, bundle="fp32", backend="onnxruntime", motion="codec", interval=30)
    expected = expected_of(surrogate, SPACE, {tried: outcome(tried, hr_ms, share * hr_ms, miou, lost)})
    for interval in (1, 4, 12):
        other = replace(tried, interval=interval, motion="codec" if interval > 1 else "zero")
        true = outcome(other, hr_ms, share * hr_ms, miou, lost)
        assert expected[other][0] == pytest.approx(true.miou, abs=0.2)
        assert expected[other][1] == pytest.approx(true.mean_ms, rel=0.01)


@given(st.lists(st.floats(4, 200), min_size=4, max_size=4))
@settings(max_examples=30)
def test_times_of_a_mixture_are_those_of_its_halves(times):
    surrogate = Surrogate(SPACE)
    branches = {"fp32": times[:2], "int8": times[2:]}
    same = {"backend": "openvino", "motion": "codec"}
    seen = {}
    for bundle, (hr_ms, lr_ms) in branches.items():
        tried = setting_of(SPACE, bundle=bundle, interval=12, **same)
        seen[tried] = outcome(tried, hr_ms, lr_ms, 70, 0.3)
    expected = expected_of(surrogate, SPACE, seen)
    mixed = setting_of(SPACE, bundle="fp32+int8", interval=4, **same)
    assert expected[mixed][1] == pytest.approx((branches["fp32"][0] + 3 * branches["int8"][1]) / 4, rel=0.03)


@given(st.permutations(range(8)))
@settings(max_examples=15)
def test_the_order_of_trials_changes_nothing(order):
    rng = np.random.default_rng(3)
    tried = [SPACE.settings[place] for place in range(0, 56, 7)]
    known = [(one, outcome(one, *rng.uniform((20, 5, 60, 0.1), (40, 10, 70, 0.5)))) for one in tried]
    surrogate = Surrogate(SPACE)
    first = surrogate.guess(known, NO_LIMITS)
    other = surrogate.guess([known[place] for place in order], NO_LIMITS)
    assert other.mean == pytest.approx(first.mean, abs=1e-6)
    assert other.deviation == pytest.approx(first.deviation, abs=1e-6)


def test_one_timing_that_was_disturbed_is_told_by_the_others():
    tried = [one for one in SPACE.settings if one.interval != 1]
    seen = {one: outcome(one, 30, 10, 70, 0.3) for one in tried}
    seen[tried[5]] = outcome(tried[5], 36, 12, 70, 0.3)
    expected = expected_of(Surrogate(SPACE), SPACE, seen)
    assert expected[tried[5]][1] == pytest.approx(outcome(tried[5], 30, 10, 70, 0.3).mean_ms, rel=0.01)
    on = front_by_both(
        [NO_LIMITS.values(one) for one in seen.values()], Proposals(SPACE).expected(list(seen.items()), NO_LIMITS)
    )
    assert on[5] == on[4] is True  # it is not left out for a time that was not its own


def test_scores_of_a_setting_that_was_given_up_count_for_less():
    surrogate = Surrogate(SPACE)
    whole = setting_of(SPACE, bundle="fp32", backend="onnxruntime", motion="codec", interval=4)
    early = replace(whole, bundle="int8")
    few = replace(outcome(early, 20, 8, 40, 0.3, frames=8), miou_low=30.0, miou_high=50.0)
    found = [
        expected_of(surrogate, SPACE, {whole: outcome(whole, 30, 10, 70, 0.3), early: one})[early]
        for one in (few, outcome(early, 20, 8, 40, 0.3))
    ]
    assert found[0][-1][0] > 10 * found[1][-1][0]  # the deviation of mIoU


def test_keyframes_in_the_background_tell_of_other_intervals_less():
    """The keyframes that are made meanwhile hold the LR frames up, the more, the more often they come."""
    space = Space(AXES, halves=HALVES)
    late, soon = (
        setting_of(space, bundle="fp32", backend="openvino", motion="codec", keyframes=way, interval=12)
        for way in ("async", "fixed")
    )
    seen = {late: outcome(late, 30, 10, 70, 0.3), soon: outcome(soon, 30, 10, 70, 0.3)}
    expected = expected_of(Surrogate(space), space, seen)
    assert expected[replace(late, interval=30)][-1][1] > 2 * expected[replace(soon, interval=30)][-1][1]


def test_limits_of_keyframes_and_energy_are_foretold_too():
    limits = Limits(slow_ms=50.0, j_per_frame=1.0)
    tried = setting_of(SPACE, bundle="fp32", backend="openvino", motion="codec", interval=30)
    seen = {tried: replace(outcome(tried, 30, 10, 70, 0.3), j_per_frame=0.2)}
    expected = expected_of(Surrogate(SPACE), SPACE, seen, limits)
    watts = 0.2 / seen[tried].mean_ms
    shorter = replace(tried, interval=4)
    assert expected[shorter][1:4] == pytest.approx((15.0, 30.0, 15.0 * watts), rel=0.01)


@given(st.data())
@settings(max_examples=5, derandomize=True)
def test_with_three_tenths_of_the_trials_the_front_is_found_whatever_the_networks_are(data):
    times = {half: data.draw(st.tuples(st.floats(10, 90), st.floats(0.2, 0.8))) for half in ("fp32", "int8")}
    miou = {bundle: data.draw(st.floats(60, 70)) for bundle in AXES["bundle"]}
    lost = {motion: data.draw(st.floats(0.1, 3)) for motion in AXES["motion"]}
    faster = {"onnxruntime": 1.0, "openvino": data.draw(st.floats(0.5, 2))}

    def measured(setting):
        hr, rest = (times[half] for half in HALVES[setting.bundle])
        own = faster[setting.backend]
        lr_ms = own * rest[0] * rest[1] + (setting.motion == "codec")
        return outcome(setting, own * hr[0], lr_ms, miou[setting.bundle], lost[setting.motion])

    every = {one: NO_LIMITS.values(measured(one)) for one in SPACE.settings}
    front = [values for values, on in zip(every.values(), front_of(list(every.values())), strict=True) if on]
    proposals, seen = Proposals(SPACE), {}
    while len(seen) < 0.3 * len(every):
        if (setting := proposals.next(list(seen), list(seen.items()), NO_LIMITS)) is None:
            break
        seen[setting] = measured(setting)
    for loss, ms in front:
        assert min(max((every[one][0] - loss) / 100, every[one][1] / ms - 1) for one in seen) < 0.06
