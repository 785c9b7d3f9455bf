"""What was tried on this machine is remembered, and counts for what it depended on."""

import json
import os
from dataclasses import replace

import pytest
from runtime.choice.choosing import OPTIONS, choice, taken
from support.bundles.toy import GOP, ToyEngine, write_toy_bundle

from edge_arseg.errors import BuildError, transient
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.choice import engine_choice, trial_memory
from edge_arseg.runtime.choice.trial import Trial, attempt_of
from edge_arseg.runtime.choice.trial_memory import TrialMemory
from edge_arseg.runtime.engines.opening import BACKENDS
from edge_arseg.runtime.mode import Mode
from edge_arseg.runtime.segmenter import Segmenter


def files():
    return sorted(TrialMemory().folder.glob("*"))


def test_what_was_tried_is_not_tried_again(bundle, monkeypatch):
    first = choice(bundle)
    assert len(files()) == 2

    def fails(*_args, **_more):
        raise AssertionError("an engine was opened")

    monkeypatch.setattr(engine_choice, "attempt_of", fails)
    monkeypatch.setattr(engine_choice, "trial_of", fails)
    again = choice(bundle, progress=fails)
    assert taken(again) == taken(first) == ("toy", "toy")
    assert again.how == f"{first.how}; remembered"
    assert again.trials == first.trials
    assert choice(bundle, options=replace(OPTIONS, backend="slow")).agreement == 1.0  # the named pair was tried too


def test_a_pair_that_was_only_checked_is_timed_before_it_is_compared(bundle):
    choice(bundle, options=replace(OPTIONS, backend="slow"))
    assert json.loads(files()[0].read_text())["trial"]["frame_ms"] is None
    assert choice(bundle, candidates=("slow",)).trial.frame_ms > 5


@pytest.mark.parametrize(
    "change",
    [
        ("machine_state", lambda real: {**real, "features": ["AVX2"]}),
        ("machine_state", lambda real: {**real, "cpu": "another"}),
        ("machine_state", lambda real: {**real, "cores": 64}),
        ("machine_state", lambda real: {**real, "libraries": {**real["libraries"], "onnxruntime": "9.9.9"}}),
        ("machine_state", lambda real: {**real, "version": "9.9.9"}),
        ("machine_state", lambda real: {**real, "power mode": 2}),
        ("plans_state", lambda real: [*real, ["0123", 1]]),
    ],
)
def test_another_machine_library_or_plan_is_another_trial(bundle, monkeypatch, change):
    choice(bundle)
    name, changed = change
    real = getattr(trial_memory, name)
    monkeypatch.setattr(trial_memory, name, lambda *arguments: changed(real(*arguments)))
    assert not choice(bundle).how.endswith("remembered")
    assert choice(bundle).how.endswith("remembered")


@pytest.mark.parametrize("more", [{"threads": 1}, {"fusion": "auto"}])
def test_other_options_are_another_trial(bundle, more):
    choice(bundle)
    assert TrialMemory().recall(bundle, Mode.AR, replace(OPTIONS, backend="toy")) is not None
    assert TrialMemory().recall(bundle, Mode.HR, replace(OPTIONS, backend="toy")) is None
    assert TrialMemory().recall(bundle, Mode.AR, replace(OPTIONS, backend="toy", **more)) is None


def test_another_bundle_of_the_same_name_is_another_trial(bundle, tmp_path):
    choice(bundle)
    other = read_bundle(write_toy_bundle(tmp_path / "other/toy.arseg", gop=GOP + 1))
    assert TrialMemory().recall(other, Mode.AR, replace(OPTIONS, backend="toy")) is None


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", "\0", '{"revision": 1}', '{"revision": 2, "key": {}, "trial": {}}'],
)
def test_a_damaged_file_is_as_good_as_none(bundle, content):
    choice(bundle)
    for file in files():
        file.write_text(content)
    assert taken(choice(bundle)) == ("toy", "toy")
    assert choice(bundle).how.endswith("remembered")


@pytest.mark.parametrize(
    "outcome",
    [
        {"agreement": "1", "frame_ms": None, "reason": "", "exit_code": 0},
        {"agreement": 1.0, "frame_ms": True, "reason": "", "exit_code": 0},
        {"agreement": None, "frame_ms": 1.0, "reason": "", "exit_code": 0},
        {"agreement": 1.0, "frame_ms": 1.0, "reason": None, "exit_code": 0},
        {},
    ],
)
def test_an_outcome_that_cannot_be_meant_is_as_good_as_none(bundle, outcome):
    choice(bundle)
    for file in files():
        file.write_text(json.dumps({**json.loads(file.read_text()), "trial": outcome}))
    assert not choice(bundle).how.endswith("remembered")


def test_a_cache_that_cannot_be_written_is_said_once(bundle, tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with Segmenter(bundle, fusion="graph", backend="toy") as segmenter:
        assert segmenter.choice.agreement == 1.0
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"{tmp_path}/file/edge-arseg/trials cannot be written")
    assert line.endswith("name a folder: export XDG_CACHE_HOME=FOLDER")


def test_a_trial_that_ran_out_of_memory_is_not_remembered(bundle):
    memory = TrialMemory()
    short = Trial("toy", "toy", None, None, "not enough memory", lasting=False)
    memory.keep(short, bundle, Mode.AR, replace(OPTIONS, backend="toy"))
    assert files() == []
    assert not attempt_of(bundle, Mode.AR, replace(OPTIONS, backend="broken"), required=0.99).lasting


def test_a_gpu_that_was_not_up_yet_is_tried_again_at_the_next_start(bundle, monkeypatch):
    """A board that boots has another number of multiprocessors until its power mode is set, or no GPU for a moment."""

    class Booting(ToyEngine):
        @classmethod
        def from_bundle(cls, bundle, role, *, threads=None):
            raise faults[-1]

    monkeypatch.setitem(globals(), "BootingEngine", Booting)
    monkeypatch.setitem(BACKENDS, "booting", f"{__name__}:BootingEngine")
    faults = []
    for fault, kept in ((transient(BuildError("built for 8, here 4")), 0), (BuildError("no plans"), 1)):
        faults.append(fault)
        assert choice(bundle, candidates=("booting", "toy")).options.backend == "toy"
        assert sum("booting" in file.read_text() for file in files()) == kept


def test_a_file_is_written_whole_and_names_no_process(bundle):
    choice(bundle)
    assert {file.suffix for file in files()} == {".json"}
    assert not any(str(os.getpid()) in file.name for file in files())
