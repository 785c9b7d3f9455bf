import time

import numpy as np
import pytest
from toy_bundle import GOP, HEIGHT, STEP, WIDTH, ToyEngine, moving_maps, write_toy_bundle

from edge_arseg.errors import EnvironmentUnfitError
from edge_arseg.runtime.backend_choice import choice_from_bundle, settled_options
from edge_arseg.runtime.bundle import Bundle, read_bundle
from edge_arseg.runtime.engine_options import EngineOptions
from edge_arseg.runtime.engines import BACKENDS
from edge_arseg.runtime.pipeline import Mode
from edge_arseg.spec.golden import GoldenFrames

OPTIONS = EngineOptions(fusion="graph", backend="auto")


class SlowEngine(ToyEngine):
    def _run(self, feeds):
        time.sleep(0.02)
        return super()._run(feeds)


class WrongEngine(ToyEngine):
    """Wrong in the fusion alone: 1 pixel in 20."""

    def _run(self, feeds):
        outputs = super()._run(feeds)
        if self.role.value == "fuse":
            outputs["class_map"][:, ::20] += 1
        return outputs


class MissingEngine(ToyEngine):
    def __init__(self, path, *, threads=None):
        raise EnvironmentUnfitError("no such library\nand more lines")


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    for name, engine in (("toy", ToyEngine), ("slow", SlowEngine), ("wrong", WrongEngine), ("missing", MissingEngine)):
        monkeypatch.setitem(BACKENDS, name, f"{__name__}:{engine.__name__}")
    maps = moving_maps(2)
    frames = np.repeat(maps[..., None] * np.uint8(STEP), 3, axis=3)
    flows = np.zeros((2, HEIGHT // 4, WIDTH // 4, 2), np.float32)
    golden = GoldenFrames(frames, flows, np.array([0, 1]), maps, np.stack([maps[0]] * 2), maps)
    monkeypatch.setattr(Bundle, "golden_frames", lambda self: golden)
    return read_bundle(write_toy_bundle(tmp_path / "toy.arseg"))


def test_the_fastest_that_passes_is_taken(bundle):
    choice = choice_from_bundle(bundle, Mode.AR, OPTIONS, candidates=("slow", "missing", "wrong", "toy"))
    assert choice.backend == "toy"
    slow, missing, wrong, toy = choice.trials
    assert slow.frame_ms >= 20 * (1 + 2 * (GOP - 1)) / GOP > toy.frame_ms  # LR and fusion: two runs for a frame between
    assert (missing.frame_ms, missing.reason) == (None, "no such library")
    assert wrong.frame_ms is None
    assert wrong.agreement == pytest.approx(0.9375)  # 4 columns of 64
    text = str(choice)
    assert text.startswith("backend: toy is the fastest here that passes\n  slow ")
    assert "wrong: 93.75% of the pixels agree, 99.00% expected" in text


def test_a_fault_in_the_fusion_does_not_count_where_it_is_not_used(bundle):
    choice = choice_from_bundle(bundle, Mode.HR, OPTIONS, candidates=("wrong",))
    assert choice.backend == "wrong"


def test_the_bundles_own_gate_counts(bundle, monkeypatch):
    monkeypatch.setattr("edge_arseg.runtime.backend_choice.required_agreement", lambda manifest: 0.9)
    assert choice_from_bundle(bundle, Mode.AR, OPTIONS, candidates=("wrong",)).backend == "wrong"


def test_where_none_passes_every_reason_is_given(bundle):
    with pytest.raises(EnvironmentUnfitError, match=r"(?s)missing: no such library\n.*wrong: 93\.75%"):
        choice_from_bundle(bundle, Mode.AR, OPTIONS, candidates=("missing", "wrong"))


def test_a_named_backend_is_left_alone(bundle):
    named = EngineOptions(backend="slow")
    assert settled_options(bundle, Mode.AR, named) == (named, None)


def test_auto_settles_on_a_name(bundle, monkeypatch):
    monkeypatch.setattr(
        "edge_arseg.runtime.backend_choice.choice_from_bundle.__kwdefaults__", {"candidates": ("toy", "slow")}
    )
    options, choice = settled_options(bundle, Mode.AR, OPTIONS)
    assert options == EngineOptions(fusion="graph", backend="toy")
    assert choice.backend == "toy"
