"""Time of each layer, from TensorRT's profiler.

TensorRT names a layer by the nodes that it was fused of: ``conv1 + relu1``, ``PWN(relu1)``, ``a || b``. A
``Reformatting CopyNode`` changes the layout of a tensor for the layer that it names, and computes nothing of it.
``{ForeignNode[a...b]}`` is everything from ``a`` to ``b``, which are not told one by one.
"""

import re
from collections.abc import Iterable
from typing import Any

from edge_arseg.runtime.engines.contract import LayerTime

_COPY, _FOREIGN = "Reformatting CopyNode", "{ForeignNode["
_JOINT = re.compile(r" \+ | \|\| |, ")
_WRAP = re.compile(r"^\s*(?:[A-Z]\w*\()+")


def profiler_of(library: Any, times: list[tuple[str, float]]) -> Any:
    """Return an ``IProfiler`` that appends each layer's name and milliseconds to ``times``."""
    base: Any = library.IProfiler

    class Profiler(base):
        def __init__(self) -> None:
            base.__init__(self)  # the bindings require it to be called by name

        def report_layer_time(self, layer_name: str, ms: float) -> None:
            times.append((layer_name, ms))

    return Profiler()


def layers_from_profile(times: Iterable[tuple[str, float]], runs: int) -> tuple[LayerTime, ...]:
    """Return the mean of each layer over the last ``runs`` times that it was reported, in the order of the first."""
    by_name: dict[str, list[float]] = {}
    for name, ms in times:
        by_name.setdefault(name, []).append(ms)
    return tuple(
        LayerTime(name, _kind(name), sum(ms[-runs:]) / len(ms[-runs:]), origins_of_layer(name))
        for name, ms in by_name.items()
    )


def origins_of_layer(name: str) -> tuple[str, ...]:
    """Return the nodes that a layer's name tells of; none where it does not tell them all."""
    if name.startswith(_COPY) or _FOREIGN in name:
        return ()
    parts = (_WRAP.sub("", part).strip().rstrip(")") for part in _JOINT.split(name))
    return tuple(part for part in parts if part)


def _kind(name: str) -> str:
    return "reformat" if name.startswith(_COPY) else "foreign" if _FOREIGN in name else "layer"
