#!/usr/bin/env python3
"""Measure the CPU decode kernel against the ``head`` graph on ONNX Runtime.

usage: python benchmarks/decode_kernel.py [--runs 15]

Both decode the same random feature; every sample is taken next to its rival's, and the ratio is the median over such
neighbours: on a shared machine times wander, ratios less. Wall-clock times; with one thread also the kernel's own CPU
time, which neighbours on the machine disturb less. The graphs are written as the exporter writes them.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge_arseg.bench.record import record_now, write_record
from edge_arseg.compiler.graph_writer import GraphWriter
from edge_arseg.runtime.engines.onnxruntime.engine import OnnxRuntimeEngine
from edge_arseg.runtime.kernels.numba_head import DecodeKernel, DecodeShapes
from edge_arseg.spec import tensor as names

RECORD = Path(__file__).parent / "results/decode_kernel.json"
SHAPES = {
    "bise18 720x960": (DecodeShapes(256, (90, 120), (720, 960), upscale=8), 12),
    "psp18 720x960": (DecodeShapes(64, (720, 960), (720, 960)), 12),
    "psp18 720x960, LR alone": (DecodeShapes(64, (360, 480), (720, 960), image=(360, 480)), 12),
    "bise18 1024x2048": (DecodeShapes(256, (128, 256), (1024, 2048), upscale=8), 19),
}


def head_engine(
    shapes: DecodeShapes, weight: np.ndarray, bias: np.ndarray, folder: Path, threads: int
) -> OnnxRuntimeEngine:
    graph, (classes, channels) = GraphWriter(), weight.shape
    weights = graph.constant("weight", weight[:, :, None, None])
    scores, size = graph.op("Conv", names.FUSED_FEATURE, weights, graph.constant("bias", bias)), shapes.feature
    steps = zip(shapes.resizes(0), shapes.resizes(1), strict=True)
    for (rows, align_corners), (columns, _) in steps:
        if (rows, columns) != size:
            mode = "align_corners" if align_corners else "half_pixel"
            target = graph.integers(1, classes, rows, columns)
            scores = graph.op("Resize", scores, "", "", target, mode="linear", coordinate_transformation_mode=mode)
            size = (rows, columns)
    flat = graph.op("Squeeze", graph.op("ArgMax", scores, axis=1, keepdims=0), graph.integers(0))
    graph.op("Cast", flat, name=names.CLASS_MAP, to=2)
    inputs = {names.FUSED_FEATURE: ("float32", (1, channels, *shapes.feature))}
    model = graph.model("head", inputs, {names.CLASS_MAP: ("uint8", shapes.frame)})
    path = folder / "head.onnx"
    path.write_bytes(model.SerializeToString())
    return OnnxRuntimeEngine(path, threads=threads)


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return the milliseconds of the wall and of this thread's CPU."""
    wall, cpu = time.perf_counter(), time.thread_time()
    work()
    return 1e3 * (time.perf_counter() - wall), 1e3 * (time.thread_time() - cpu)


def measured(name: str, threads: int, runs: int) -> dict[str, float]:
    """Measure one shape and number of threads."""
    shapes, classes = SHAPES[name]
    rng = np.random.default_rng(0)
    feature = rng.standard_normal((1, shapes.channels, *shapes.feature), np.float32)
    weight = rng.standard_normal((classes, shapes.channels), np.float32)
    bias = rng.standard_normal(classes, np.float32)
    kernel = DecodeKernel(shapes, weight, bias, threads)
    out = np.zeros(shapes.frame, np.uint8)
    samples: dict[str, list[tuple[float, float]]] = {"kernel": [], "graph": []}
    with (
        tempfile.TemporaryDirectory() as folder,
        head_engine(shapes, weight, bias, Path(folder), threads) as engine,
    ):
        for run in range(runs + 2):
            for way, work in (
                ("kernel", lambda: kernel.run(feature, out)),
                ("graph", lambda: engine.run({names.FUSED_FEATURE: feature})),
            ):
                taken = timed(work)
                if run >= 2:
                    samples[way].append(taken)
        class_map = engine.run({names.FUSED_FEATURE: feature})[names.CLASS_MAP]
    ratios = [graph[0] / own[0] for own, graph in zip(samples["kernel"], samples["graph"], strict=True)]
    values = {
        "kernel_ms": statistics.median(wall for wall, _ in samples["kernel"]),
        "graph_ms": statistics.median(wall for wall, _ in samples["graph"]),
        "graph_over_kernel": statistics.median(ratios),
        "agreement": float(np.mean(class_map == out)),
        "kernel_memory_mb": kernel.nbytes / 1e6,
    }
    if threads == 1:
        values["kernel_cpu_ms"] = statistics.median(cpu for _, cpu in samples["kernel"])
    return values


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    values: dict[str, dict[str, float]] = {}
    for name in SHAPES:
        for threads in (1, 2):
            values[f"{name}, {threads} threads"] = row = measured(name, threads, runs)
            print(
                f"{name:25s} {threads} threads  kernel {row['kernel_ms']:6.1f} ms  graph {row['graph_ms']:6.1f} ms  "
                f"x{row['graph_over_kernel']:.1f}  agreement {row['agreement']:.4%}",
                flush=True,
            )
    write_record(record_now("decode_kernel", settings={"runs": runs}, values=values), RECORD)
    return 0


if __name__ == "__main__":
    sys.exit(main())
