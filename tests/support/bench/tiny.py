"""Measurements that take a second, of the fake engine on a street of 20 small frames."""

from edge_arseg.bench.plans import profiles
from edge_arseg.bench.plans.options import BenchOptions
from edge_arseg.runtime.choice.engine_choice import settled
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.mode import Mode

SOURCE = "test://street?size=48x64&frames=20"
ENGINE = EngineOptions(backend="fake", fusion="graph")
TINY = profiles.Profile(0.8, 0.3, 0.2)


def choose(path, modes, engines):
    """Return bundle, engines and modes, without a trial."""
    return settled(path, modes, (Mode.AR, Mode.HR), engines)


def options(bundle, **more):
    """Return what to measure."""
    return BenchOptions(**{"source": SOURCE, "bundles": (bundle,), "profile": "tiny", "engines": ENGINE, **more})
