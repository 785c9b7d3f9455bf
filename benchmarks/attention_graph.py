#!/usr/bin/env python3
"""Compare ways to write the 7x7 local attention in standard ONNX operators: time and memory on ONNX Runtime.

usage: python benchmarks/attention_graph.py

Each way runs in a process of its own, two threads, median of five runs after one; memory is the process's peak above
what it held with the inputs ready. Prediction, written down first: one product per neighbour reads the feature 98 times
and writes it 98 times, so at 64x720x960 (177 MB) it is bound by memory; a banded matrix product reads each block
twice or so and computes 3.1 times the similarities (22 x 7 for 49): it should win by 3 or more, in less memory.
"""

import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort

from edge_arseg.bench.record import record_now, write_record
from edge_arseg.compiler.export import attention as attention_graph
from edge_arseg.compiler.graph_writer import GraphWriter

RECORD = Path(__file__).parent / "results/attention_graph.json"
SHAPES = {"psp18 720x960": (64, 720, 960), "bise18 720x960": (256, 90, 120), "psp18 1024x2048": (512, 128, 256)}
WAYS = ("shifted", "shifted strips", "banded", "banded strips")
THREADS, RUNS = 2, 5


def write_shifted(graph: GraphWriter, shape: tuple[int, int, int], rows: int) -> str:
    """One shifted product per neighbour, in strips of ``rows``."""
    _, height, width = shape
    around = graph.integers(0, 0, 3, 3, 0, 0, 3, 3)
    key, value = graph.op("Pad", "key", around), graph.op("Pad", "value", around)
    axes, offsets = graph.integers(2, 3), [(y, x) for y in range(7) for x in range(7)]
    strips = []
    for top in range(0, height, rows):
        count = min(rows, height - top)
        query = graph.op("Slice", "query", graph.integers(top), graph.integers(top + count), graph.integers(2))

        def shifted(tensor: str, y: int, x: int, top: int = top, count: int = count) -> str:
            stop = graph.integers(top + y + count, x + width)
            return graph.op("Slice", tensor, graph.integers(top + y, x), stop, axes)

        similar = [
            graph.op("ReduceSum", graph.op("Mul", query, shifted(key, y, x)), graph.integers(1), keepdims=1)
            for y, x in offsets
        ]
        weights = graph.split(graph.op("Softmax", graph.op("Concat", *similar, axis=1), axis=1), parts=49, axis=1)
        total = ""
        for weight, (y, x) in zip(weights, offsets, strict=True):
            product = graph.op("Mul", weight, shifted(value, y, x))
            total = graph.op("Add", total, product) if total else product
        strips.append(total)
    return graph.op("Concat", *strips, axis=2)


def model_of(way: str, shape: tuple[int, int, int]) -> bytes:
    channels, height, width = shape
    rows = max(1, attention_graph.STRIP_BYTES // (4 * channels * width)) if "strips" in way else height
    graph = GraphWriter()
    if way.startswith("shifted"):
        out = write_shifted(graph, shape, rows)
    else:
        attention_graph.STRIP_BYTES = 4 * channels * width * rows
        out = attention_graph.write_local_attention(graph, "query", "key", "value", shape=shape, window=7)
    graph.op("Identity", out, name="out")
    spec = ("float32", (1, *shape))
    return graph.model("attention", dict.fromkeys(("query", "key", "value"), spec), {"out": spec}).SerializeToString()


def measured(way: str, shape: tuple[int, int, int]) -> dict[str, float]:
    """Measure one way in this process."""
    model = model_of(way, shape)
    rng = np.random.default_rng(0)
    feeds = {name: 0.2 * rng.standard_normal((1, *shape), np.float32) for name in ("query", "key", "value")}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    options = ort.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    times = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        (out,) = session.run(None, feeds)
        times.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {
        "median_ms": 1e3 * statistics.median(times[1:]),
        "peak_above_inputs_mb": peak * 1024 / 1e6,
        "graph_kb": len(model) / 1e3,
        "sum": float(out.sum(dtype=np.float64)),
    }


def main(arguments: list[str]) -> int:
    if arguments:
        print(json.dumps(measured(arguments[0], tuple(map(int, arguments[1].split("x"))))))  # type: ignore[arg-type]
        return 0
    values: dict[str, dict[str, dict[str, float]]] = {}
    for name, shape in SHAPES.items():
        values[name] = {}
        for way in WAYS:
            command = [sys.executable, __file__, way, "x".join(map(str, shape))]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            values[name][way] = row = json.loads(done.stdout)
            print(f"{name:18s} {way:16s} {row['median_ms']:8.0f} ms {row['peak_above_inputs_mb']:8.0f} MB", flush=True)
    settings = {"threads": THREADS, "runs": RUNS, "block": attention_graph.BLOCK, "shapes": SHAPES}
    write_record(record_now("attention_graph", settings=settings, values=values), RECORD)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
