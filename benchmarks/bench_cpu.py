#!/usr/bin/env python3
"""Measure whole frames on the CPU: AR against HR-only, against eager PyTorch, and what is not in the networks.

usage: python benchmarks/bench_cpu.py [--models psp18,bise18,...] [--rounds N] [--again] [--page]    (make bench-cpu)

Everything of one model runs side by side in one process, in rounds: a burst of frames each way, one way after the
other, then the next round. Numbers are medians over all rounds; the first round does not count. A model that is in the
record already, with the same bundle, settings and machine, is not measured again without --again, so an interrupted run
goes on where it was. --page only writes docs/benchmarks_cpu.md from the record.

Ways: ``ar`` (recoded motion, next frame read ahead), ``alone`` (the same without reading ahead), ``codec`` (the
stream's own vectors), ``hr`` (every frame a keyframe, on the same HR engine, without motion), eager PyTorch with the
same network and threads, and the fusion with its decoding alone: kernels, ``fuse`` graph, PyTorch's ``unfold``. Random
weights, except for the bundles of the package: speed does not depend on them. bise18-int8 is bise18 with both branches
quantized by the street recipe.

Predictions, written down before the first run: psp18 realises 0.93 of what its MACs promise, bise18 0.85, because its
fusion and reading take a larger share; reading ahead saves half of the reading on two cores, all of it on four.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # torch's threads would spin into the next measurement

import numpy as np
import torch
from cpu_page import GOP, PAGE, RECORD, page_from_record, read_record, values_beside
from fusion_kernel import SIDE, unfold_fusion

from edge_arseg.bench.record import record_now, write_record
from edge_arseg.compiler.export.export import bundle_from_network
from edge_arseg.compiler.export.settings import ExportSettings
from edge_arseg.compiler.quantize.quantize import quantize_bundle
from edge_arseg.errors import BundleError
from edge_arseg.motion.keyframe import KeyframePolicy
from edge_arseg.network.network import Network
from edge_arseg.network.variants import VARIANTS
from edge_arseg.runtime.bundles.reading import SUFFIX, Bundle, read_bundle
from edge_arseg.runtime.bundles.zoo import ZOO
from edge_arseg.runtime.engines.opening import engines_from_bundle
from edge_arseg.runtime.fusion.cpu import CpuKernelFusion
from edge_arseg.runtime.fusion.graph import GraphFusion
from edge_arseg.runtime.kernels.numba_fuse import FusionKernel
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.runtime.stages import StageClock
from edge_arseg.spec import tensor as names
from edge_arseg.spec.manifest import Role
from edge_arseg.spec.weights import FusionShapes
from edge_arseg.video.reader import open_video
from edge_arseg.video.sinks import open_sink
from edge_arseg.video.sources.street_clip import write_street

BUILD = Path(__file__).resolve().parents[1] / "build/bench_cpu"
SIZE, LR_SCALE, THREADS, CLIP_FRAMES = (720, 960), 0.5, 2, 72
MODELS = ("psp18", "bise18", "bise18-int8", *(bundle.stem for bundle in sorted(ZOO.glob(f"*{SUFFIX}"))))
BURSTS = defaultdict(lambda: (11, 6, 7), {"psp18": (3, 2, 7), "bise18": (11, 4, 7)})
"""Frames between keyframes in a burst, HR-only frames in a burst, rounds."""
UNFOLD_BYTES = 4 << 30
"""Unfolding makes two copies of 49 features each; beyond this it is left out."""

Times = dict[str, list[float]]


def network_and_bundle(name: str) -> tuple[Network, Bundle]:
    """Return a bundle of the package, or a model with random weights and its bundle, made unless that was done before.

    Raises:
        BundleError: there is no such bundle.
    """
    shipped = ZOO / f"{name}{SUFFIX}"
    if shipped.exists():
        bundle = read_bundle(shipped)
        return Network(bundle.manifest.model).eval(), bundle
    variant, _, int8 = name.partition("-")
    if f"camvid-{variant}" not in VARIANTS or int8 not in ("", "int8"):
        raise BundleError(f"{name}: known are {', '.join(MODELS)}")
    torch.manual_seed(0)
    network = Network(VARIANTS[f"camvid-{variant}"]).eval()
    network.lr_head.load_state_dict(network.hr_head.state_dict())
    path = BUILD / f"{variant}{SUFFIX}"
    if not path.exists():
        print(f"{variant}: exporting", flush=True)
        bundle_from_network(network, ExportSettings(*SIZE, LR_SCALE, GOP), path)
    return network, _int8_bundle(read_bundle(path)) if int8 else read_bundle(path)


def _int8_bundle(bundle: Bundle) -> Bundle:
    path = BUILD / f"{bundle.path.stem}-int8{SUFFIX}"
    if not path.exists():
        print(f"{path.stem}: quantizing", flush=True)
        quantize_bundle(bundle, path)
    return read_bundle(path)


class Whole:
    """Whole frames through one segmenter, in bursts: a keyframe and some frames behind it, or keyframes only."""

    def __init__(self, segmenter: Segmenter, clip: Path, folder: Path):
        self.segmenter, self.clip = segmenter, clip
        classes = segmenter.bundle.manifest.model.classes
        self.sink = open_sink(f"jsonl://{folder}/frames.jsonl", size=segmenter.size, rate=15.0, classes=classes)

    def burst(self, count: int, *, motion: str, ahead: int, interval: int) -> Iterator[dict[str, float]]:
        """Milliseconds of each stage of each frame, the sink's too, and as ``distance`` its place in the GOP."""
        self.segmenter.policy = KeyframePolicy(interval, 1.0)
        with self.segmenter.open(self.clip, motion=motion, ahead=ahead) as reader:
            for number, result in enumerate(self.segmenter.segment(reader)):
                start = time.perf_counter()
                self.sink.write(result)
                stages = {**result.stages_ms, "sink": 1e3 * (time.perf_counter() - start)}
                if number:  # the first frame waits for the file to be opened, or finds itself read already
                    yield {**stages, "distance": result.distance}
                if number == count:
                    return


class Eager:
    """The same network in eager PyTorch, from a frame to its class map."""

    def __init__(self, network: Network, frame: np.ndarray, flow: np.ndarray, lr_scale: float):
        self.network, self.size, self.lr_scale = network, frame.shape[:2], lr_scale
        self.frame, self.flow = torch.from_numpy(frame), torch.from_numpy(flow)
        self.key_feature = network.hr(network.image_from_frame(self.frame))

    def key(self) -> torch.Tensor:
        return self.network.hr_logits(self.frame).argmax(1)

    def between(self) -> torch.Tensor:
        network = self.network
        lr_feature = network.lr(network.lr_image_from_frame(self.frame, self.lr_scale))
        fused = network.fuse(self.key_feature, self.flow, lr_feature, self.size[0])
        return network.lr_head(fused, None, self.size).argmax(1)


def fusions(bundle: Bundle, stack: ExitStack) -> tuple[dict[str, Callable[[], object]], int]:
    """Return the ways to fuse and decode one frame, the kernel alone and a matrix product; and the kernel's MACs."""
    inputs = bundle.manifest.graphs[Role.FUSE].inputs
    rng = np.random.default_rng(0)
    key, lr = (rng.standard_normal(inputs[n].shape, np.float32) for n in (names.KEY_FEATURE, names.LR_FEATURE))
    flow = np.ascontiguousarray(rng.normal(0, 2, inputs[names.FLOW].shape), np.float32)
    engine = stack.enter_context(engines_from_bundle(bundle, [Role.FUSE], threads=THREADS))[Role.FUSE]
    kernel, graph, clock = CpuKernelFusion(bundle, threads=THREADS), GraphFusion(engine), StageClock()
    shapes = FusionShapes.of(bundle.manifest)
    weights = bundle.fusion_weights()
    alone, out = FusionKernel(shapes, weights, THREADS), np.empty_like(key)
    a, b, product = torch.rand(SIDE, SIDE), torch.rand(SIDE, SIDE), torch.empty(SIDE, SIDE)
    ways: dict[str, Callable[[], object]] = {
        "kernel": lambda: kernel.class_map(key, flow, lr, clock),
        "graph": lambda: graph.class_map(key, flow, lr, clock),
        "fusion alone": lambda: alone.run(key, flow, lr, out),
        "product": lambda: torch.mm(a, b, out=product),
    }
    if 2 * 49 * key.nbytes <= UNFOLD_BYTES:
        tensors = torch.from_numpy(key), torch.from_numpy(flow), torch.from_numpy(lr)
        ways["unfold"] = lambda: unfold_fusion(*tensors, weights, bundle.manifest.height)
    return ways, shapes.attention_macs + shapes.depthwise_macs


def measured(name: str, rounds: int | None) -> dict[str, Any]:
    """Measure one model."""
    network, bundle = network_and_bundle(name)
    load_before, (between, hr_frames, own_rounds) = os.getloadavg()[0], BURSTS[name]
    frames: dict[str, list[list[dict[str, float]]]] = defaultdict(list)
    times: Times = defaultdict(list)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        size = bundle.manifest.height, bundle.manifest.width
        clip = folder / "street.mp4"
        write_street(clip, size=size, count=CLIP_FRAMES, gop=GOP)
        segmenter = stack.enter_context(Segmenter(bundle, backend="onnxruntime", threads=THREADS))
        whole = Whole(segmenter, clip, folder)
        stack.callback(whole.sink.close)
        with open_video(clip, size=size) as reader:
            frame = next(reader).rgb
        flow = np.zeros(bundle.manifest.graphs[Role.FUSE].inputs[names.FLOW].shape, np.float32)
        eager = Eager(network, frame, flow, bundle.manifest.lr_scale)
        singles, macs = fusions(bundle, stack)
        singles |= {"eager key": eager.key, "eager between": eager.between}
        burst = between + 1
        for number in range(1 + (rounds or own_rounds)):
            seen = {
                "ar": list(whole.burst(burst, motion="recode", ahead=1, interval=burst)),
                "alone": list(whole.burst(burst, motion="recode", ahead=0, interval=burst)),
                "codec": list(whole.burst(burst, motion="auto", ahead=1, interval=burst)),
                "hr": list(whole.burst(hr_frames, motion="zero", ahead=1, interval=1)),
            }
            for way, work in singles.items():
                start = time.perf_counter()
                work()
                if number:
                    times[way].append(1e3 * (time.perf_counter() - start))
            if number:
                for way, stages in seen.items():
                    frames[way].append(stages)
            print(f"{name}: round {number} of {rounds or own_rounds}", flush=True)
    return {
        "digest": bundle.digest,
        "size": list(size),
        "taken": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "load_before": load_before,
        "load_after": os.getloadavg()[0],
        **values_from_times(bundle, dict(frames), times, macs),
    }


def values_from_times(
    bundle: Bundle, frames: dict[str, list[list[dict[str, float]]]], times: Times, macs: int
) -> dict[str, Any]:
    """Work out medians and ratios."""
    cost = bundle.manifest.cost
    stages = {way: _stages([stage for burst in bursts for stage in burst]) for way, bursts in frames.items()}
    promised = cost.hr_macs / cost.mean_macs(GOP)
    hr_ms = sum(stages["hr"]["key"].values())
    found: dict[str, Any] = {"promised": promised, "hr_only_ms": hr_ms, "stages_ms": stages}
    for way in ("ar", "alone", "codec"):
        key, rest = (sum(stages[way][kind].values()) for kind in ("key", "between"))
        mean = _weighted(key, rest)
        found[way] = {
            "key_ms": key,
            "between_ms": rest,
            "mean_ms": mean,
            "realised": hr_ms / mean,
            "realised_over_promised": hr_ms / mean / promised,
            "outside_networks": 1 - _weighted(stages[way]["key"]["hr"], stages[way]["between"]["lr"]) / mean,
        }
    median = {way: statistics.median(taken) for way, taken in times.items()}
    shares = [macs / k / (SIDE**3 / p) for k, p in zip(times["fusion alone"], times["product"], strict=True)]
    eager = _weighted(median["eager key"], median["eager between"])
    found["fusion"] = {
        **{f"{way.replace(' ', '_')}_ms": ms for way, ms in median.items()},
        "graph_over_kernel": _ratio(times, "graph", "kernel"),
        "unfold_over_fusion": _ratio(times, "unfold", "fusion alone") if "unfold" in times else None,
        "share_of_product": statistics.median(shares),
        "eager_mean_ms": eager,
        "eager_over_ar": eager / found["ar"]["mean_ms"],
    }
    return found


def _stages(frames: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Medians by kind of frame and stage."""
    kinds = {"key": [f for f in frames if not f["distance"]], "between": [f for f in frames if f["distance"]]}
    return {
        kind: {stage: statistics.median(f[stage] for f in some) for stage in some[0] if stage != "distance"}
        for kind, some in kinds.items()
        if some
    }


def _weighted(key: float, between: float) -> float:
    return (key + (GOP - 1) * between) / GOP


def _ratio(times: Times, slow: str, fast: str) -> float:
    return statistics.median(a / b for a, b in zip(times[slow], times[fast], strict=True))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--rounds", type=int, help="rounds that count, per model")
    parser.add_argument("--again", action="store_true", help="measure the models anew that the record holds")
    parser.add_argument("--page", action="store_true", help="only write the page")
    arguments = parser.parse_args()
    if arguments.page:
        PAGE.write_text(page_from_record(read_record()))
        return 0
    torch.set_num_threads(THREADS)
    settings = {"size": list(SIZE), "lr_scale": LR_SCALE, "gop": GOP, "threads": THREADS, "clip": "street, x264"}
    values = values_beside(record_now("bench_cpu", settings=settings, values={}))
    with torch.inference_mode():
        for name in arguments.models.split(","):
            try:
                digest = network_and_bundle(name)[1].digest
            except BundleError as error:
                print(f"{name}: left out: {error}")
                continue
            if values.get(name, {}).get("digest") == digest and not arguments.again:
                print(f"{name}: in the record already; --again measures it anew")
                continue
            values[name] = measured(name, arguments.rounds)
            write_record(record_now("bench_cpu", settings=settings, values=values), RECORD)
            PAGE.write_text(page_from_record(read_record()))
    print(f"{RECORD}\n{PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
