"""A choice between toys, as the tests of this folder make it."""

from edge_arseg.runtime.choice.engine_choice import choice_from_options
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.mode import Mode

OPTIONS = EngineOptions(fusion="graph")


def choice(what=None, *, modes=(Mode.AR,), options=OPTIONS, candidates=("toy", "slow"), **more):
    return choice_from_options(what, list(modes), options, candidates=candidates, **more)


def taken(chosen):
    return chosen.bundle.manifest.name, chosen.options.backend
