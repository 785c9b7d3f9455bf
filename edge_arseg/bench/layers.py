"""Time of each layer of what is timed, where its engine library says it."""

from edge_arseg.bench.plans.plan import PlannedRun
from edge_arseg.bench.records.run import Layer
from edge_arseg.runtime.engines.opening import engine_class
from edge_arseg.runtime.mode import Mode
from edge_arseg.spec.manifest import Role

RUNS = 20

ROLES = {Mode.AR: (Role.HR, Role.LR), Mode.HR: (Role.HR,), Mode.LR: (Role.LR,)}
"""Branches that a mode runs."""


def layers_of_run(run: PlannedRun) -> list[Layer]:
    """Run the branches on a golden frame of the bundle, in sessions of their own that count for nothing else.

    Raises:
        ArsegError: the engine cannot be opened.
    """
    bundle, settings = run.choice.bundle, run.settings
    frame = bundle.golden_frames().frames[0]
    engine = engine_class(settings.backend)
    return [
        Layer(role.value, layer.name, layer.kind, layer.ms)
        for role in ROLES[Mode(settings.mode)]
        for layer in engine.layer_times(bundle, role, frame, threads=settings.threads, runs=RUNS)
    ]
