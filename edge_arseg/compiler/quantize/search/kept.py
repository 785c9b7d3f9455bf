"""Layers that stay in float because they are named, or because they cost most for the time that int8 saves."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

import numpy as np
import onnx

from edge_arseg.compiler.layer_macs import macs_from_graph
from edge_arseg.compiler.quantize.calibrate.flow import PreparedBranch
from edge_arseg.compiler.quantize.search.sensitivity import LayerSensitivity
from edge_arseg.errors import OptionError
from edge_arseg.runtime.engines.onnxruntime.engine import session_options
from edge_arseg.runtime.engines.onnxruntime.profile import profiled_layers
from edge_arseg.spec import tensor as names
from edge_arseg.spec.manifest import Role
from edge_arseg.storage.scratch import scratch_folder
from edge_arseg.suggestion import did_you_mean

RUNS = 10
"""Passes over which the time of a layer is averaged."""


def layers_named(patterns: Sequence[str], weights: Mapping[Role, Mapping[str, str]]) -> dict[Role, frozenset[str]]:
    """Return the layers whose name, or that of their weights, fits a pattern.

    Args:
        patterns: as of file names, ``hr:decoder.*`` for one branch or ``*head*`` for both.
        weights: their names by those of the layers, of each branch that becomes int8.

    Raises:
        OptionError: a pattern that fits no layer: all of them in one message.
    """
    found: dict[Role, set[str]] = {role: set() for role in weights}
    faults = []
    for pattern in patterns:
        branch, colon, rest = pattern.partition(":")
        roles = [role for role in weights if not colon or role.value == branch]
        wanted = rest if colon else pattern
        fitting = {
            role: {name for name, own in weights[role].items() if fnmatchcase(name, wanted) or fnmatchcase(own, wanted)}
            for role in roles
        }
        if not any(fitting.values()):
            known = [own for role in roles for own in weights[role].values()]
            meant = did_you_mean(wanted, known)
            faults.append(f"{pattern!r} fits no layer{meant and f'; {meant}'}")
        for role, own in fitting.items():
            found[role] |= own
    if faults:
        raise OptionError(
            f"--keep-float {'; '.join(faults)}; expected the name of a layer or of its weights, * for any letters, as "
            "`quantize` lists them"
        )
    return {role: frozenset(own) for role, own in found.items()}


def costliest_layers(
    branch: PreparedBranch, layers: Sequence[LayerSensitivity], frame: np.ndarray, *, threads: int | None
) -> list[str]:
    """Rank layers by what they cost in accuracy for each millisecond that they take in float, the costliest first.

    What a layer costs is the power of its error over that of the class scores. The time that int8 saves is taken as a
    fixed share of the time in float: so the order needs no int8 graph of each layer.

    Args:
        branch: in float, prepared.
        layers: with what each costs.
        frame: ``[H, W, 3] uint8`` that the branch is timed on.
        threads: of the engine.
    """
    times = times_of_layers(branch, frame, threads=threads)
    least = min((ms for ms in times.values() if ms > 0), default=1.0)
    worth = {one.layer: 10.0 ** (-one.sqnr_db / 10.0) / max(times.get(one.layer, 0.0), least) for one in layers}
    return sorted(worth, key=lambda layer: (-worth[layer], layer))


def times_of_layers(branch: PreparedBranch, frame: np.ndarray, *, threads: int | None) -> dict[str, float]:
    """Return the milliseconds of each layer in float that the engine library names."""
    options = session_options(threads, wide_weights=False)
    with scratch_folder("quantize") as folder:
        path = folder / "branch.onnx"
        onnx.save(branch.model, str(path))
        known = macs_from_graph(path)
        timed = profiled_layers(path, options, {names.FRAME: frame}, RUNS)
    found: dict[str, float] = {}
    for layer in timed:
        nodes = {known[name][0] for name in (*layer.origins, layer.name) if name in known}
        for node in nodes:
            found[node] = found.get(node, 0.0) + layer.ms
    return found
