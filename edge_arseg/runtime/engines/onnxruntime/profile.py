"""Time of each layer, from ONNX Runtime's profiler."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from edge_arseg.runtime.engines.contract import LayerTime
from edge_arseg.storage.scratch import scratch_folder

_KERNEL = "_kernel_time"
_RENAMED = re.compile(r"(_nchwc|_token_\d+)+$")
"""What ONNX Runtime hangs on a name: that of the node, or that of its output where it changes the layout."""


def profiled_layers(
    graph: Path, options: ort.SessionOptions, feeds: Mapping[str, NDArray[np.uint8]], runs: int
) -> tuple[LayerTime, ...]:
    """Run a graph in a session of its own that is profiled.

    Args:
        graph: an ONNX file.
        options: of the session.
        feeds: of every run.
        runs: that are averaged; one more goes before.
    """
    with scratch_folder("profile") as folder:
        options.enable_profiling = True
        options.profile_file_prefix = str(folder / "profile")
        session = ort.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        for _ in range(runs + 1):
            session.run(None, dict(feeds))
        events = json.loads(Path(session.end_profiling()).read_text())
    return layers_from_events(events, runs)


def layers_from_events(events: list[dict[str, Any]], runs: int) -> tuple[LayerTime, ...]:
    """Return the mean of each node over the last ``runs`` times that it ran."""
    times: dict[tuple[str, str], list[float]] = {}
    for event in events:
        name = str(event.get("name", ""))
        if event.get("cat") == "Node" and name.endswith(_KERNEL):
            kind = str(event.get("args", {}).get("op_name", ""))
            times.setdefault((name.removesuffix(_KERNEL), kind), []).append(event["dur"] / 1e3)
    return tuple(
        LayerTime(name, kind, sum(ms[-runs:]) / runs, (_RENAMED.sub("", name),)) for (name, kind), ms in times.items()
    )
