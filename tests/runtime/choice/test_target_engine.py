"""Bundles that were compiled for a target: its engine is taken where it is there."""

import pytest
from runtime.choice.choosing import choice
from support.bundles.faulty import ENGINES
from support.bundles.toy import ToyEngine, write_toy_bundle

from edge_arseg.errors import BuildError, EnvironmentUnfitError
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.engines.opening import BACKENDS


@pytest.fixture
def board_bundle(tmp_path):
    return read_bundle(write_toy_bundle(tmp_path / "onano.arseg", name="onano", target="jetson-orin-nano-8gb"))


def test_the_engine_of_the_target_is_taken_where_it_is_there(board_bundle, monkeypatch):
    monkeypatch.setitem(BACKENDS, "tensorrt", ENGINES["slow"])
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
    monkeypatch.setitem(BACKENDS, "tensorrt", ENGINES["wrong"])
    with pytest.raises(EnvironmentUnfitError, match=r"(?s)on tensorrt 93\.75%.*--backend toy: 100\.00%"):
        choice(board_bundle, candidates=("tensorrt", "toy"))


def test_a_bundle_for_the_cpu_gets_the_fastest_backend(tmp_path):
    bundle = read_bundle(write_toy_bundle(tmp_path / "cpu.arseg", target="cpu"))
    assert choice(bundle, candidates=("slow", "toy")).options.backend == "toy"


# what is remembered
