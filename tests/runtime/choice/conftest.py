from dataclasses import replace

import pytest
from support.bundles.faulty import ENGINES
from support.bundles.small import small_manifest
from support.bundles.toy import write_toy_bundle

from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.choice import engine_choice
from edge_arseg.runtime.choice.trial import Trial
from edge_arseg.runtime.engines.opening import BACKENDS
from edge_arseg.spec.model import Cost


@pytest.fixture(autouse=True)
def toys(monkeypatch, tmp_path):
    """The engines of the toy bundle, and an empty cache."""
    for name, place in {"toy": "support.bundles.toy:ToyEngine", **ENGINES}.items():
        monkeypatch.setitem(BACKENDS, name, place)
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
    monkeypatch.setattr("edge_arseg.runtime.bundles.zoo.ZOO", tmp_path / "zoo")


@pytest.fixture
def heavy(zoo, tmp_path):
    """A model beside those of ``zoo`` that costs more."""
    changed = {"model": replace(small_manifest({}).model, name="camvid-heavy"), "cost": Cost(1200, 200, 100)}
    write_toy_bundle(tmp_path / "zoo/heavy-int8.arseg", name="heavy-int8", **changed)
