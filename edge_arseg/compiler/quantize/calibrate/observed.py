"""A graph that shows its activations, a bounded number of bytes at a time."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import onnx
import onnxruntime as ort

from edge_arseg.compiler.onnx_graph import itemsize, part_from_model, shapes_from_model
from edge_arseg.runtime.engines.onnxruntime.engine import session_options

BUDGET = 512_000_000
"""Bytes of activations that are shown at once. Every further group of them is another run of the graph."""

Take = Callable[[str, np.ndarray], None]


class ObservedGraph:
    """Runs a graph on ONNX Runtime and shows activations while it does.

    What is shown at once takes at most ``budget`` bytes, or one tensor where that alone is larger: tensors are shown in
    groups, one session and one run for each.

    Attributes:
        groups: names of the tensors by group.
    """

    def __init__(
        self,
        model: onnx.ModelProto,
        tensors: Sequence[str],
        results: Sequence[str],
        *,
        threads: int | None = None,
        budget: int = BUDGET,
    ) -> None:
        """Open the sessions.

        Args:
            model: with static shapes.
            tensors: names of the activations to show.
            results: names of the outputs that ``run`` returns.
            threads: of one run.
            budget: bytes shown at once.
        """
        self._results = list(results)
        self.groups = _groups(model, tensors, budget)
        fed = {value.name for value in model.graph.input}
        wanted = [[*results], *([] for _ in self.groups[1:])]
        for names, group in zip(wanted, self.groups, strict=True):
            names.extend(name for name in group if name not in fed and name not in names)
        self._sessions = [_session(part_from_model(model, names), threads) for names in wanted]

    def run(self, feeds: Mapping[str, np.ndarray], take: Take | None = None) -> dict[str, np.ndarray]:
        """Compute the results; show every tensor to ``take``, one after the other, where it is given."""
        results: dict[str, np.ndarray] = {}
        for number, (session, group) in enumerate(zip(self._sessions, self.groups, strict=True)):
            if number and take is None:
                break
            needed = {value.name: feeds[value.name] for value in session.get_inputs()}
            names = [value.name for value in session.get_outputs()]
            outputs = dict(zip(names, session.run(names, needed), strict=True))
            if take is not None:
                for name in group:
                    take(name, feeds[name] if name in feeds else outputs[name])
            if number == 0:
                results = {name: outputs[name] for name in self._results}
        return results


def _groups(model: onnx.ModelProto, tensors: Sequence[str], budget: int) -> list[list[str]]:
    shapes = shapes_from_model(model)
    groups: list[list[str]] = [[]]
    held = 0
    for name in tensors:
        elem_type, shape = shapes[name]
        size = itemsize(elem_type) * int(np.prod(shape, dtype=np.int64))
        if groups[-1] and held + size > budget:
            groups.append([])
            held = 0
        groups[-1].append(name)
        held += size
    return groups


def _session(model: onnx.ModelProto, threads: int | None) -> ort.InferenceSession:
    options = session_options(threads, wide_weights=True)  # else a layer's rank would depend on the CPU
    options.enable_cpu_mem_arena = False
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
