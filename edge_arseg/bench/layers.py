"""Time of each layer of what is timed, where its engine library says it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from edge_arseg.bench.plans.plan import PlannedRun
from edge_arseg.bench.records.run import Layer
from edge_arseg.runtime.engines.contract import LayerTime
from edge_arseg.runtime.engines.opening import engine_class
from edge_arseg.runtime.mode import Mode
from edge_arseg.spec.manifest import Role

RUNS = 20

ROLES = {Mode.AR: (Role.HR, Role.LR), Mode.HR: (Role.HR,), Mode.LR: (Role.LR,)}
"""Branches that a mode runs."""


GraphMacs = Callable[[Path], Mapping[str, tuple[str, int, int]]]
"""Counts a graph's MACs: by each name that a layer may have, the node that computes, its MACs, and how far the name is
from that node."""


def layers_of_run(run: PlannedRun, macs: GraphMacs | None = None) -> list[Layer]:
    """Run the branches on a golden frame of the bundle, in sessions of their own that count for nothing else.

    Args:
        run: whose graphs are profiled.
        macs: counts those of a graph; ``None`` where nothing here can read graphs.

    Raises:
        ArsegError: the engine cannot be opened.
    """
    bundle, settings = run.choice.bundle, run.settings
    frame = bundle.golden_frames().frames[0]
    engine = engine_class(settings.backend)
    found = []
    for role in ROLES[Mode(settings.mode)]:
        times = engine.layer_times(bundle, role, frame, threads=settings.threads, runs=RUNS)
        known = macs(bundle.graph_path(role)) if macs is not None and times else {}
        counts = macs_of_layers(times, known)
        found += [
            Layer(role.value, one.name, one.kind, one.ms, count) for one, count in zip(times, counts, strict=True)
        ]
    return found


def macs_of_layers(layers: Sequence[LayerTime], known: Mapping[str, tuple[str, int, int]]) -> tuple[int | None, ...]:
    """Return the MACs of each layer, ``None`` where it computes none that are known.

    A node counts once: for the layer that names it, or else for the one that names what stands closest behind it.
    """
    owners: dict[str, tuple[int, int, int]] = {}
    for number, layer in enumerate(layers):
        for name in (*layer.origins, layer.name):
            if name in known:
                node, macs, far = known[name]
                owners[node] = min(owners.get(node, (far, number, macs)), (far, number, macs))
    counts: dict[int, int] = {}
    for _, number, macs in owners.values():
        counts[number] = counts.get(number, 0) + macs
    return tuple(counts.get(number) for number in range(len(layers)))
