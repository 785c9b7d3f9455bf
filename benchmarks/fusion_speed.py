#!/usr/bin/env python3
"""Compare whole AR frames, and the fusion in them, with those of another checkout.

usage: python benchmarks/fusion_speed.py --against CHECKOUT [--models NAME,...] [--backends NAME,...] [--rounds 5]

Each round measures every model and backend in both checkouts in turn, A B A B, each time in a fresh process that has
the checkout alone on its path and opens its own bundle of that name: those of the package, and those that
``bench_cpu.py`` makes (bise18, bise18-int8, psp18 with random weights; the first time takes minutes). A process runs
bursts of AR frames (the stream's own vectors, next frame read ahead), of HR-only frames, and a product of matrices, in
turn; a round gives medians over its bursts, and a number is the median over rounds.

A frame's mean is weighted by the GOP; a sink of JSON lines is in it. ``share`` is how much of the speed-up over HR-only
that the multiply-accumulates promise is there. ``of_product`` is the fusion's and the head's rate of
multiply-accumulates over that of a 1024^3 float32 product with as many threads, and ``outside`` the share of a frame
that is in neither network. Targets: those of the shipped model in int8, see ``TARGETS``.

Predictions, written down before the first quiet run: fusion with head of the shipped model 1.2 ms where it was 2.8, of
bise18 7 ms where it was 19; mean frame of the shipped int8 model 1.35 times faster on ONNX Runtime.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from checkouts import revision

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # torch's threads would spin into the next measurement

HERE = Path(__file__).resolve().parents[1]
RECORD = HERE / "benchmarks/results/fusion_speed.json"
MODELS = ("camvid-compact-360x480", "camvid-compact-360x480-int8", "bise18", "bise18-int8")
BACKENDS = ("onnxruntime", "openvino")
THREADS, CLIP_FRAMES = 2, 60
NETWORKS = ("hr", "lr")
TARGETS = {
    "camvid-compact-360x480-int8": {"faster": 1.5, "share": 0.80, "of_product": 0.45, "outside": 0.20},
    "bise18-int8": {"share": 0.85, "of_product": 0.45},
    "bise18": {"share": 0.95, "of_product": 0.45},
    "camvid-compact-360x480": {"of_product": 0.45},
}
"""At least; ``outside`` at most."""

Stages = dict[str, float]


def probed(name: str, backend: str, bursts: int) -> dict[str, Any]:
    """Measure one model in this process, which has one checkout on its path; ``bench_cpu`` is that checkout's."""
    sys.path.remove(str(Path(__file__).resolve().parent))  # the other checkout has a bench_cpu too
    import bench_cpu
    import numpy as np
    import torch

    bench_cpu.BUILD = HERE / "build/fusion_speed" / revision(Path(bench_cpu.__file__).parents[1])
    segmenter_of, write_street = bench_cpu.Segmenter, bench_cpu.write_street
    torch.set_num_threads(THREADS)
    _, bundle = bench_cpu.network_and_bundle(name)
    manifest = bundle.manifest
    key = manifest.graphs[bench_cpu.Role.FUSE].inputs[bench_cpu.names.KEY_FEATURE].shape
    places = int(np.prod(key))
    window = getattr(manifest.model, "window", 7)  # the other checkout may know none
    macs = places * (2 * window**2 + 27 + len(manifest.model.classes))
    frames: dict[str, list[Stages]] = defaultdict(list)
    product_s: list[float] = []
    a, b, out = torch.rand(1024, 1024), torch.rand(1024, 1024), torch.empty(1024, 1024)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        clip = folder / "street.mp4"
        write_street(clip, size=(manifest.height, manifest.width), count=CLIP_FRAMES, gop=manifest.gop)
        segmenter = stack.enter_context(segmenter_of(bundle, backend=backend, threads=THREADS, **_unchecked(name)))
        whole = bench_cpu.Whole(segmenter, clip, folder)
        stack.callback(whole.sink.close)
        stack.callback(whole.overlay.close)
        for number in range(bursts + 1):
            ar = list(whole.burst(manifest.gop, motion="codec", ahead=1, interval=manifest.gop))
            hr = list(whole.burst(6, motion="zero", ahead=1, interval=1))
            start = time.perf_counter()
            torch.mm(a, b, out=out)
            if number:  # the first burst warms up
                frames["key"] += [frame for frame in ar if not frame["distance"]]
                frames["between"] += [frame for frame in ar if frame["distance"]]
                frames["only"] += hr
                product_s.append(time.perf_counter() - start)
    medians = {kind: _medians(some) for kind, some in frames.items()}
    cost = manifest.cost
    return {
        "stages_ms": medians,
        "fusion_macs": macs,
        "product_macs_per_s": 1024**3 / statistics.median(product_s),
        "promised": cost.hr_macs / cost.mean_macs(manifest.gop),
        "gop": manifest.gop,
        "label": segmenter.pipeline.label,
    }


def _unchecked(name: str) -> dict[str, bool]:
    """Random weights have classes that are decided by the last bit: there is nothing to check."""
    return {} if name.startswith("camvid") else {"unchecked": True}


def _medians(frames: list[Stages]) -> Stages:
    names = {name for frame in frames for name in frame} - {"distance"}
    return {name: statistics.median(frame.get(name, 0.0) for frame in frames) for name in sorted(names)}


def summed_up(probe: dict[str, Any]) -> dict[str, float]:
    """Work out the numbers of one process."""
    key, between, only = (probe["stages_ms"][kind] for kind in ("key", "between", "only"))
    gop = probe["gop"]

    def weighted(part: Callable[[Stages], float]) -> float:
        return (part(key) + (gop - 1) * part(between)) / gop

    mean, hr_only = weighted(lambda stages: sum(stages.values())), sum(only.values())
    fusion = between["fuse"] + between.get("head", 0.0)
    networks = weighted(lambda stages: sum(stages.get(name, 0.0) for name in NETWORKS))
    return {
        "mean_ms": mean,
        "between_ms": sum(between.values()),
        "lr_ms": between["lr"],
        "fusion_ms": fusion,
        "hr_only_ms": hr_only,
        "share": hr_only / mean / probe["promised"],
        "of_product": 1e3 * probe["fusion_macs"] / fusion / probe["product_macs_per_s"],
        "outside": 1 - networks / mean,
    }


def in_process(tree: Path, name: str, backend: str, bursts: int) -> dict[str, Any]:
    """Return what ``probed`` finds in a process with a checkout of its own."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tree), str(tree / "benchmarks")])}
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "found.json"
        command = [sys.executable, __file__, "--probe", str(found), "--models", name, "--backends", backend]
        command += ["--bursts", str(bursts)]
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{tree}: {name} on {backend}: exit {done.returncode}\n{done.stderr[-2000:]}")
        return json.loads(found.read_text())  # type: ignore[no-any-return]


def table_of(rounds: dict[str, dict[str, list[dict[str, float]]]]) -> dict[str, dict[str, Any]]:
    """Return for each model and backend the medians in both checkouts, how much faster, and the targets met."""
    table = {}
    for case, by_tree in rounds.items():
        medians = {
            tree: {name: statistics.median(row[name] for row in rows) for name in rows[0]}
            for tree, rows in by_tree.items()
        }
        pairs = list(zip(by_tree["there"], by_tree["here"], strict=True))
        ratios = [there["mean_ms"] / here["mean_ms"] for there, here in pairs]
        fusion = [there["fusion_ms"] / here["fusion_ms"] for there, here in pairs]
        found = {**medians["here"], "faster": statistics.median(ratios)}
        wanted = TARGETS.get(case.partition(" on ")[0], {})
        met = {name: (found[name] <= limit) == (name == "outside") for name, limit in wanted.items()}
        table[case] = {
            **medians, "faster": found["faster"], "faster_of_rounds": [min(ratios), max(ratios)],
            "fusion_faster": statistics.median(fusion), "targets": wanted, "met": met,
        }  # fmt: skip
    return table


def main() -> None:
    """Take the rounds, print a table, and keep a record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", type=Path, help="checkout to compare with")
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--backends", default=",".join(BACKENDS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bursts", type=int, default=6, help="bursts that count, in a process")
    parser.add_argument("--record", type=Path, default=RECORD)
    parser.add_argument("--probe", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.probe:
        chosen.probe.write_text(json.dumps(probed(chosen.models, chosen.backends, chosen.bursts)))
        return
    if chosen.against is None:
        parser.error("--against names the checkout to compare with")
    trees = {"there": chosen.against.resolve(), "here": HERE}
    rounds: dict[str, dict[str, list[dict[str, float]]]] = {}
    stages: dict[str, dict[str, list[Any]]] = {}
    for number in range(chosen.rounds):
        for name in chosen.models.split(","):
            for backend in chosen.backends.split(","):
                case = f"{name} on {backend}"
                for tree, path in trees.items():
                    probe = in_process(path, name, backend, chosen.bursts)
                    rounds.setdefault(case, {}).setdefault(tree, []).append(summed_up(probe))
                    stages.setdefault(case, {}).setdefault(tree, []).append(probe["stages_ms"])
                there, here = (rounds[case][tree][-1] for tree in trees)
                print(
                    f"{number + 1} {case:42} mean {there['mean_ms']:7.2f} -> {here['mean_ms']:7.2f}  "
                    f"fusion {there['fusion_ms']:6.2f} -> {here['fusion_ms']:6.2f}  share {there['share']:.2f} -> "
                    f"{here['share']:.2f}  outside {there['outside']:.0%} -> {here['outside']:.0%}",
                    flush=True,
                )
    table = table_of(rounds)
    for case, row in table.items():
        print(f"{case:42} x{row['faster']:.2f}, fusion x{row['fusion_faster']:.2f}; met: {row['met']}")
    from edge_arseg.bench.record import record_now, write_record

    settings = {
        "rounds": chosen.rounds, "bursts": chosen.bursts, "threads": THREADS, "clip": "street, x264",
        **{name: revision(tree) for name, tree in trees.items()},
    }  # fmt: skip
    values = {"table": table, "rounds": rounds, "stages_ms": stages}
    write_record(record_now("fusion_speed", settings=settings, values=values), chosen.record)


if __name__ == "__main__":
    main()
