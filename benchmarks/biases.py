#!/usr/bin/env python3
"""Compare the HR branch in int8 with biases as they are and with corrected ones, against float32.

usage: python benchmarks/biases.py BUNDLE... --images FOLDER --labels FOLDER [--record FILE]

BUNDLE are float32 bundles for one size, that of the images. Sixteen images are calibrated on, sixty others are scored:
the share of the pixels that have float32's class, and mIoU. Sums are exact, so the figures do not depend on the CPU.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from PIL import Image

from edge_arseg.bench.record import record_now, write_record
from edge_arseg.compiler.quantize.calibrate.flow import PreparedBranch, prepared_branches
from edge_arseg.compiler.quantize.calibrate.means import ChannelMean
from edge_arseg.compiler.quantize.calibrate.observed import ObservedGraph
from edge_arseg.compiler.quantize.calibrate.ranges import Histogram, Range, Ranges
from edge_arseg.compiler.quantize.qdq import qdq_from_ranges
from edge_arseg.compiler.quantize.rules.biases import Means
from edge_arseg.compiler.quantize.rules.layers import observed_tensors
from edge_arseg.evaluation.confusion import confusion_from_maps, mean_iou
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.spec import tensor as names
from edge_arseg.spec.manifest import Role

RECORD = Path(__file__).parent / "results/biases.json"
CALIBRATED, SCORED = 16, 60


class Pictures:
    """Images and labels of two folders, named alike; the calibrated ones are spread over all."""

    def __init__(self, images: Path, labels: Path):
        files = sorted(path for path in images.iterdir() if path.suffix in (".jpg", ".png"))
        assert len(files) >= CALIBRATED + SCORED, f"{images}: {len(files)} images, {CALIBRATED + SCORED} expected"
        chosen = {round(place) for place in np.linspace(0, len(files) - 1, CALIBRATED)}
        rest = [file for number, file in enumerate(files) if number not in chosen]
        scored = [rest[round(place)] for place in np.linspace(0, len(rest) - 1, SCORED)]
        self.calibrated = [self._read(files[number], "RGB") for number in sorted(chosen)]
        self.scored = [self._read(file, "RGB") for file in scored]
        self.labels = [self._read(labels / f"{file.stem}.png") for file in scored]

    @staticmethod
    def _read(path: Path, mode: str | None = None) -> np.ndarray:
        with Image.open(path) as image:
            return np.asarray(image.convert(mode) if mode else image)


def seen(branch: PreparedBranch, frames: Sequence[np.ndarray]) -> tuple[Ranges, Means]:
    """Return the ranges and means of a few frames."""
    read = branch.read_by_convolutions()
    histograms = {name: Histogram() for name in observed_tensors(branch.model, branch.layers)}
    means = {name: ChannelMean() for name in histograms if name in read}
    graph = ObservedGraph(branch.model, list(histograms), [names.FEATURE])

    def take(name: str, values: np.ndarray) -> None:
        histograms[name].add(values)
        if name in means:
            means[name].add(values)

    for frame in frames:
        graph.run({names.FRAME: frame}, take)
    ranges = {name: Range(min(one.lowest, 0.0), max(one.highest, 0.0)) for name, one in histograms.items()}
    return ranges, {name: one.mean() for name, one in means.items()}


def class_maps(model: onnx.ModelProto, frames: Sequence[np.ndarray]) -> list[np.ndarray]:
    graph = ObservedGraph(model, (), [names.CLASS_MAP])
    return [graph.run({names.FRAME: frame})[names.CLASS_MAP] for frame in frames]


def miou(maps: Sequence[np.ndarray], labels: Sequence[np.ndarray], classes: int) -> float:
    total = np.zeros((classes, classes), np.int64)
    for one, label in zip(maps, labels, strict=True):
        total += confusion_from_maps(one, label, classes)
    return round(100.0 * mean_iou(total), 2)


def compared(path: Path, pictures: Pictures) -> dict[str, Any]:
    bundle = read_bundle(path)
    classes = len(bundle.manifest.model.classes)
    branch = prepared_branches(bundle, [Role.HR])[Role.HR]
    ranges, means = seen(branch, pictures.calibrated)
    expected = class_maps(branch.model, pictures.scored)
    found = {"layers": len(branch.layers.weighted), "float32": {"miou": miou(expected, pictures.labels, classes)}}
    for name, one in (("biases as they are", {}), ("biases corrected", means)):
        maps = class_maps(qdq_from_ranges(branch.model, branch.layers, ranges, one), pictures.scored)
        agree = np.mean([np.mean(a == b) for a, b in zip(expected, maps, strict=True)])
        found[name] = {"agreement": round(100.0 * float(agree), 3), "miou": miou(maps, pictures.labels, classes)}
        print(path.name, name, found[name], flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundles", nargs="+", type=Path)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--record", type=Path, default=RECORD)
    chosen = parser.parse_args()
    pictures = Pictures(chosen.images, chosen.labels)
    values = {path.name: compared(path, pictures) for path in chosen.bundles}
    settings = {"branch": "hr", "calibrated": CALIBRATED, "scored": SCORED, "range": "minmax", "unit": "per cent"}
    write_record(record_now("biases", settings=settings, values=values), chosen.record)


if __name__ == "__main__":
    main()
