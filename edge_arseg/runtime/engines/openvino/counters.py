"""Time of each layer, from OpenVINO's performance counters."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from edge_arseg.runtime.engines.contract import LayerTime

_CONVERTER = "openvino.tools.ovc"


def openvino_layers(
    graph: Path, settings: Mapping[str, Any], feeds: dict[str, Any], runs: int
) -> tuple[LayerTime, ...]:
    """Run a graph with counters, by the interface for Python: the one in C does not say what layers were made of.

    Args:
        graph: an ONNX file.
        settings: to compile it with.
        feeds: of every run.
        runs: that are averaged; one more goes before.
    """
    model = openvino_package().Core().compile_model(str(graph), "CPU", {**settings, "PERF_COUNT": True})
    request = model.create_infer_request()
    request.infer(feeds)
    counted = []
    for _ in range(runs):
        request.infer(feeds)
        counted.append(request.get_profiling_info())
    return layers_from_counters(counted, _origins(model))


def layers_from_counters(
    counted: Iterable[Iterable[Any]], origins: dict[str, tuple[str, ...]]
) -> tuple[LayerTime, ...]:
    """Return the mean of each layer.

    Args:
        counted: of each run, what ``get_profiling_info`` returned.
        origins: names of the graph's nodes by that of the layer.
    """
    times: dict[tuple[str, str], list[float]] = {}
    for infos in counted:
        for info in infos:
            if info.status.name == "EXECUTED":  # the others were folded into a neighbour
                times.setdefault((info.node_name, info.node_type), []).append(1e3 * info.real_time.total_seconds())
    return tuple(
        LayerTime(name, kind, sum(ms) / len(ms), origins.get(name, (name,))) for (name, kind), ms in times.items()
    )


def _origins(model: Any) -> dict[str, tuple[str, ...]]:
    """Return which nodes of the graph each layer was made of."""
    found = {}
    for layer in model.get_runtime_model().get_ordered_ops():
        said = layer.get_rt_info()
        names = str(said["originalLayersNames"].value) if "originalLayersNames" in said else ""
        found[layer.friendly_name] = tuple(filter(None, names.split(",")))
    return found


def openvino_package() -> ModuleType:
    """Import OpenVINO's package, without what it does besides running graphs."""
    with _without_converter():
        return import_module("openvino")


@contextmanager
def _without_converter() -> Iterator[None]:
    """Leave out the part of OpenVINO that converts models, which OpenVINO does without where it cannot be imported.

    Imported, it counts uses in the home folder and sends them to its makers before anything is run.
    """
    if _CONVERTER in sys.modules:  # somebody else's choice
        yield
        return
    sys.modules[_CONVERTER] = None  # type: ignore[assignment]  # Python's way to say that there is none
    try:
        yield
    finally:
        del sys.modules[_CONVERTER]
