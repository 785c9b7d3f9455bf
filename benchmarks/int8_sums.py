#!/usr/bin/env python3
"""Compare int8 bundles with float32 on each engine: how many pixels get float32's class, and how fast.

usage: python benchmarks/int8_sums.py NAME --float32 BUNDLE --int8 BUNDLE [--wide BUNDLE] [--frames SOURCE] [--untimed]

``--wide`` is a bundle with 8-bit weights, as the first revision had. It is also run with exact sums asked for whether
this CPU needs them or not (``exact``), and on a CPU that saturates without them (``bare``). Two threads; the engines
run in turn, frame by frame, so that a busy machine slows all: ratios count, times do not. Under an emulator nothing
is timed. The record is ``results/int8_sums_NAME.json``.
"""

import argparse
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from edge_arseg.bench.record import record_now, write_record
from edge_arseg.runtime.bundles.reading import Bundle, read_bundle
from edge_arseg.runtime.engines.contract import Engine
from edge_arseg.runtime.engines.onnxruntime import integer_sums
from edge_arseg.runtime.engines.opening import engines_from_bundle
from edge_arseg.spec.manifest import Role
from edge_arseg.spec.tensor import CLASS_MAP, FRAME, LR_FEATURE
from edge_arseg.video.reader import open_video

RESULTS = Path(__file__).parent / "results"
THREADS, RUNS, FRAMES = 2, 31, 8
ROLES = (Role.HR, Role.LR, Role.LR_HEAD)
FLAGS = ("avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_int8", "amx_bf16")


def frames_of(source: str, bundle: Bundle) -> list[np.ndarray]:
    """Return a few frames, spread over the source."""
    size = bundle.manifest.height, bundle.manifest.width
    with open_video(source, motion="zero", size=size) as reader:
        frames = [frame.rgb.copy() for frame in reader]
    return [frames[i] for i in np.linspace(0, len(frames) - 1, FRAMES).astype(int)]


@contextmanager
def saturating(answer: bool | None) -> Iterator[None]:
    """Have exact sums asked for (``True``) or not (``False``), whatever this CPU does; ``None``: as it is."""
    found = integer_sums.sums_saturate
    if answer is not None:
        integer_sums.sums_saturate = lambda: answer  # type: ignore[assignment]
    try:
        yield
    finally:
        integer_sums.sums_saturate = found


def class_maps(engines: dict[Role, Engine], frame: np.ndarray) -> dict[str, np.ndarray]:
    """Return what HR and LR alone make of a frame."""
    hr = engines[Role.HR].run({FRAME: frame})[CLASS_MAP].copy()
    feature = engines[Role.LR].run({FRAME: frame})[LR_FEATURE]
    return {"hr": hr, "lr": engines[Role.LR_HEAD].run({LR_FEATURE: feature})[CLASS_MAP].copy()}


def main() -> None:
    """Measure and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    for option in ("--float32", "--int8", "--wide"):
        parser.add_argument(option, type=Path, required=option != "--wide")
    parser.add_argument("--frames", default="test://street?size=360x480&frames=48&seed=3")
    parser.add_argument("--backends", default="onnxruntime,openvino")
    parser.add_argument("--untimed", action="store_true")
    parser.add_argument("--note", default="")
    asked = parser.parse_args()
    bundles = {"float32": read_bundle(asked.float32), "7 bits": read_bundle(asked.int8)}
    variants = [("float32", "float32", None), ("7 bits", "7 bits", None)]
    if asked.wide:
        bundles["8 bits"] = read_bundle(asked.wide)
        variants += [("8 bits", "8 bits", None), ("8 bits, exact", "8 bits", True), ("8 bits, bare", "8 bits", False)]
    frames = frames_of(asked.frames, bundles["float32"])
    values: dict[str, dict[str, dict[str, float]]] = {}
    expected: list[dict[str, np.ndarray]] = []
    for backend in asked.backends.split(","):
        with ExitStack() as stack:
            opened = {}
            for variant, bundle, answer in variants:
                if backend != "onnxruntime" and answer is not None:
                    continue  # the option is ONNX Runtime's
                with saturating(answer):
                    engines = engines_from_bundle(bundles[bundle], ROLES, backend=backend, threads=THREADS)
                    opened[variant] = stack.enter_context(engines)
            if not expected:  # float32 on the first backend
                expected = [class_maps(opened["float32"], frame) for frame in frames]
            values[backend] = {variant: agreement(engines, frames, expected) for variant, engines in opened.items()}
            if not asked.untimed:
                for variant, times in timed(opened, frames[0]).items():
                    values[backend][variant] |= times
        for variant, row in values[backend].items():
            print(backend, variant, {key: round(value, 4) for key, value in row.items()}, flush=True)
    settings = {
        "digests": {name: bundle.digest for name, bundle in bundles.items()},
        "frames": asked.frames.rpartition("camvid/")[2],
        "threads": THREADS,
        "runs": 0 if asked.untimed else RUNS,
        "sums_saturate": integer_sums.sums_saturate(),
        "cpu_flags": flags() if not asked.untimed else None,
        "note": asked.note,
    }
    record = record_now(f"int8_sums_{asked.name}", settings=settings, values=values)
    write_record(record, RESULTS / f"int8_sums_{asked.name}.json")


def agreement(
    engines: dict[Role, Engine], frames: list[np.ndarray], expected: list[dict[str, np.ndarray]]
) -> dict[str, float]:
    """Return the share of pixels with float32's class, by branch."""
    seen = [class_maps(engines, frame) for frame in frames]
    return {
        f"{branch}_agreement": float(
            np.mean([np.mean(a[branch] == b[branch]) for a, b in zip(seen, expected, strict=True)])
        )
        for branch in ("hr", "lr")
    }


def timed(opened: dict[str, dict[Role, Engine]], frame: np.ndarray) -> dict[str, dict[str, float]]:
    """Run every variant in turn; medians in milliseconds, and how many times as fast as float32."""
    found: dict[str, dict[str, float]] = {variant: {} for variant in opened}
    for role in (Role.HR, Role.LR):
        taken: dict[str, list[float]] = {variant: [] for variant in opened}
        for number in range(RUNS + 2):
            for variant, engines in opened.items():
                start = time.perf_counter()
                engines[role].run({FRAME: frame})
                if number >= 2:
                    taken[variant].append(1e3 * (time.perf_counter() - start))
        for variant, times in taken.items():
            ratios = [a / b for a, b in zip(taken["float32"], times, strict=True)]
            found[variant] |= {
                f"{role.value}_ms": statistics.median(times),
                f"{role.value}_speed": statistics.median(ratios),
                f"{role.value}_speed_of_minima": min(taken["float32"]) / min(times),
            }
    return found


def flags() -> list[str]:
    """Return what of the CPU matters here."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    there = set(next((line for line in text.splitlines() if line.startswith("flags")), "").split())
    return [flag for flag in FLAGS if flag in there]


if __name__ == "__main__":
    main()
