#!/usr/bin/env python3
"""Compare ``hr`` and ``lr`` in float32 and int8 on ONNX Runtime, in one process, turn and turn about.

usage: python benchmarks/int8_speed.py [BACKBONE [HxW]]

Weights are random: time does not depend on them. Ranges come from a few frames of the drawn street. Two threads, the
graphs run in turn so that a busy machine slows both: the ratios count, the times do not. What stays in float, mostly
resize and argmax of the scores, keeps ``hr`` below ``lr``.
"""

import statistics
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch

from edge_arseg.bench.record import record_now, write_record
from edge_arseg.compiler.export.branches import hr_graph, lr_graph
from edge_arseg.compiler.export.settings import ExportSettings
from edge_arseg.compiler.quantize.calibrate.observed import ObservedGraph
from edge_arseg.compiler.quantize.calibrate.ranges import Histogram, Range
from edge_arseg.compiler.quantize.qdq import qdq_from_ranges
from edge_arseg.compiler.quantize.rules.layers import layers_from_graph, observed_tensors
from edge_arseg.compiler.quantize.rules.preparation import prepared_graph
from edge_arseg.network.network import Network
from edge_arseg.spec.manifest import Role
from edge_arseg.spec.model import CAMVID_11, CAMVID_NORMALISATION, Model
from edge_arseg.video.reader import open_video

RESULTS = Path(__file__).parent / "results"
THREADS, RUNS = 2, 25


def session(model: onnx.ModelProto) -> ort.InferenceSession:
    """As the runtime opens a graph."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def int8_graph(model: onnx.ModelProto, role: Role, frames: list[np.ndarray]) -> onnx.ModelProto:
    """Quantize with the ranges of a few frames."""
    prepared = prepared_graph(model)
    layers = layers_from_graph(prepared, role)
    histograms = {name: Histogram() for name in observed_tensors(prepared, layers)}
    graph = ObservedGraph(prepared, list(histograms), [prepared.graph.output[0].name], threads=THREADS)
    for frame in frames:
        graph.run({"frame": frame}, lambda name, values: histograms[name].add(values))
    ranges = {name: Range(min(h.lowest, 0.0), max(h.highest, 0.0)) for name, h in histograms.items()}
    return qdq_from_ranges(prepared, layers, ranges, {})


def compared(float32: onnx.ModelProto, int8: onnx.ModelProto, frame: np.ndarray) -> dict[str, float]:
    """Run both in turn."""
    sessions = [session(float32), session(int8)]
    times: list[list[float]] = [[], []]
    for number in range(RUNS + 2):
        for one, taken in zip(sessions, times, strict=True):
            start = time.perf_counter()
            one.run(None, {"frame": frame})
            if number >= 2:
                taken.append(1e3 * (time.perf_counter() - start))
    medians = [statistics.median(taken) for taken in times]
    return {
        "fp32_ms": medians[0],
        "int8_ms": medians[1],
        "ratio_of_medians": medians[0] / medians[1],
        "ratio_of_minima": min(times[0]) / min(times[1]),
    }


def main() -> None:
    """Measure and write the record."""
    backbone = sys.argv[1] if len(sys.argv) > 1 else "bise18"
    height, width = map(int, (sys.argv[2] if len(sys.argv) > 2 else "360x480").split("x"))
    torch.manual_seed(0)
    network = Network(Model(f"camvid-{backbone}", backbone, CAMVID_11, CAMVID_NORMALISATION)).eval()
    settings = ExportSettings(height, width, 0.5, 12)
    with open_video(f"test://street?size={height}x{width}&frames=2", motion="zero", size=(height, width)) as reader:
        frames = [frame.rgb.copy() for frame in reader]
    values = {}
    for role, export in ((Role.HR, hr_graph), (Role.LR, lr_graph)):
        model = export(network, settings)
        values[role.value] = compared(model, int8_graph(model, role, frames), frames[0])
        print(backbone, role.value, values[role.value], flush=True)
    named = {"backbone": backbone, "height": height, "width": width, "threads": THREADS, "runs": RUNS}
    record = record_now("int8_speed", settings=named, values=values)
    write_record(record, RESULTS / f"int8_speed_{backbone}.json")


if __name__ == "__main__":
    main()
