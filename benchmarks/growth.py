#!/usr/bin/env python3
"""Measure how time and memory of a frame grow with the work: resolution, GOP, LR scale, threads, streams.

usage: python benchmarks/growth.py [--rounds 3] [--only AXIS ...] [--record FILE] [--page]

Every point is a process of its own, and the points of an axis are taken in turn, A B C C B A, ``--rounds`` times:
values are medians over the rounds. Resolution and LR scale: the shipped model, float32, exported with random weights at
each size (time and memory do not depend on weights). GOP, threads and streams: the shipped int8 bundle. Frames are the
highway clip's, scaled and encoded anew at each size, decoded before the clock starts.

Memory is the most resident memory while the engines are opened and run, less that before.

Streams: N loops in N threads of one process, each with its frames; once over twins of one segmenter, once over a
segmenter opened for each. Frames a second are those of all streams together.

``--page`` makes docs/growth.md and its plots of the record, and measures nothing.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import av

from edge_arseg.bench.record import record_now, write_record
from edge_arseg.motion.keyframe import KeyframePolicy
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.bundles.zoo import shipped_names
from edge_arseg.runtime.choice.engine_choice import unproved
from edge_arseg.runtime.device.cores import usable_cores
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.mode import Mode
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.spec.frame import Frame
from edge_arseg.video import open_video

HERE = Path(__file__).resolve().parents[1]
RECORD = HERE / "benchmarks/results/growth.json"
BUILD = HERE / "build/growth"
CLIP = HERE.parent / "shared/clips/highway_960x540.mp4"
FLOAT, INT8 = "camvid-compact-360x480", "camvid-compact-360x480-int8"
BACKEND = "onnxruntime"
# rows and columns of 4:3, multiples of 16: 0.25, 0.5, 1, 2, 4 and 8 megapixels
SIZES = ((432, 576), (608, 816), (864, 1152), (1216, 1632), (1728, 2304), (2448, 3264))
SCALES = (0.3, 0.4, 0.5, 0.7, 1.0)
GOPS = (1, 2, 4, 12, 30, 60)
STREAMS = (1, 2, 4, 8)
LR_FRAMES, LEAST_KEYS, SECONDS = 10, 3, 3.0
Spec = dict[str, Any]


def bundle_of_size(height: int, width: int, scale: float) -> Path:
    """The shipped model with random weights at a size; made unless it is there.

    Its golden frames are those of the shipped bundle and of another size: nothing here runs them. Torch would take many
    minutes for frames of 8 megapixels.
    """
    path = BUILD / f"compact-{height}x{width}-lr{scale:g}.arseg"
    if not path.exists():
        import torch

        from edge_arseg.compiler.entries import graph_entry, graph_file
        from edge_arseg.compiler.export.export import graphs_from_network
        from edge_arseg.compiler.export.settings import ExportSettings
        from edge_arseg.compiler.writing import NewBundle
        from edge_arseg.network.network import Network

        begun = time.monotonic()
        torch.manual_seed(0)
        template = read_bundle(shipped_names()[FLOAT])
        network = Network(template.manifest.model).eval()
        settings = ExportSettings(height, width, scale, 12, template.manifest.flow_block)
        graphs = graphs_from_network(network, settings)
        contents = template.contents(template.manifest.files)
        contents |= {graph_file(role): graph.SerializeToString() for role, graph in graphs.items()}
        BUILD.mkdir(parents=True, exist_ok=True)
        place = NewBundle(path)
        manifest = replace(
            template.manifest,
            name=place.name,
            height=height,
            width=width,
            lr_scale=scale,
            lr_height=settings.lr_size[0],
            lr_width=settings.lr_size[1],
            graphs={role: graph_entry(role, graph) for role, graph in graphs.items()},
        )
        place.write(manifest, contents)
        print(f"{path.name}: made in {time.monotonic() - begun:.0f} s", flush=True)
    return path


def frames_of_size(height: int, width: int, count: int, scratch: Path) -> list[Frame]:
    """The first frames of the clip at a size, with the vectors of a stream of that size."""
    path = scratch / f"{height}x{width}.mp4"
    with av.open(str(CLIP)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream("libx264", rate=25, options={"preset": "ultrafast", "bf": "0", "g": "250"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number, frame in enumerate(source.decode(video=0)):
            if number == count:
                break
            target.mux(stream.encode(frame.reformat(width, height, "yuv420p")))
        target.mux(stream.encode(None))
    kept = []
    with open_video(path, motion="codec", size=(height, width), ahead=0) as reader:
        for frame in reader:
            kept.append(Frame(frame.index, frame.time_s, frame.rgb.copy(), vectors=frame.vectors, intra=frame.intra))
    return kept


def resident_mb(field: str = "VmRSS") -> float:
    """Resident memory of this process, now or (``VmHWM``) at most, 10^6 bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(field))


def forget_peak() -> float:
    """Let the most resident memory begin anew; return what is resident."""
    Path("/proc/self/clear_refs").write_text("5")
    return resident_mb()


def opened(spec: Spec) -> Segmenter:
    """The segmenter of a point."""
    options = EngineOptions("auto", BACKEND, spec.get("threads"), True)
    policy = KeyframePolicy(spec.get("gop", 12), 1.0)
    return Segmenter(unproved(read_bundle(Path(spec["bundle"])), options), mode=Mode.AR, policy=policy)


def measured(spec: Spec) -> dict[str, float]:
    """One point of one stream: medians of each branch, their stages, memory."""
    with tempfile.TemporaryDirectory() as scratch:
        bundle = read_bundle(Path(spec["bundle"])).manifest
        gop = spec.get("gop", 12)
        frames = frames_of_size(bundle.height, bundle.width, max(LR_FRAMES, min(2 * gop, 62)) + 2, Path(scratch))
    before = forget_peak()
    seen: dict[str, list[dict[str, float]]] = {"hr": [], "lr": []}
    with opened(spec) as segmenter:
        for _ in segmenter.segment(iter(frames[:2])):
            pass
        begun = time.monotonic()
        while True:
            for result in segmenter.segment(iter(frames)):
                found = {name: ms for name, ms in result.stages_ms.items() if name != "decode"}
                seen[result.branch.value].append({"total": result.latency_ms, **found})
            enough = len(seen["hr"]) >= LEAST_KEYS and (gop == 1 or len(seen["lr"]) >= LR_FRAMES)
            if enough and time.monotonic() - begun > SECONDS * spec.get("share", 1.0):
                break
        peak = resident_mb("VmHWM")
    values = {"memory_mb": peak - before}
    for branch, rows in seen.items():
        for name in sorted({name for row in rows for name in row}):
            values[f"{branch}_{name}_ms"] = statistics.median(row.get(name, 0.0) for row in rows)
    hr, lr = values["hr_total_ms"], values.get("lr_total_ms", 0.0)
    return {**values, "mean_ms": (hr + (gop - 1) * lr) / gop}


def streamed(spec: Spec) -> dict[str, float]:
    """Streams in threads of this process."""
    count = spec["streams"]
    with tempfile.TemporaryDirectory() as scratch:
        manifest = read_bundle(Path(spec["bundle"])).manifest
        frames = frames_of_size(manifest.height, manifest.width, 26, Path(scratch))
    done, end = [0] * count, [0.0]

    def loop(number: int, segmenter: Segmenter) -> None:
        while time.monotonic() < end[0]:
            for _ in segmenter.segment(iter(frames)):
                done[number] += 1
                if time.monotonic() >= end[0]:
                    break

    with ExitStack() as stack:
        first = stack.enter_context(opened(spec))
        for _ in first.segment(iter(frames[:3])):
            pass
        one = forget_peak()
        more = [stack.enter_context(first.twin() if spec["shared"] else opened(spec)) for _ in range(count - 1)]
        with ThreadPoolExecutor(count) as pool:
            begun = time.monotonic()
            end[0] = begun + SECONDS
            for future in [pool.submit(loop, number, each) for number, each in enumerate([first, *more])]:
                future.result()
            seconds = time.monotonic() - begun
        peak = resident_mb("VmHWM")
    return {"fps": sum(done) / seconds, "memory_of_others_mb": peak - one}


def points(only: list[str]) -> dict[str, list[Spec]]:
    """Every point by its axis; bundles are made on the way."""
    int8 = str(shipped_names()[INT8])
    found: dict[str, Callable[[], list[Spec]]] = {
        "resolution": lambda: [
            {"bundle": str(bundle_of_size(*size, 0.5)), "x": size[0] * size[1] / 1e6, "share": 0.5} for size in SIZES
        ],
        "lr_scale": lambda: [{"bundle": str(bundle_of_size(360, 480, scale)), "x": scale} for scale in SCALES],
        "gop": lambda: [{"bundle": int8, "x": gop, "gop": gop} for gop in GOPS],
        "threads": lambda: [
            {"bundle": int8, "x": threads, "threads": threads} for threads in sorted({1, 2, usable_cores()})
        ],
        "streams": lambda: [
            {"bundle": int8, "x": streams, "streams": streams, "threads": 1, "shared": shared}
            for shared in (True, False)
            for streams in STREAMS
        ],
    }
    return {axis: make() for axis, make in found.items() if not only or axis in only}


def child(spec: Spec) -> dict[str, float]:
    """Measure a point in a process of its own."""
    command = [sys.executable, __file__, "--point", json.dumps(spec)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ})
    if done.returncode:
        raise SystemExit(f"{spec}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Take the record, or make its page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[], help="axes that are taken")
    parser.add_argument("--record", type=Path, default=RECORD)
    parser.add_argument("--page", action="store_true")
    parser.add_argument("--point", help="one point, for the process that measures it")
    given = parser.parse_args()
    if given.point:
        spec = json.loads(given.point)
        print(json.dumps(streamed(spec) if "streams" in spec else measured(spec)))
        return
    if given.page:
        from growth_page import write_page

        write_page(given.record)
        return
    values: dict[str, list[dict[str, Any]]] = {}
    for axis, specs in points(given.only).items():
        rounds: list[list[dict[str, float]]] = [[] for _ in specs]
        for number in range(given.rounds):
            order = list(range(len(specs)))[:: -1 if number % 2 else 1]
            for place in order:
                rounds[place].append(child(specs[place]))
                print(f"{axis} {specs[place]['x']:g}: {rounds[place][-1]}", flush=True)
        values[axis] = [
            {
                "x": spec["x"],
                **({"shared": spec["shared"]} if "shared" in spec else {}),
                **{name: statistics.median(one[name] for one in taken) for name in taken[0]},
            }
            for spec, taken in zip(specs, rounds, strict=True)
        ]
    files = {
        name: sum(entry.bytes for entry in read_bundle(shipped_names()[name]).manifest.files.values()) / 1e6
        for name in (FLOAT, INT8)
    }
    settings = {"rounds": given.rounds, "backend": BACKEND, "cores": usable_cores(), "bundle_mb": files}
    print(write_record(record_now("growth", settings=settings, values=values), given.record))


if __name__ == "__main__":
    main()
