#!/usr/bin/env python3
"""Compile the fusion kernel for the GPU of this machine, check it, time it, and print one table.

usage: python tools/gpu/check_gpu.py [--golden DIR] [--record FILE] [--race-seconds S]

Needs torch with CUDA, and nvcc or NVRTC; nothing else but numpy, no TensorRT, no network. Exits with 1 where a result
is wrong or a race is found, with 3 where there is no GPU. With --record, writes what was measured with its conditions,
after every part: what was measured stays where the rest is cut off. The kernel alone is run here, no engine.

Time is per launch, of 20 launches in a row, median of 15 such rows; inputs alternate so that no cache holds them all.
"memory" is the least traffic over the bandwidth of a copy on this GPU; "plain" and "tensor" are the kernel's
multiply-accumulates over the rates of torch's float32 and float16 matrix products here. The largest is the bound.
"""

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import numpy as np
import torch
from support.golden import fusion_reference as reference
from support.golden.fusion import FRAME_HEIGHT, GOLDEN, VARIANTS, difference, golden_case

from edge_arseg.runtime.kernels.cuda.launch_plan import LaunchPlan, Storage, plan_from_shapes
from edge_arseg.spec.weights import FusionShapes
from tools.gpu.launcher import Gpu
from tools.gpu.race_checks import races
from tools.gpu.rivals import TorchFusion
from tools.gpu.roofline import Rates, bounds_ms, work_from_plan

TIMED = {
    "psp18 64x720x960": FusionShapes(64, (720, 960), (360, 480), (180, 240), 720),
    "bise18 256x90x120": FusionShapes(256, (90, 120), (45, 60), (180, 240), 720),
    "compact 64x90x120": FusionShapes(64, (90, 120), (45, 60), (180, 240), 720),
    "psp18 512x128x256": FusionShapes(512, (128, 256), (64, 128), (256, 512), 1024),
}
CHECKED = {
    "smallest": FusionShapes(1, (2, 2), (1, 1), (1, 1), 2),
    "odd": FusionShapes(35, (67, 93), (31, 40), (17, 24), 268),
    "coarse flow": FusionShapes(64, (96, 130), (48, 65), (3, 2), 96),
    "compact": FusionShapes(64, (90, 120), (45, 60), (180, 240), 720),
}
BOUND = {Storage.EXACT: 3e-5, Storage.MIXED: 4e-3, Storage.HALF: 4e-3}
LAUNCHES, ROWS = 20, 15
RACED = ("smallest", "odd")
"""Shapes with every kind of edge; a race checker is a hundred times slower than the kernel."""
DEVICE = "cuda"


def plans_of(shapes: FusionShapes, gpu: Gpu) -> list[LaunchPlan]:
    """Every entry that this GPU has room for."""
    plans = []
    for storage in Storage:
        for height in storage.tile_heights:
            try:
                plans.append(plan_from_shapes(shapes, storage, gpu.limits, tile_height=height))
            except Exception as error:
                print(f"  left out: {storage.value} {height}: {error}")
    return plans


def check_random(gpu: Gpu, names: Iterable[str] | None = None) -> bool:
    """Compare every entry with the oracle, on shapes with edges; all of them unless some are named."""
    good = True
    for name in names or CHECKED:
        shapes = CHECKED[name]
        rng = np.random.default_rng(5)
        key, lr = (
            rng.normal(size=(shapes.channels, *size)).astype(np.float16).astype(np.float32)
            for size in (shapes.feature, shapes.lr_feature)
        )
        flow = rng.normal(size=(*shapes.flow, 2)).astype(np.float32) * 4
        weights = reference.random_weights(rng, shapes.channels, gain=0.15)
        # stronger than convolutions', so that a kernel that forgets it or puts it elsewhere is far off
        weights = replace(weights, position_bias=rng.normal(0, 2, 49).astype(np.float32))
        expected = reference.fuse(key, flow, lr, weights, shapes.frame_height)
        for plan in plans_of(shapes, gpu):
            good &= told(name, plan, difference(gpu.kernel(plan, weights).fuse(key, flow, lr), expected))
    return good


def check_golden(gpu: Gpu, folder: Path) -> bool | None:
    """Compare every entry with what the reference implementation computed; ``None`` where its files are not there."""
    if not folder.is_dir():
        print(f"golden files: none in {folder}, not checked")
        return None
    good = True
    for variant in VARIANTS:
        case, weights = golden_case(variant, folder)
        key, flow, lr = case["hr_feature"], case["flow"], case["lr_feature"]
        shapes = FusionShapes(key.shape[0], key.shape[1:], lr.shape[1:], flow.shape[:2], FRAME_HEIGHT)
        expected = reference.fuse(key, flow, lr, weights, FRAME_HEIGHT)
        for plan in plans_of(shapes, gpu):
            fused = gpu.kernel(plan, weights).fuse(key, flow, lr)
            good &= told(variant, plan, difference(fused, expected))
            stored = difference(fused, case["fused_feature"])  # as float16
            if not stored < 4e-3:
                print(f"  {variant}: {plan.entry} is {stored:.1e} from what the reference stored: WRONG")
                good = False
    return good


def told(name: str, plan: LaunchPlan, error: float) -> bool:
    passed = error < BOUND[plan.storage]  # false for "not a number"
    print(f"  {name:18s} {plan.entry:14s} {error:8.1e}  {'ok' if passed else 'WRONG'}", flush=True)
    return passed


def milliseconds(work: Callable[[int], object]) -> float:
    """Median time of one call; ``work`` gets a running number."""
    for i in range(LAUNCHES):
        work(i)
    times = []
    for _ in range(ROWS):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        for i in range(LAUNCHES):
            work(i)
        end.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(end) / LAUNCHES)
    return statistics.median(times)


def rates_here() -> Rates:
    """Measure what this GPU copies and multiplies."""
    source = torch.empty(256 << 20, dtype=torch.uint8, device=DEVICE)
    target = torch.empty_like(source)
    copied = milliseconds(lambda i: target.copy_(source))
    torch.backends.cuda.matmul.allow_tf32 = False
    products = []
    for kind in (torch.float32, torch.float16):
        a, b = (torch.randn(4096, 4096, device=DEVICE, dtype=kind) for _ in range(2))
        products.append(4096**3 / (1e-3 * milliseconds(lambda i, a=a, b=b: a @ b)))
    return Rates(2 * source.nbytes / (1e-3 * copied), *products)


def timed(gpu: Gpu, name: str, rates: Rates) -> dict[str, Any]:
    """Time one shape: each entry for halves, and PyTorch."""
    shapes = TIMED[name]
    rng = np.random.default_rng(0)
    weights = reference.random_weights(rng, shapes.channels, gain=0.05)
    cells = rng.normal(0, 3, (shapes.flow[0] // 4 + 1, shapes.flow[1] // 4 + 1, 2))
    flow = np.repeat(np.repeat(np.round(cells * 4) / 4, 4, 0), 4, 1)[: shapes.flow[0], : shapes.flow[1]]
    flow_there = torch.from_numpy(np.ascontiguousarray(flow, dtype=np.float32)).to(DEVICE)
    set_bytes = 2 * shapes.channels * (2 * np.prod(shapes.feature) + np.prod(shapes.lr_feature))
    sets = [
        tuple(
            torch.randn(1, shapes.channels, *size, device=DEVICE, dtype=torch.float16)
            for size in (shapes.feature, shapes.lr_feature, shapes.feature)
        )
        for _ in range(max(2, min(40, int(400e6 // set_bytes))))
    ]
    row: dict[str, Any] = {}
    for plan in plans_of(shapes, gpu):
        if plan.storage is not Storage.HALF:
            continue
        kernel = gpu.kernel(plan, weights)

        def launch(i: int, kernel=kernel) -> None:
            key, lr, out = sets[i % len(sets)]
            kernel.run(key, flow_there, lr, out)

        taken = milliseconds(launch)
        bounds = bounds_ms(work_from_plan(plan), rates)
        bound = max(bounds, key=bounds.__getitem__)
        row[plan.entry] = {
            "ms": taken,
            **{f"{part.replace(' ', '_')}_ms": value for part, value in bounds.items()},
            "bound_by": bound,
            "share_of_memory_bound": bounds["memory"] / taken,
            "share_of_bound": bounds[bound] / taken,
        }
    module = TorchFusion(weights, shapes.feature[0] / shapes.frame_height, torch.float16, DEVICE)
    torch._dynamo.reset()  # else the second shape is compiled for any shape, and is slower than it need be
    for rival, call in (("eager", module), ("compiled", torch.compile(module, dynamic=False))):

        def fuse(i: int, call=call) -> None:
            key, lr, _ = sets[i % len(sets)]
            call(key, flow_there, lr)

        row[f"torch_{rival}_ms"] = None
        try:
            with torch.inference_mode():
                row[f"torch_{rival}_ms"] = milliseconds(fuse)
        except Exception as error:  # out of memory, or nothing for torch.compile to compile with: the rest counts
            print(f"  torch {rival} on {name}: {type(error).__name__}: {str(error)[:200]}")
    return row


def print_table(rows: dict[str, dict[str, Any]]) -> None:
    heads = ("ms", "memory", "plain", "tensor", "of mem", "of bound")
    print(f"\n{'shape':18s} {'entry':17s} " + " ".join(f"{head:>8s}" for head in heads) + "  bound by")
    for name, row in rows.items():
        for entry, value in row.items():
            if not isinstance(value, dict):
                print(f"{name:18s} {entry:17s} " + (f"{value:8.3f}" if value else "  failed"))
                continue
            times = (value["ms"], value["memory_ms"], value["plain_cores_ms"], value["tensor_cores_ms"])
            shares = (value["share_of_memory_bound"], value["share_of_bound"])
            cells = [f"{part:8.3f}" for part in times] + [f"{share:8.0%}" for share in shares]
            print(f"{name:18s} {entry:17s} {' '.join(cells)}  {value['bound_by']}")


def record_of(gpu: Gpu, rates: Rates | None, values: dict[str, Any]) -> dict[str, Any]:
    """What was measured, with its conditions."""
    conditions: dict[str, Any] = {
        "gpu": gpu.name, "sm": gpu.sm, "sm_count": gpu.limits.sm_count, "compiler": gpu.compiler,
        "torch": torch.__version__, "cuda": torch.version.cuda, "machine": platform.machine(),
    }  # fmt: skip
    if rates is not None:
        conditions["copy_gb_per_s"] = rates.bytes_per_s / 1e9
        conditions["float32_tmacs"] = rates.plain_macs_per_s / 1e12
        conditions["float16_tmacs"] = rates.tensor_macs_per_s / 1e12
    return {
        "name": "gpu_fusion",
        "taken": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "conditions": conditions,
        "settings": {"launches": LAUNCHES, "rows": ROWS, "flow": "4x4 cells, quarter pixels, sigma 3"},
        "values": values,
    }


def measure(gpu: Gpu, options: argparse.Namespace) -> bool:
    """Check, time, look for races; the record grows with every part. Returns whether all of it is right."""
    values: dict[str, Any] = {}
    rates = None

    def keep(**more: Any) -> None:
        values.update(more)
        if options.record:
            options.record.write_text(json.dumps(record_of(gpu, rates, values), indent=2) + "\n")

    right, golden = check_random(gpu), check_golden(gpu, options.golden)
    keep(
        parity=right,
        golden_parity="not checked: no files of the reference" if golden is None else golden,
        races="not run yet",
        engines="not run",
        times={},
    )
    rates = rates_here()
    print(
        f"copy {rates.bytes_per_s / 1e9:.0f} GB/s, float32 products {rates.plain_macs_per_s / 1e12:.1f} TMAC/s, "
        f"float16 products {rates.tensor_macs_per_s / 1e12:.1f} TMAC/s"
    )
    rows: dict[str, dict[str, Any]] = {}
    for name in TIMED:
        rows[name] = timed(gpu, name, rates)
        keep(times=rows)
    print_table(rows)
    raced = races(gpu.cubin, Path(__file__), options.race_seconds)
    print(raced)
    keep(races=raced)
    return right and golden is not False and "FAILED" not in raced


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--golden", type=Path, default=GOLDEN)
    parser.add_argument("--record", type=Path)
    parser.add_argument("--race-seconds", type=float, default=120.0)
    parser.add_argument("--check-cubin", type=Path, help=argparse.SUPPRESS)  # what the race checker runs
    options = parser.parse_args(arguments)
    if not torch.cuda.is_available():
        print("not run: torch sees no NVIDIA GPU on this machine")
        return 3
    if options.check_cubin:
        return 0 if check_random(Gpu(options.check_cubin), RACED) else 1
    start = time.monotonic()
    gpu = Gpu()
    print(f"{gpu.name}, sm_{gpu.sm}, {gpu.limits.sm_count} multiprocessors, {gpu.compiler}, torch {torch.__version__}")
    spilled = [entry for entry, found in gpu.resources.items() if found.spill_bytes]
    print(f"compiled in {time.monotonic() - start:.0f} s; entries with spills: {', '.join(spilled) or 'none'}")
    return 0 if measure(gpu, options) else 1


if __name__ == "__main__":
    sys.exit(main())
