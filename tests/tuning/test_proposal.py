"""The search alone, on spaces whose every setting is known."""

import math
import sys
from types import ModuleType

import numpy as np
import pytest
from support.bundles.toy import ToyEngine

from edge_arseg.errors import OptionError
from edge_arseg.runtime.engines.contract import Place
from edge_arseg.runtime.engines.opening import BACKENDS
from edge_arseg.tuning.front import front_by_both
from edge_arseg.tuning.search.limits import Limits, front_of, near_front_of
from edge_arseg.tuning.search.outcome import Outcome
from edge_arseg.tuning.search.parts import Parts
from edge_arseg.tuning.search.proposal import Proposals
from edge_arseg.tuning.search.setting import Setting
from edge_arseg.tuning.search.space import Space, space_from_options

NO_LIMITS = Limits()
AXES = {
    "bundle": ("fp32", "int8", "small"),
    "backend": ("onnxruntime", "openvino"),
    "threads": ("all", "1"),
    "interval": ("12", "1", "4", "6", "20", "30"),
    "keyframes": ("fixed", "adaptive"),
    "motion": ("recode", "zero"),
    "recode-scale": ("1", "0.5"),
}


def outcome(setting: Setting, time: float = 1.0) -> Outcome:
    """Keyframes cost, frames between them lose by their distance; all times are ``time`` times as long."""
    hr, lr, miou = {"fp32": (30, 9, 71.0), "int8": (16, 7, 70.5), "small": (8, 4, 63.0)}[setting.bundle]
    speed = {"onnxruntime": 1.0, "openvino": 0.9}[setting.backend] * (1.0 if setting.threads is None else 1.7)
    motion = {"zero": 0.0, "recode": 3.0 * setting.recode_scale}[setting.motion]
    lost = {"zero": 0.9, "recode": 0.2 + 0.1 * (1 - setting.recode_scale)}[setting.motion]
    lost *= 0.8 if setting.keyframes == "adaptive" else 1.0
    by_distance = tuple(miou - lost * distance for distance in range(setting.interval))
    hr_ms, lr_ms = time * speed * hr, time * (speed * lr + motion)
    between = (setting.interval - 1) / setting.interval
    mean = (1 - between) * hr_ms + between * lr_ms
    maps = (60,) * setting.interval  # as with --phases all: every frame at every distance
    parts = Parts(hr_ms, lr_ms if between else math.nan, 12, 12 if between else 0, by_distance, maps, 60)
    miou = sum(by_distance) / setting.interval
    return Outcome(miou, miou - 1, miou + 1, mean, mean, mean, max(hr_ms, lr_ms), None, parts)


def cost(setting: Setting) -> tuple[float, float]:
    """Minus mIoU, and milliseconds."""
    return NO_LIMITS.values(outcome(setting))


def searched(space, limits=NO_LIMITS, most=10_000, measured=outcome):
    proposals, seen = Proposals(space), {}
    while len(seen) < most:
        setting = proposals.next(list(seen), list(seen.items()), limits)
        if setting is None:
            break
        assert setting not in seen
        seen[setting] = measured(setting)
    return seen


def test_the_search_finds_the_whole_front_with_less_than_a_fifth_of_the_trials():
    space = Space(AXES)
    assert len(space.settings) == 372  # 3 * 2 * 2 * (1 + 5 * 2 * 3); those that run alike are one
    every = {setting: cost(setting) for setting in space.settings}
    front = {setting for setting, on in zip(every, front_of(list(every.values())), strict=True) if on}
    assert len(front) == 19
    seen = searched(space)
    assert front <= set(seen)
    assert len(seen) <= 0.2 * len(space.settings)


@pytest.mark.parametrize("seed", [1, 2])
def test_timings_that_are_two_per_cent_off_leave_most_of_the_front(seed):
    """One lucky timing hides no setting, and of two that timing cannot tell apart both are reported."""
    space = Space({**AXES, "threads": ("all",), "recode-scale": ("1",)})
    every = {setting: cost(setting) for setting in space.settings}
    front = [setting for setting, on in zip(every, front_of(list(every.values())), strict=True) if on]
    rng = np.random.default_rng(seed)
    most = round(0.3 * len(every))
    seen = searched(space, most=most, measured=lambda setting: outcome(setting, rng.normal(1, 0.02)))
    expected = Proposals(space).expected(list(seen.items()), NO_LIMITS)
    on = front_by_both([NO_LIMITS.values(one) for one in seen.values()], expected)
    reported = [every[setting] for setting, yes in zip(seen, on, strict=True) if yes]
    for miou, ms in (every[setting] for setting in front):
        assert min(max((one[0] - miou) / 100, one[1] / ms - 1) for one in reported) < 0.02


def test_of_settings_that_timing_cannot_tell_apart_both_are_on_the_front():
    values = [(-70.0, 10.0), (-70.0, 10.1), (-70.0, 10.3), (-71.0, 12.0), (-71.0, 11.9), (-69.0, 10.0)]
    assert near_front_of(values, 0.02) == [True, True, False, True, True, True]
    assert near_front_of(values, 0.0) == front_of(values) == [True, False, False, False, True, False]


def test_limits_lead_the_search_to_what_holds_them():
    space = Space(AXES)
    limits = Limits(mean_ms=8.0, miou=65.0)
    seen = searched(space, limits, most=40)
    best = max(one.miou for one in map(outcome, space.settings) if limits.hold(one))
    assert best == max(one.miou for one in seen.values() if limits.hold(one))


def test_where_nothing_can_be_better_the_search_is_over():
    space = Space({**AXES, "interval": ("1", "12"), "motion": ("zero",), "keyframes": ("fixed",)})
    seen = searched(space)
    assert len(seen) < len(space.settings)
    assert Proposals(space).next(list(space.settings), list(seen.items()), NO_LIMITS) is None


def test_what_makes_no_difference_is_tried_once():
    space = Space({**AXES, "interval": ("1",)})
    assert {str(one) for one in space.settings} == {
        f"{bundle}, GOP 1, {backend}{threads}, motion zero"
        for bundle in AXES["bundle"]
        for backend in AXES["backend"]
        for threads in ("", ", 1 thread")
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("gop=6", "known: bundle, backend, threads, interval"),
        ("interval", "no values"),
        ("interval=0", "whole numbers from 1"),
        ("keyframes=sometimes", "fixed, async, adaptive, adaptive-async"),
        ("bundle=other", "no bundle other was given"),
        ("backend=openvin", "no backend is called openvin; did you mean openvino"),
        ("recode-scale=2", "from 0.1 to 1"),
    ],
)
def test_a_value_that_cannot_be_is_named(text, told):
    with pytest.raises(OptionError, match=told):
        space_from_options(["toy"], [text], ["zero"], 4)


def test_keyframes_a_clip_apart_are_not_tried_and_refused_where_they_are_named():
    """There would be no second keyframe, and the first frame of a source is not timed."""
    space = space_from_options(["toy"], [], ["zero"], 24, frames=24)
    assert space.axes["interval"] == ("1", "4", "6", "12", "20")
    for text in ("interval=6,24", "interval=100000000", f"interval={'9' * 5000}"):
        with pytest.raises(OptionError, match="the clip has 24 frames; expected less, or a longer clip"):
            space_from_options(["toy"], [text], ["zero"], 24, frames=24)
    assert space_from_options(["toy"], ["interval=23"], ["zero"], 24, frames=24).settings[0].interval == 23
    assert {one.interval for one in space_from_options(["toy"], [], ["zero"], 24, frames=1).settings} == {1}


def test_guesses_are_the_same_each_time():
    orders = [list(searched(Space(AXES), most=12)) for _ in range(2)]
    assert orders[0] == orders[1]
    assert np.isfinite([cost(one) for one in orders[0]]).all()


def test_keyframes_in_the_background_are_tried_only_where_there_is_a_core_for_them(monkeypatch):
    ways = {}
    for cores in (1, 2):
        monkeypatch.setattr("edge_arseg.tuning.search.space.usable_cores", lambda cores=cores: cores)
        space = space_from_options(["a"], ["threads=all,1", "backend=onnxruntime"], ["zero"], 12)
        ways[cores] = {(one.threads, one.keyframes) for one in space.settings}
    assert ways[1] == {(threads, way) for threads in (None, 1) for way in ("fixed", "adaptive")}
    assert ways[2] == ways[1] | {(None, "async"), (None, "adaptive-async")}


def test_keyframes_in_the_background_are_tried_as_what_they_run_as_on_a_gpu(monkeypatch, caplog):
    monkeypatch.setattr("edge_arseg.tuning.search.space.usable_cores", lambda: 4)
    monkeypatch.setitem(BACKENDS, "toy-gpu", "toy_gpu:OnGpu")
    module = ModuleType("toy_gpu")
    module.OnGpu = type("OnGpu", (ToyEngine,), {"feature_place": Place.CUDA})
    monkeypatch.setitem(sys.modules, "toy_gpu", module)
    tries = ["threads=all", "backend=toy-gpu,onnxruntime", "keyframes=fixed,async,adaptive-async", "interval=12"]
    space = space_from_options(["a"], tries, ["zero"], 12)
    ways = {(one.backend, one.keyframes) for one in space.settings}
    assert ways == {
        *(("toy-gpu", way) for way in ("fixed", "adaptive")),
        *(("onnxruntime", way) for way in ("fixed", "async", "adaptive-async")),
    }
    assert [record.getMessage() for record in caplog.records] == [
        "no keyframes in the background: the engines of toy-gpu share one GPU; async as fixed and adaptive-async as "
        "adaptive is tried once there"
    ]


def test_named_keyframes_in_the_background_run_as_others_on_one_core(monkeypatch, caplog):
    monkeypatch.setattr("edge_arseg.tuning.search.space.usable_cores", lambda: 1)
    space = space_from_options(["a"], ["keyframes=async,fixed", "backend=onnxruntime", "interval=12"], ["zero"], 12)
    assert {one.keyframes for one in space.settings} == {"fixed"}
    assert "there is one core; async as fixed is tried once there" in caplog.text
