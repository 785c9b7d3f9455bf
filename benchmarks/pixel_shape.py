#!/usr/bin/env python3
"""Measure what the shape of pixels is worth: mIoU of anamorphic pictures whose pixels count as square, and as they are.

usage: python benchmarks/pixel_shape.py CAMVID [--every 1] [--record FILE]

``CAMVID`` is a folder with ``images`` and ``labels`` of 360x480. Each picture is cut to the shape that is shown, stored
with the columns of a recording format, and enters the network in a letterbox. Class maps are scored on the labels of
what is shown, by the nearest pixel. All scores are those of the HR branch of the int8 bundle in the package, 11
classes, pixels pooled.
"""

import argparse
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from geometry import CLASSES, pictures

from edge_arseg.bench.record import record_now, write_record
from edge_arseg.evaluation.confusion import confusion_from_maps, mean_iou
from edge_arseg.runtime.bundles.zoo import default_bundle
from edge_arseg.runtime.mode import Mode
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.spec.frame import Frame
from edge_arseg.spec.geometry.enlargement import nearest_map
from edge_arseg.spec.geometry.placement import FitKind, placement_of
from edge_arseg.video.decoding.orientation import UPRIGHT
from edge_arseg.video.rgb import Arrays, upright_rgb

RECORD = Path(__file__).parent / "results/pixel_shape.json"
FORMATS = {
    "HDV, 16:9": (Fraction(16, 9), Fraction(4, 3)),
    "PAL, 16:9": (Fraction(16, 9), Fraction(64, 45)),
    "PAL, 4:3": (Fraction(4, 3), Fraction(16, 15)),
    "NTSC, 4:3": (Fraction(4, 3), Fraction(8, 9)),
}
"""Shape that is shown, and of a pixel."""


def main() -> None:
    """Measure, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("camvid", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--record", type=Path, default=RECORD)
    given = parser.parse_args()
    sums: dict[tuple[str, str], np.ndarray] = {}
    count = 0
    with Segmenter(default_bundle(), mode=Mode.HR, backend="onnxruntime") as segmenter:
        for rgb, label in pictures(given.camvid, given.every):
            count += 1
            for name, (shown, pixel) in FORMATS.items():
                rows = round(label.shape[1] / shown)
                top = (label.shape[0] - rows) // 2
                cut, truth = rgb[top : top + rows], label[top : top + rows]
                stored = upright_rgb(
                    av.VideoFrame.from_ndarray(np.ascontiguousarray(cut), format="rgb24"),
                    (rows, round(label.shape[1] / pixel)),
                    UPRIGHT,
                ).copy()
                for way, ratio in (("square", Fraction(1)), ("as they are", pixel)):
                    placement = placement_of(stored.shape[:2], segmenter.size, FitKind.LETTERBOX, ratio)
                    pixels = upright_rgb(
                        av.VideoFrame.from_ndarray(stored, format="rgb24"), (placement.height, placement.width), UPRIGHT
                    )
                    (result,) = segmenter.segment([Frame(0, 0.0, Arrays(0).placed(pixels, placement))])
                    back = nearest_map(result.class_map, placement.of_size(*truth.shape))
                    sums[name, way] = sums.get((name, way), 0) + confusion_from_maps(back, truth, CLASSES)
        bundle = segmenter.bundle.manifest.name
    scores: dict[str, dict[str, float]] = {name: {} for name in FORMATS}
    for (name, way), confusion in sums.items():
        scores[name][way] = round(100 * mean_iou(confusion), 2)
    settings = {"bundle": bundle, "backend": "onnxruntime", "mode": "hr", "fit": "letterbox", "images": count}
    write_record(record_now("pixel_shape", settings=settings, values={"miou_percent": scores}), given.record)
    print(given.record.read_text())


if __name__ == "__main__":
    main()
