"""Time of each layer, from OpenVINO's performance counters."""

from collections.abc import Iterable
from typing import Any

from edge_arseg.runtime.engines.contract import LayerTime


def counted_layers(model: Any, feeds: dict[str, Any], runs: int) -> tuple[LayerTime, ...]:
    """Run a model that was compiled with ``PERF_COUNT``.

    Args:
        model: ``openvino.CompiledModel``.
        feeds: of every run.
        runs: that are averaged; one more goes before.
    """
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
