#!/usr/bin/env python3
"""Measure what a smaller window of the fusion's attention costs in mIoU and saves in time.

usage: python benchmarks/windows.py --clip 'images://.../val/images/*.png?rate=15' --labels .../val/labels

Each window is cut out of the bundle's own: the position bias of the places around it is so low that they weigh
nothing. A bundle with a window of 3x3 has nothing to cut out. All else is the same: engines, and the
decoded frames of all phases of a GOP. Times are of the fusion kernel alone, the windows in turn, each made for its
size.

Prediction, from the position bias of the model that was shipped with a window of 7x7, 6 below the centre beside it and
10 two pixels away: 3x3 costs
next to nothing in mIoU, and as the attention has 0.18 of the products, the kernel takes 0.4 of the time.

What came out: 0.06 points, and 0.7 of the time (see the record): what is left is warp, resizing and convolutions.
"""

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from edge_arseg.bench.record import record_now, write_record
from edge_arseg.evaluation.clip_scores import ClipOptions, scores_from_clip
from edge_arseg.runtime.bundles.reading import Bundle, read_bundle
from edge_arseg.runtime.bundles.zoo import bundle_path
from edge_arseg.runtime.choice.engine_choice import unproved
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.kernels.numba_fuse import FusionKernel
from edge_arseg.runtime.mode import Mode
from edge_arseg.spec.model import WINDOWS
from edge_arseg.spec.weights import FusionShapes, FusionWeights

RECORD = Path(__file__).parent / "results/windows.json"
RATE = 1_000_000


def narrowed(weights: FusionWeights, window: int) -> FusionWeights:
    """Return the weights for a smaller window, its position bias cut out."""
    margin = (weights.window - window) // 2
    square = weights.position_bias.reshape(weights.window, weights.window)
    inner = square[margin : margin + window, margin : margin + window]
    return replace(weights, position_bias=np.ascontiguousarray(inner).reshape(-1))


@dataclass(frozen=True, slots=True)
class Narrowed(Bundle):
    """A bundle whose fusion sees a smaller window."""

    window: int

    def fusion_weights(self) -> FusionWeights:
        weights = Bundle.fusion_weights(self)
        return replace(weights, position_bias=narrowed(weights, self.window).position_bias_in(weights.window))


def accuracy(bundle: Bundle, clip: str, labels: Path, windows: Sequence[int], threads: int) -> dict[int, Any]:
    """Return mIoU, in per cent, and that at each distance, for each window."""
    found = {}
    options = ClipOptions(modes=(Mode.AR,), phases=tuple(range(bundle.manifest.gop)), encode_bitrate=RATE)
    for window in windows:
        smaller = Narrowed(bundle.path, bundle.manifest, bundle.digest, window)
        choice = unproved(smaller, EngineOptions("kernel", "onnxruntime", threads))
        (scores,) = scores_from_clip(choice, clip, labels, options).modes.values()
        found[window] = {"miou": scores.miou, "by_distance": list(scores.by_distance)}
        print(window, found[window]["miou"], flush=True)
    return found


def times(bundle: Bundle, windows: Sequence[int], threads: int, rounds: int) -> dict[int, list[float]]:
    """Return milliseconds of the kernel for each window, in turn, on features and flow of noise."""
    whole, rng = FusionShapes.of(bundle.manifest), np.random.default_rng(0)
    shapes = {window: replace(whole, window=window) for window in windows}
    weights = bundle.fusion_weights()
    kernels = {window: FusionKernel(shapes[window], narrowed(weights, window), threads) for window in windows}
    key = rng.standard_normal((whole.channels, *whole.feature)).astype(np.float32)
    lr = rng.standard_normal((whole.channels, *whole.lr_feature)).astype(np.float32)
    cells = rng.standard_normal((-(-whole.flow[0] // 8), -(-whole.flow[1] // 8), 2)) * 4
    flow = cells.repeat(8, 0).repeat(8, 1)[: whole.flow[0], : whole.flow[1]].astype(np.float32)
    taken: dict[int, list[float]] = {window: [] for window in windows}
    out = np.empty_like(key)
    for i in range(rounds + 20):
        for window, kernel in kernels.items():
            start = time.perf_counter()
            kernel.run(key, np.ascontiguousarray(flow), lr, out)
            if i >= 20:
                taken[window].append(1e3 * (time.perf_counter() - start))
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clip", required=True, help="labelled clip, as `edge-arseg eval` takes it")
    parser.add_argument("--labels", required=True, type=Path)
    parser.add_argument("-b", "--bundle", default="camvid-compact-360x480-int8")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--record", type=Path, default=RECORD)
    chosen = parser.parse_args()
    bundle = read_bundle(bundle_path(chosen.bundle))
    windows = [window for window in reversed(WINDOWS) if window <= bundle.manifest.model.window]
    taken = {threads: times(bundle, windows, threads, chosen.rounds) for threads in {1, chosen.threads}}
    scores = accuracy(bundle, chosen.clip, chosen.labels, windows, chosen.threads)
    shapes = FusionShapes.of(bundle.manifest)
    values = {
        f"{window}x{window}": {
            **scores[window],
            "attention_mmac": replace(shapes, window=window).attention_macs / 1e6,
            "ms": {f"{threads} threads": statistics.median(taken[threads][window]) for threads in taken},
        }
        for window in windows
    }
    settings = {
        "bundle": bundle.manifest.name, "digest": bundle.digest, "threads": chosen.threads, "rounds": chosen.rounds,
        "encode": RATE, "phases": bundle.manifest.gop, "unit": "per cent",
    }  # fmt: skip
    write_record(record_now("windows", settings=settings, values=values), chosen.record)
    print(json.dumps(values, indent=2))


if __name__ == "__main__":
    main()
