#!/usr/bin/env python3
"""Measure what keyframes are worth: where they lie, and how late they come. Accuracy only; no time is taken.

usage: python benchmarks/keyframes_accuracy.py [--phases 4]

CamVid's `val` video (101 labelled frames) runs through the default int8 bundle, as it is and spliced: nine pieces of 20
frames in an order that makes eight cuts. Vectors are recoded. Each run begins at a few phases, frame 0, 3, 6, 9, and
all their frames are pooled.

- fixed and adaptive: mIoU beside the HR passes spent, per 100 frames, for a few intervals. `gain` is the mIoU of
  `AdaptivePolicy` less that of fixed intervals at as many HR passes, interpolated between the two nearest.
- async: mIoU at interval 12 where HR passes take 0 to 6 frames, and by the distance from the keyframe in use.
- steps: the warp error between one frame and the next keyframe, to see what the policy looks at.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import numpy as np

from edge_arseg.bench.record import record_now, write_record
from edge_arseg.evaluation.confusion import confusion_from_maps, mean_iou
from edge_arseg.evaluation.labels.files import read_label
from edge_arseg.motion import KeyframePolicy, Policy
from edge_arseg.motion.policies.adaptive import AdaptivePolicy
from edge_arseg.runtime.background import BackgroundKeyPipeline
from edge_arseg.runtime.bundles.reading import Bundle, read_bundle
from edge_arseg.runtime.engines.contract import EngineOptions, Place
from edge_arseg.runtime.engines.opening import engines_from_bundle
from edge_arseg.runtime.fusion.opening import open_fusion
from edge_arseg.runtime.segment import segment
from edge_arseg.spec.frame import Frame, SegmentedFrame
from edge_arseg.spec.manifest import Role
from edge_arseg.video import open_video

HERE = Path(__file__).resolve().parents[1]
RECORD = HERE / "benchmarks/results/keyframes_accuracy.json"
VAL = HERE.parent / "shared/camvid/val"
BUNDLE = HERE / "edge_arseg/zoo/camvid-compact-360x480-int8.arseg"
INTERVALS = (4, 6, 8, 12, 16, 24)
DELAYS = (0, 1, 2, 3, 4, 6)
PIECE, ORDER = 20, (0, 3, 1, 4, 2, 0, 4, 1, 3)
CLASSES = 11


class Pass(Future[None]):
    """An HR pass that is done when it has been asked for often enough."""

    def __init__(self, work: Callable[[], None], frames: int) -> None:
        super().__init__()
        self._work, self._left = work, frames

    def done(self) -> bool:
        """Count the question."""
        self._left -= 1
        if self._left < 0:
            self.finish()
        return super().done()

    def finish(self) -> None:
        """Do it now, unless it is done."""
        if not super().done():
            self._work()
            self.set_result(None)


class Later(Executor):
    """HR passes that take so many frames."""

    def __init__(self, frames: int) -> None:
        self.frames = frames
        self._last: Pass | None = None

    def submit(self, work: Callable[[], None]) -> Any:  # type: ignore[override]
        """Begin a pass."""
        self._last = Pass(work, self.frames)
        return self._last

    def finish(self) -> None:
        """Finish the last one."""
        if self._last is not None:
            self._last.finish()


def opened(bundle: Bundle, beside: Executor) -> BackgroundKeyPipeline:
    """Open a pipeline whose HR passes take as long as it is told."""
    options = EngineOptions(backend="onnxruntime")
    engines = engines_from_bundle(bundle, (Role.HR, Role.LR), backend="onnxruntime")
    fusion = open_fusion(bundle, options, Place.HOST)
    return BackgroundKeyPipeline(bundle.manifest, engines, fusion, backend="onnxruntime", beside=beside)


def clip_of(numbers: list[int], folder: Path, size: tuple[int, int]) -> tuple[list[Frame], list[np.ndarray]]:
    """Return frames with vectors, and their labels, of `val` in an order."""
    images, labels = (sorted((VAL / kind).iterdir()) for kind in ("images", "labels"))
    folder.mkdir()
    for place, number in enumerate(numbers):
        (folder / f"{place:06d}.png").symlink_to(images[number].resolve())
    with open_video(folder, size=size, motion="recode") as reader:
        frames = list(reader)
    return frames, [read_label(labels[number]) for number in numbers]


def runs(
    pipeline: BackgroundKeyPipeline, beside: Later, frames: list[Frame], make: Callable[[], Policy], phases: int
) -> Iterator[SegmentedFrame]:
    """Yield the results of all phases."""
    for phase in range(phases):
        beside.finish()  # nobody asks for it any more
        yield from segment(frames[3 * phase :], pipeline, make())


def scored(results: Iterator[SegmentedFrame], labels: list[np.ndarray]) -> dict[str, Any]:
    """Return mIoU, passes per 100 frames, and mIoU by distance."""
    by_distance: dict[int, np.ndarray] = {}
    count = passes = 0
    key = None
    for result in results:
        count += 1
        index = result.frame.index
        passes += (index - result.distance) != key or result.distance == 0
        key = index - result.distance
        confusion = confusion_from_maps(result.at_source(), labels[index], CLASSES)
        by_distance[result.distance] = by_distance.get(result.distance, 0) + confusion
    return {
        "miou": round(100 * mean_iou(sum(by_distance.values())), 2),
        "hr_per_100": round(100 * passes / count, 2),
        "by_distance": {d: round(100 * mean_iou(m), 2) for d, m in sorted(by_distance.items())},
    }


def gain(fixed: dict[str, Any], row: dict[str, Any]) -> float | None:
    """mIoU beyond fixed intervals at as many HR passes; ``None`` outside of what was measured."""
    points = sorted((one["hr_per_100"], one["miou"]) for one in fixed.values())
    spent = row["hr_per_100"]
    if not points[0][0] <= spent <= points[-1][0]:
        return None
    return round(row["miou"] - float(np.interp(spent, *zip(*points, strict=True))), 2)


def main() -> None:
    """Measure, print, and keep a record."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--phases", type=int, default=4)
    parser.add_argument("--record", type=Path, default=RECORD)
    chosen = parser.parse_args()
    bundle, beside = read_bundle(BUNDLE), Later(0)
    size = bundle.manifest.height, bundle.manifest.width
    orders = {
        "val": list(range(101)),
        "spliced": [PIECE * piece + number for piece in ORDER for number in range(PIECE)],
    }
    values: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as temporary, opened(bundle, beside) as pipeline:
        for name, numbers in orders.items():
            frames, labels = clip_of(numbers, Path(temporary) / name, size)
            rows: dict[str, dict[str, Any]] = {"fixed": {}, "adaptive": {}, "async": {}}
            for interval in INTERVALS:
                for kind, make in (("fixed", KeyframePolicy), ("adaptive", AdaptivePolicy)):
                    row = scored(runs(pipeline, beside, frames, lambda m=make, i=interval: m(i), chosen.phases), labels)
                    if kind == "adaptive" or interval != 12:
                        row.pop("by_distance")
                    rows[kind][str(interval)] = row
                    print(name, kind, interval, row["miou"], row["hr_per_100"], flush=True)
            for row in rows["adaptive"].values():
                row["gain"] = gain(rows["fixed"], row)
            for delay in DELAYS:
                beside.frames = delay
                rows["async"][str(delay)] = scored(
                    runs(pipeline, beside, frames, lambda: KeyframePolicy(12), chosen.phases), labels
                )
                print(name, "async", delay, rows["async"][str(delay)]["miou"], flush=True)
            beside.finish()
            beside.frames = 0
            print(name, "gains", [row["gain"] for row in rows["adaptive"].values()], flush=True)
            values[name] = rows
    settings = {
        "clip": "CamVid val, 101 frames", "bundle": BUNDLE.name, "backend": "onnxruntime", "motion": "recode",
        "phases": chosen.phases, "piece": PIECE, "order": list(ORDER), "classes": CLASSES,
    }  # fmt: skip
    write_record(record_now("keyframes_accuracy", settings=settings, values=values), chosen.record)


if __name__ == "__main__":
    main()
