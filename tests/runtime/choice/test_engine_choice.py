import json
import os
import time
from dataclasses import replace

import pytest
from support.bundles.small import small_manifest
from support.bundles.toy import GOP, ToyEngine, write_toy_bundle

from edge_arseg.doctor.engine_table import engine_table
from edge_arseg.errors import BuildError, BundleError, EnvironmentUnfitError, OptionError
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.choice import engine_choice, trial_memory
from edge_arseg.runtime.choice.engine_choice import Choice, choice_from_options, settled, unproved
from edge_arseg.runtime.choice.trial import Trial, attempt_of
from edge_arseg.runtime.choice.trial_memory import TrialMemory
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.engines.opening import BACKENDS
from edge_arseg.runtime.mode import Mode
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.spec.model import Cost

OPTIONS = EngineOptions(fusion="graph")


class SlowEngine(ToyEngine):
    def _run(self, feeds):
        time.sleep(0.005)
        return super()._run(feeds)


class WrongEngine(ToyEngine):
    """Wrong in the fusion alone: 1 pixel in 16."""

    def _run(self, feeds):
        outputs = super()._run(feeds)
        if self.role.value == "fuse":
            outputs["class_map"][:, ::16] += 1
        return outputs


class MissingEngine(ToyEngine):
    def __init__(self, path, *, threads=None):
        raise EnvironmentUnfitError("no such library\nand more lines")


class BrokenEngine(ToyEngine):
    def __init__(self, path, *, threads=None):
        raise RuntimeError("a library of its own accord")


@pytest.fixture(autouse=True)
def toys(monkeypatch, tmp_path):
    """The engines of this module, and an empty cache."""
    for name in ("Toy", "Slow", "Wrong", "Missing", "Broken"):
        monkeypatch.setitem(BACKENDS, name.lower(), f"{__name__}:{name}Engine")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def bundle(tmp_path):
    return read_bundle(write_toy_bundle(tmp_path / "toy.arseg"))


@pytest.fixture
def table(monkeypatch):
    """Trials that were made up: ``table[bundle, backend] = agreement, frame_ms``; returns those that were asked for."""
    made, asked = {}, []

    def attempt(bundle, mode, options, *, required):
        asked.append((bundle.manifest.name, options.backend, mode.value))
        agreement, frame_ms = made.get((bundle.manifest.name, options.backend), (None, None))
        reason = "" if agreement else "not installed"
        return Trial(bundle.manifest.name, options.backend, agreement, frame_ms, reason)

    monkeypatch.setattr(engine_choice, "attempt_of", attempt)
    return made, asked


@pytest.fixture
def zoo(monkeypatch, tmp_path):
    """A float32 and an int8 bundle as those in the package."""
    for name in ("small", "small-int8"):
        write_toy_bundle(tmp_path / f"zoo/{name}.arseg", name=name)
    monkeypatch.setattr("edge_arseg.runtime.zoo.ZOO", tmp_path / "zoo")


@pytest.fixture
def heavy(zoo, tmp_path):
    """A model beside those of ``zoo`` that costs more."""
    changed = {"model": replace(small_manifest({}).model, name="camvid-heavy"), "cost": Cost(1200, 200, 100)}
    write_toy_bundle(tmp_path / "zoo/heavy-int8.arseg", name="heavy-int8", **changed)


def choice(what=None, *, modes=(Mode.AR,), options=OPTIONS, candidates=("toy", "slow"), **more):
    return choice_from_options(what, list(modes), options, candidates=candidates, **more)


def taken(chosen):
    return chosen.bundle.manifest.name, chosen.options.backend


def test_the_fastest_pair_that_passes_is_taken(zoo, table):
    made, _ = table
    made[("small-int8", "toy")] = (0.94, 3.0)  # the fastest, and wrong here
    made[("small", "toy")] = (1.0, 9.0)
    made[("small-int8", "slow")] = (0.995, 7.0)
    found = choice(candidates=("toy", "slow", "missing"))
    assert taken(found) == ("small-int8", "slow")
    assert str(found) == (
        "small-int8 on slow: the fastest of 2 that give the right classes here, 7.0 ms a frame"  # nothing remembered
    )
    assert found.agreement == 0.995
    assert {(t.bundle, t.backend): t.agreement for t in found.trials}["small-int8", "toy"] == 0.94


def test_a_heavier_model_in_the_package_is_for_who_names_it(heavy, table):
    made, asked = table
    made[("heavy-int8", "toy")] = (1.0, 1.0)
    made[("small", "toy")] = (1.0, 9.0)
    assert taken(choice()) == ("small", "toy")
    assert {bundle for bundle, _, _ in asked} == {"small", "small-int8"}
    assert taken(choice("heavy-int8")) == ("heavy-int8", "toy")


def test_doctor_tries_every_model_in_the_package(heavy, table, monkeypatch):
    made, _ = table
    monkeypatch.setattr(engine_choice, "CANDIDATES", ("toy", "slow"))
    made[("heavy-int8", "toy")] = (1.0, 1.0)
    made[("small", "slow")] = (1.0, 9.0)
    found = engine_table()
    assert {(row.bundle, row.backend) for row in found.rows if row.passes} == {("heavy-int8", "toy"), ("small", "slow")}
    assert (found.bundle, found.backend) == ("small", "slow")
    made[("small", "slow")] = (0.9, None)
    none = engine_table(again=True)
    assert (none.bundle, none.how[:31]) == (None, "no bundle of the lightest model")  # the heavy one passes


def test_a_backend_named_alone_gets_the_fastest_bundle_that_passes_on_it(zoo, table):
    made, asked = table
    made[("small-int8", "slow")] = (0.9, 1.0)
    made[("small", "slow")] = (1.0, 5.0)
    assert taken(choice(options=replace(OPTIONS, backend="slow"))) == ("small", "slow")
    assert {backend for _, backend, _ in asked} == {"slow"}


def test_a_bundle_named_alone_gets_the_fastest_backend_that_passes(bundle):
    found = choice(bundle, candidates=("slow", "missing", "broken", "wrong", "toy"))
    assert taken(found) == ("toy", "toy")
    slow, missing, broken, wrong, toy = found.trials
    assert slow.frame_ms >= 5 * (1 + 2 * (GOP - 1)) / GOP > toy.frame_ms  # LR and fusion: two runs for a frame between
    assert (missing.frame_ms, missing.reason) == (None, "no such library")
    assert broken.reason == "RuntimeError: a library of its own accord"
    assert (wrong.frame_ms, wrong.agreement) == (None, 0.9375)


def test_a_fault_in_the_fusion_does_not_count_where_nothing_is_fused(bundle):
    assert choice(bundle, modes=[Mode.HR], candidates=("wrong",)).options.backend == "wrong"
    with pytest.raises(EnvironmentUnfitError, match=r"93\.75% .* 99\.00% expected \(mode hr, ar\)"):
        choice(bundle, modes=[Mode.HR, Mode.AR], candidates=("wrong",))


def test_the_bundles_own_gate_counts(bundle, monkeypatch):
    monkeypatch.setattr(engine_choice, "required_agreement", lambda manifest: 0.9)
    assert choice(bundle, candidates=("wrong",)).options.backend == "wrong"


def test_where_nothing_runs_every_reason_is_given(bundle):
    with pytest.raises(EnvironmentUnfitError, match=r"(?s)toy on missing: no such library\n.*toy on broken: Runtime"):
        choice(bundle, candidates=("missing", "broken"))


def test_a_named_pair_that_gives_wrong_classes_is_refused_with_the_ways_out(bundle):
    wrong = replace(OPTIONS, backend="wrong")
    with pytest.raises(EnvironmentUnfitError) as refused:
        choice(bundle, options=wrong)
    assert str(refused.value).splitlines() == [
        f"{bundle.path}: on wrong 93.75% of the golden pixels get the expected class here, 99.00% expected (mode ar); "
        "ways out:",
        "  --backend toy: 100.00% of the pixels agree there",
        "  --backend slow: 100.00% of the pixels agree there",
        "  --unchecked: runs it anyway (unchecked=True in Python)",
    ]
    assert refused.value.exit_code == 3


def test_a_way_out_is_the_bundle_that_it_was_made_from(tmp_path, bundle):
    made = read_bundle(write_toy_bundle(tmp_path / "made.arseg", name="made", compiled_from=bundle.digest))
    with pytest.raises(EnvironmentUnfitError, match=rf"-b {bundle.path}: the bundle that this one was made from"):
        choice(made, options=replace(OPTIONS, backend="wrong"))
    elsewhere = read_bundle(write_toy_bundle(tmp_path / "far/made.arseg", compiled_from=bundle.digest))
    with pytest.raises(EnvironmentUnfitError, match=f"-b with the bundle of digest {bundle.digest[:12]}"):
        choice(elsewhere, options=replace(OPTIONS, backend="wrong"))


def test_unchecked_runs_it_with_a_warning(bundle, caplog):
    with Segmenter(bundle, fusion="graph", backend="wrong", unchecked=True) as segmenter:
        assert segmenter.choice.agreement == 0.9375
    (line,) = [record.getMessage() for record in caplog.records]
    assert "on wrong 93.75% of the golden pixels" in line
    assert line.endswith("it runs anyway, because of --unchecked")
    caplog.clear()
    with Segmenter(bundle, fusion="graph", backend="toy", unchecked=True):
        assert caplog.records == []


def test_unchecked_without_a_backend_takes_the_one_that_agrees_most(bundle, table):
    made, _ = table
    made[("toy", "toy")], made[("toy", "slow")] = (0.5, None), (0.9, None)
    found = choice(bundle, options=replace(OPTIONS, unchecked=True))
    assert taken(found) == ("toy", "slow")
    assert "90.00% of the golden pixels" in found.warnings[0]


def test_what_keeps_a_named_backend_from_running_is_said_as_it_is(bundle):
    with pytest.raises(EnvironmentUnfitError, match=r"^no such library"):
        choice(bundle, options=replace(OPTIONS, backend="missing"))
    with pytest.raises(RuntimeError, match="own accord"):
        choice(bundle, options=replace(OPTIONS, backend="broken"))
    with pytest.raises(OptionError, match="no backend is called 'nope'"):
        choice(bundle, options=replace(OPTIONS, backend="nope"))
    with pytest.raises(OptionError, match=r"fusion 'kernal' seen, did you mean kernel\? expected one of auto, "):
        choice(bundle, options=replace(OPTIONS, fusion="kernal"))


def test_a_backend_that_computes_nothing_is_not_compared(bundle):
    found = choice(bundle, options=EngineOptions(backend="fake"))
    assert (found.how, found.agreement) == ("as named; it computes nothing", None)


def test_a_choice_that_was_made_is_taken_as_it_is(bundle):
    made = unproved(bundle, replace(OPTIONS, backend="wrong"))
    choice, modes = settled(made, [Mode.AR], (), EngineOptions())
    assert choice is made
    assert modes == (Mode.AR,)
    assert isinstance(made, Choice)


# bundles that were compiled for a target


@pytest.fixture
def board_bundle(tmp_path):
    return read_bundle(write_toy_bundle(tmp_path / "onano.arseg", name="onano", target="jetson-orin-nano-8gb"))


def test_the_engine_of_the_target_is_taken_where_it_is_there(board_bundle, monkeypatch):
    monkeypatch.setitem(BACKENDS, "tensorrt", f"{__name__}:SlowEngine")
    found = choice(board_bundle, candidates=("tensorrt", "toy"))
    assert found.options.backend == "tensorrt"
    assert found.how == "the engine of its target jetson-orin-nano-8gb"
    assert found.warnings == ()


def test_a_missing_engine_of_the_target_is_said_loudly_at_every_start(board_bundle, monkeypatch):
    monkeypatch.setattr("edge_arseg.runtime.choice.target_engine.tensorrt_is_here", lambda: False)
    for _ in range(2):
        found = choice(board_bundle, candidates=("tensorrt", "slow", "toy"))
        assert found.options.backend == "toy"
        (line,) = found.warnings
        assert line.startswith(f"{board_bundle.path} was compiled for jetson-orin-nano-8gb, whose engine is TensorRT.")
        assert "TensorRT is not installed for this Python" in line
        assert "type there: edge-arseg compile onano.arseg" in line
        assert "toy runs instead" in line
    assert found.how.endswith("; remembered")


def test_missing_plans_are_said_with_the_command_that_builds_them(board_bundle, monkeypatch):
    monkeypatch.setattr("edge_arseg.runtime.choice.target_engine.tensorrt_is_here", lambda: True)

    class NoPlans(ToyEngine):
        @classmethod
        def from_bundle(cls, bundle, role, *, threads=None):
            raise BuildError(f"no plans built for TensorRT; build them: edge-arseg compile {bundle.path}")

    monkeypatch.setitem(globals(), "NoPlansEngine", NoPlans)
    monkeypatch.setitem(BACKENDS, "tensorrt", f"{__name__}:NoPlansEngine")
    (line,) = choice(board_bundle, candidates=("tensorrt", "toy")).warnings
    assert f"missing here: no plans built for TensorRT; build them: edge-arseg compile {board_bundle.path}" in line


def test_an_engine_of_the_target_that_gives_wrong_classes_is_refused(board_bundle, monkeypatch):
    monkeypatch.setitem(BACKENDS, "tensorrt", f"{__name__}:WrongEngine")
    with pytest.raises(EnvironmentUnfitError, match=r"(?s)on tensorrt 93\.75%.*--backend toy: 100\.00%"):
        choice(board_bundle, candidates=("tensorrt", "toy"))


def test_a_bundle_for_the_cpu_gets_the_fastest_backend(tmp_path):
    bundle = read_bundle(write_toy_bundle(tmp_path / "cpu.arseg", target="cpu"))
    assert choice(bundle, candidates=("slow", "toy")).options.backend == "toy"


# what is remembered


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


def test_a_file_is_written_whole_and_names_no_process(bundle):
    choice(bundle)
    assert {file.suffix for file in files()} == {".json"}
    assert not any(str(os.getpid()) in file.name for file in files())


def test_the_bundles_in_the_package_are_compared_with_their_digests_before_they_run(zoo, tmp_path):
    graph = tmp_path / "zoo/small.arseg/onnx/hr.onnx"
    graph.write_bytes(b"yot")  # as long as it was
    with pytest.raises(BundleError, match=r"small\.arseg: 1 of 8 files is not as written"):
        choice()
