#!/usr/bin/env python3
"""Measure the CPU fusion kernel against the unfold formulation and against the machine's matrix products.

usage: python benchmarks/fusion_kernel.py [--runs 7]

Every sample is taken next to its rivals (kernel, 1024^3 float32 product, unfold), and ratios are medians over such
neighbours: on a shared machine times wander, ratios less. With one thread, times are processor time, which waiting for
a core does not lengthen. With two they are wall time, and their share means something on an idle machine only (see
``load`` in the record): the product gives each thread half of the work and waits for the one that lost its core, while
the kernel's threads take strips as they get on, so a busy machine flatters the kernel.

The share is attention and depthwise multiply-accumulates a second, over those of the product with the same threads;
warp, resizing, softmax and traffic count as time, not as work. ``drive`` is the flow of a car going straight: growing
from the centre, 16x16 blocks, quarter pixels, one block in ten wrong. ``still`` is zero flow. ``torn`` has a random
vector of about 4 pixels in every block: worse than any video.

Predictions. Before the kernel was written: its two attention loops do 21 products for 10 loads with all sums in
registers and should reach 85 % of the rate of products, the whole 55 to 65 %. Before the comparison was first run: the
unfold formulation, which writes and reads 49 copies of keys and values, is ten times slower.

What came out (one thread, see the record): 21 to 36 %, half of what was predicted; unfold is 80 to 95 times slower.
Parts timed alone, outside this record, say why. Similarity reaches nine tenths of the rate while its keys stay in the
first-level cache, but 60 to 65 % from the second level and 30 to 45 % with 512 channels, whose rows fill the third;
weighted sums 50 and 35 %. What does not count as work takes a quarter (512 channels) to two fifths of the time: warp,
resizing, softmax, copying the result, waiting for memory.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from edge_arseg.bench.record import record_now, write_record
from edge_arseg.runtime.kernels.numba_fuse import FusionKernel, FusionShapes
from edge_arseg.spec.weights import FusionWeights

RECORD = Path(__file__).parent / "results/fusion_kernel.json"
SIDE = 1024
SHAPES = {
    "psp18 720x960": FusionShapes(64, (720, 960), (360, 480), (180, 240), 720),
    "bise18 720x960": FusionShapes(256, (90, 120), (45, 60), (180, 240), 720),
    "psp18 1024x2048": FusionShapes(512, (128, 256), (64, 128), (256, 512), 1024),
    "bise18 1024x2048": FusionShapes(256, (128, 256), (64, 128), (256, 512), 1024),
}
UNFOLDED = "bise18 720x960"  # the others would need up to 17 GB


def flow_of(kind: str, shapes: FusionShapes, rng: np.random.Generator) -> np.ndarray:
    """Flow ``[Hg, Wg, 2]`` in luma pixels, cells of 4 pixels."""
    height, width = shapes.flow
    y, x = np.mgrid[0 : height // 4 + 1, 0 : width // 4 + 1]
    blocks = np.zeros((*y.shape, 2))
    if kind == "drive":
        blocks = 0.48 * np.stack([x - width / 8, y - height / 8], -1)
        blocks += rng.normal(0, 4, blocks.shape) * (rng.random((*y.shape, 1)) < 0.1)
    elif kind == "torn":
        blocks = rng.normal(0, 4, blocks.shape)
    cells = np.repeat(np.repeat(np.round(blocks * 4) / 4, 4, 0), 4, 1)
    return np.ascontiguousarray(cells[:height, :width], dtype=np.float32)


def unfold_fusion(
    key: torch.Tensor, flow: torch.Tensor, lr: torch.Tensor, weights: FusionWeights, frame_height: int
) -> torch.Tensor:
    """Fuse as one writes it in PyTorch: warp, convolve, unfold keys and values, softmax, weighted sum; float32."""
    _, channels, height, width = key.shape

    def depthwise(feature: torch.Tensor, name: str) -> torch.Tensor:
        weight, bias = (torch.from_numpy(getattr(weights, f"{name}_{part}")) for part in ("weight", "bias"))
        return F.conv2d(feature, weight, bias, padding=1, groups=channels)

    moved = F.interpolate(flow.permute(2, 0, 1)[None] * (height / frame_height), (height, width), mode="bilinear")[0]
    x = 2 * (torch.arange(width)[None, :] + moved[0]) / (width - 1) - 1
    y = 2 * (torch.arange(height)[:, None] + moved[1]) / (height - 1) - 1
    warped = F.grid_sample(key, torch.stack((x, y), -1)[None], align_corners=False)
    base = F.interpolate(lr, (height, width), mode="bilinear", align_corners=True)
    query = depthwise(base, "query").reshape(1, channels, 1, height, width)
    near_keys = F.unfold(depthwise(warped, "key"), 7, padding=3).reshape(1, channels, 49, height, width)
    attention = (query * near_keys).sum(1).softmax(1)
    near_values = F.unfold(depthwise(warped, "value"), 7, padding=3).reshape(1, channels, 49, height, width)
    return base + (attention[:, None] * near_values).sum(2)


def seconds(work: Callable[[], object], clock: Callable[[], float]) -> float:
    start = clock()
    work()
    return clock() - start


def measured(name: str, kind: str, threads: int, runs: int) -> dict[str, float]:
    """Measure one shape, flow and number of threads."""
    torch.set_num_threads(threads)
    shapes = SHAPES[name]
    rng = np.random.default_rng(0)
    key = rng.standard_normal((shapes.channels, *shapes.feature), np.float32)
    lr = rng.standard_normal((shapes.channels, *shapes.lr_feature), np.float32)
    flow = flow_of(kind, shapes, rng)
    parts = [(shapes.channels, 1, 3, 3), (shapes.channels,)] * 3
    weights = FusionWeights(*(rng.normal(0, 0.05, shape).astype(np.float32) for shape in parts))
    kernel = FusionKernel(shapes, weights, threads)
    out = np.empty_like(key)
    a, b = torch.rand(SIDE, SIDE), torch.rand(SIDE, SIDE)
    product = torch.empty(SIDE, SIDE)
    works = {
        "kernel": lambda: kernel.run(key, flow, lr, out),
        "product": lambda: torch.mm(a, b, out=product),
    }
    if name == UNFOLDED and kind == "drive":
        tensors = torch.from_numpy(key)[None], torch.from_numpy(flow), torch.from_numpy(lr)[None]
        works["unfold"] = lambda: unfold_fusion(*tensors, weights, shapes.frame_height)
    times: dict[str, list[float]] = {work: [] for work in works}
    with torch.inference_mode():
        for run in range(runs + 2):
            for work, call in works.items():
                taken = seconds(call, time.thread_time if threads == 1 else time.perf_counter)
                if run >= 2:
                    times[work].append(taken)
    macs = shapes.attention_macs + shapes.depthwise_macs
    shares = [macs / t / (SIDE**3 / p) for t, p in zip(times["kernel"], times["product"], strict=True)]
    values = {
        "kernel_ms": 1e3 * statistics.median(times["kernel"]),
        "kernel_gmacs_per_s": macs / statistics.median(times["kernel"]) / 1e9,
        "product_gmacs_per_s": SIDE**3 / statistics.median(times["product"]) / 1e9,
        "share_of_product": statistics.median(shares),
        "kernel_memory_mb": kernel.nbytes / 1e6,
    }
    if "unfold" in times:
        values["unfold_ms"] = 1e3 * statistics.median(times["unfold"])
        ratios = [u / t for u, t in zip(times["unfold"], times["kernel"], strict=True)]
        values["unfold_over_kernel"] = statistics.median(ratios)
    return values


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    values: dict[str, dict[str, float]] = {}
    for name in SHAPES:
        for threads in (1, 2):
            for kind in ("still", "drive", "torn"):
                row = measured(name, kind, threads, runs if name.startswith("psp18 7") else 2 * runs)
                values[f"{name}, {kind}, {threads} threads"] = row
                more = f"  unfold x{row['unfold_over_kernel']:.1f}" if "unfold_over_kernel" in row else ""
                print(
                    f"{name:17s} {kind:6s} {threads} threads {row['kernel_ms']:7.1f} ms "
                    f"{row['kernel_gmacs_per_s']:6.1f} of {row['product_gmacs_per_s']:6.1f} GMAC/s "
                    f"= {row['share_of_product']:.0%}{more}",
                    flush=True,
                )
    settings = {"runs": runs, "product": f"{SIDE}^3 float32, torch", "cell": 4}
    write_record(record_now("fusion_kernel", settings=settings, values=values), RECORD)
    return 0


if __name__ == "__main__":
    sys.exit(main())
