"""Steps are timed in both precisions, the faster one is used and kept, and the timing leaves no trace in the run."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from support.training.pair_stores import patch_store
from support.training.runs import HR_SETTINGS, LR_SETTINGS, hr_training, lr_training, stop_at

from edge_arseg.errors import OptionError
from edge_arseg.training.hr.stills import stills_from_street
from edge_arseg.training.run.folder import LAST, RunFolder
from edge_arseg.training.run.step_precision import StepTimes, step_times


@pytest.fixture(scope="module")
def stills():
    return stills_from_street(6, size=(60, 80), seed=3)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return patch_store(tmp_path_factory.mktemp("pairs") / "store")


class Clock:
    """A clock that only steps move: by so many seconds in each precision."""

    def __init__(self, run=None, **seconds):
        self.run, self.seconds, self.now, self.steps = run, seconds, 0.0, []

    def step(self, precision):
        self.steps.append(precision)
        self.now += self.seconds[precision]

    def __call__(self):
        return self.now


def of_run(run, monkeypatch, **seconds):
    """A clock that the steps of ``run`` move."""
    clock, take = Clock(**seconds), run._step

    def step(*batch):
        clock.step(run.precision)
        return take(*batch)

    monkeypatch.setattr(run, "_step", step)
    return clock


@pytest.mark.parametrize(
    ("seconds", "faster", "steps"),
    [
        ({"bfloat16": 1.0, "float32": 2.0}, "bfloat16", {"bfloat16": 3, "float32": 3}),
        ({"bfloat16": 2.0, "float32": 1.0}, "float32", {"bfloat16": 3, "float32": 3}),
        ({"bfloat16": 40.0, "float32": 2.0}, "float32", {"bfloat16": 1, "float32": 3}),
    ],
    ids=["units for bfloat16", "none", "none, and so slow that one step is enough"],
)
def test_the_faster_precision_is_taken(seconds, faster, steps):
    clock = Clock(**seconds)
    times = step_times(clock.step, clock=clock)
    assert times == StepTimes(**seconds)
    assert times.faster == faster
    assert {precision: clock.steps.count(precision) for precision in seconds} == steps


def test_the_first_step_of_each_only_warms_up():
    seconds = iter([9.0, 7.0, 3.0, 1.0, 2.0, 4.0])  # float32, bfloat16, float32, bfloat16, ...
    clock = Clock()

    def step(precision):
        clock.now += next(seconds)

    assert step_times(step, clock=clock) == StepTimes(bfloat16=1.0, float32=2.0)


@pytest.mark.parametrize("branch", ["hr", "lr"])
@pytest.mark.parametrize(("bfloat16", "faster"), [(0.5, "bfloat16"), (9.0, "float32")])
def test_a_run_that_chooses_computes_what_a_run_that_was_told_does(
    tmp_path,
    stills,
    store,
    monkeypatch,
    branch,
    bfloat16,
    faster,
):
    data, settings, start = (stills, HR_SETTINGS, hr_training) if branch == "hr" else (store, LR_SETTINGS, lr_training)
    settings = replace(settings, steps=4, score_every=2)
    told = start(tmp_path / "told", data, replace(settings, precision=faster))
    assert told.settle_precision() == f"multiplying in {faster}, as asked"
    told.run()
    chosen = start(tmp_path / "chosen", data, replace(settings, precision="auto"))
    said = chosen.settle_precision(clock=of_run(chosen, monkeypatch, bfloat16=bfloat16, float32=1.0))
    assert said == f"multiplying in {faster}, the faster one here: bfloat16 {bfloat16:g} s a step, float32 1 s"
    chosen.run()
    wanted, seen = told.network.state_dict(), chosen.network.state_dict()
    assert all(torch.equal(wanted[key], seen[key]) for key in wanted)
    kept = json.loads((tmp_path / "chosen/settings.json").read_text())
    assert (kept["precision"], kept["step_seconds"]) == (faster, {"bfloat16": bfloat16, "float32": 1.0})


def test_a_run_that_goes_on_keeps_its_precision_and_is_not_timed_again(tmp_path, stills, monkeypatch):
    settings = replace(HR_SETTINGS, precision="auto")
    first = hr_training(tmp_path / "run", stills, settings)
    first.settle_precision(clock=of_run(first, monkeypatch, bfloat16=9.0, float32=1.0))
    with pytest.raises(KeyboardInterrupt):
        first.run(stop_at(5))
    again = hr_training(tmp_path / "run", stills, settings, resume=True)
    clock = of_run(again, monkeypatch, bfloat16=1.0, float32=9.0)  # on a machine where the other one is faster
    assert again.settle_precision(clock=clock) == "multiplying in float32, as this run began"
    assert clock.steps == []
    again.run()
    whole = hr_training(tmp_path / "whole", stills, replace(settings, precision="float32"))
    whole.run()
    wanted, seen = load_file(tmp_path / "whole" / LAST), load_file(tmp_path / "run" / LAST)
    assert all(torch.equal(wanted[key], seen[key]) for key in wanted)
    with pytest.raises(OptionError, match="precision: float32 then, bfloat16 now"):
        hr_training(tmp_path / "run", stills, replace(settings, precision="bfloat16"), resume=True)


@pytest.mark.parametrize(("bf16", "precision"), [(True, "bfloat16"), (False, "float32")])
def test_runs_of_earlier_versions_go_on_as_they_began(tmp_path, bf16, precision):
    RunFolder.create(tmp_path, {"steps": 3, "bf16": bf16})
    assert RunFolder.resume(tmp_path, {"steps": 3, "precision": "auto"}).settings()["precision"] == precision
    with pytest.raises(OptionError, match="precision: "):
        RunFolder.resume(tmp_path, {"steps": 3, "precision": "float32" if bf16 else "bfloat16"})


def test_the_clock_of_this_machine_decides_too(tmp_path, stills):
    run = hr_training(tmp_path, stills, replace(HR_SETTINGS, steps=2, score_every=1, precision="auto"))
    run.run()
    kept = json.loads((tmp_path / "settings.json").read_text())
    assert run.precision == kept["precision"] == min(kept["step_seconds"], key=kept["step_seconds"].get)
    assert all(seconds > 0 for seconds in kept["step_seconds"].values())


def test_a_precision_that_does_not_exist_is_refused(tmp_path, stills):
    with pytest.raises(OptionError, match="'fp16' seen, expected auto, bfloat16 or float32"):
        hr_training(tmp_path, stills, replace(HR_SETTINGS, precision="fp16")).run()
