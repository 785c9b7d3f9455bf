#!/usr/bin/env python3
"""Measure how results get back to the source's size: fits and enlargements by mIoU, masks at 1080p by time.

usage: python benchmarks/geometry.py CAMVID [--clip CLIP] [--every 1] [--frames 90] [--rounds 5] [--record FILE]

``CAMVID`` is a folder with ``images`` and ``labels`` of 360x480. All scores are those of the HR branch of the int8
bundle in the package, 11 classes, pixels pooled.

* fits: pictures cut to 16:9 and 9:16 and padded with black to 16:9 enter the network stretched, letterboxed between
  black or grey bars, and cropped; scored at the picture's size by the nearest pixel. What ``crop`` does not see is not
  scored.
* enlargements: class maps reduced to a half and a third by taking every second or third pixel, then enlarged to the
  size of the labels again; and the same with the labels, which shows what a way costs where the map is right.
* masks: milliseconds of a frame of the clip scaled to 1080p without sinks, and of what a mask adds: enlarging, PNG.
  Held is how long ``masks://`` keeps the loop, which is enlarging and a copy: a thread makes the PNG. Ratios are
  within one run.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np

from edge_arseg.bench.record import record_now, write_record
from edge_arseg.evaluation.confusion import confusion_from_maps, mean_iou
from edge_arseg.evaluation.labels.nearest import resized_map
from edge_arseg.runtime.bundles.zoo import default_bundle
from edge_arseg.runtime.mode import Mode
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.spec.frame import Frame
from edge_arseg.spec.geometry.enlargement import map_at_source, nearest_map
from edge_arseg.spec.geometry.placement import FitKind, placement_of
from edge_arseg.spec.model import CAMVID_11
from edge_arseg.video.decoding.orientation import UPRIGHT
from edge_arseg.video.rgb import Arrays, upright_rgb
from edge_arseg.video.sinks import open_sink
from edge_arseg.video.sinks.class_ids.png import palette_from_classes, png_from_indices
from edge_arseg.video.sinks.movies.encoder import Encoder

HERE = Path(__file__).resolve().parents[1]
RECORD = HERE / "benchmarks/results/geometry.json"
CLIP = HERE.parent / "shared/clips/highway_960x540.mp4"
CLASSES, GREY = 11, 114
PAUSE_S = 0.03
Way = Callable[[np.ndarray, np.ndarray], np.ndarray]


def pictures(folder: Path, every: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pictures ``[H, W, 3] uint8`` and their labels ``[H, W] uint8``, 255 where there is none."""
    for path in sorted((folder / "labels").glob("*.png"))[::every]:
        (image,) = (folder / "images").glob(f"{path.stem}.*")
        rgb, label = (next(av.open(str(file)).decode(video=0)) for file in (image, path))
        found = label.to_ndarray()
        yield (
            np.ascontiguousarray(rgb.to_ndarray(format="rgb24")),
            np.where(found < CLASSES, found, 255).astype(np.uint8),
        )


def shapes(rgb: np.ndarray, label: np.ndarray) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """The picture in each shape, with its label."""
    height, width = label.shape
    low, narrow = (height - height * 3 // 4) // 2, (width - height * 9 // 16) // 2
    yield "4:3, whole", rgb, label
    yield "16:9, cut", rgb[low:-low], label[low:-low]
    yield "9:16, cut", rgb[:, narrow:-narrow], label[:, narrow:-narrow]
    sides = (height * 16 // 9 - width) // 2
    padded = np.pad(rgb, [(0, 0), (sides, sides), (0, 0)])
    yield "16:9, padded", padded, np.pad(label, [(0, 0), (sides, sides)], constant_values=255)


def fits(data: list[tuple[np.ndarray, np.ndarray]], segmenter: Segmenter) -> dict[str, Any]:
    """mIoU by shape and fit, in per cent; for ``crop`` the share of the picture that is seen."""
    found: dict[str, dict[str, np.ndarray]] = {}
    seen: dict[str, float] = {}
    for whole in data:
        for shape, rgb, label in shapes(*whole):
            for name in (*(kind.value for kind in FitKind), "letterbox, grey"):
                kind = FitKind(name.partition(",")[0])
                placement = placement_of(label.shape, segmenter.size, kind)
                pixels = upright_rgb(
                    av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24"),
                    (placement.height, placement.width),
                    UPRIGHT,
                )
                frame = Arrays(0).placed(pixels, placement)
                if name != kind.value:
                    top, left, height, width = placement.shown
                    inside = frame[top : top + height, left : left + width].copy()
                    frame[...] = GREY
                    frame[top : top + height, left : left + width] = inside
                (result,) = segmenter.segment([Frame(0, 0.0, frame)])
                back = nearest_map(result.class_map, placement)
                confusion = confusion_from_maps(back, label, CLASSES)
                sums = found.setdefault(shape, {})
                sums[name] = sums.get(name, 0) + confusion
                if kind is FitKind.CROP:
                    seen[shape] = round(placement.seen, 4)
    scores = {shape: {fit: _percent(sums) for fit, sums in by_fit.items()} for shape, by_fit in found.items()}
    return {"miou_percent": scores, "seen_by_crop": seen}


def smoothed(class_map: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """Each class as a mask, blurred a little, enlarged bilinearly; the largest wins."""
    size = picture.shape[:2]
    best, out = np.full(size, -1.0, np.float32), np.zeros(size, np.uint8)
    for index in np.unique(class_map):
        score = (class_map == index).astype(np.float32)
        for axis in (0, 1):  # a Gaussian of half a pixel
            padded = np.pad(score, [(int(axis == 0),) * 2, (int(axis == 1),) * 2], mode="edge")
            parts = [np.take(padded, range(i, i + score.shape[axis]), axis) for i in range(3)]
            score = 0.107 * parts[0] + 0.786 * parts[1] + 0.107 * parts[2]
            places = (np.arange(size[axis]) + 0.5) * score.shape[axis] / size[axis] - 0.5
            first = np.floor(places).astype(int)
            share = (places - first).astype(np.float32).reshape((-1, 1) if axis == 0 else (1, -1))
            ends = [np.take(score, first + i, axis, mode="clip") for i in (0, 1)]
            score = ends[0] * (1 - share) + ends[1] * share
        wins = score > best
        best[wins], out[wins] = score[wins], index
    return out


def guided(class_map: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """Joint bilateral upsampling: 5x5 votes, weighed by distance and by how alike the luma is."""
    luma = picture @ np.array([0.299, 0.587, 0.114], np.float32)
    (rows, columns), (height, width) = class_map.shape, luma.shape
    row, column = np.arange(height) * rows // height, np.arange(width) * columns // width
    y, x = (np.arange(height) + 0.5) * rows / height - 0.5, (np.arange(width) + 0.5) * columns / width - 0.5
    small, count = np.zeros(class_map.shape), np.zeros(class_map.shape)
    np.add.at(small, (row[:, None], column), luma)
    np.add.at(count, (row[:, None], column), 1)
    small /= count
    votes, at = np.zeros((CLASSES + 1, height, width), np.float32), np.mgrid[0:height, 0:width]
    for dy in range(-2, 3):
        for dx in range(-2, 3):
            i, j = (row + dy).clip(0, rows - 1), (column + dx).clip(0, columns - 1)
            near = -((y - i) ** 2)[:, None] / 2 - (x - j) ** 2 / 2
            weight = np.exp(near - (luma - small[i][:, j]) ** 2 / (2 * 20.0**2))
            votes[class_map[i][:, j], at[0], at[1]] += weight
    return votes.argmax(0).astype(np.uint8)


WAYS: dict[str, Way] = {
    "nearest": lambda small, rgb: nearest_map(small, placement_of(rgb.shape[:2], small.shape)),
    "corners": lambda small, rgb: map_at_source(small, placement_of(rgb.shape[:2], small.shape)),
    "smoothed": smoothed,
    "guided": guided,
}


def enlargements(data: list[tuple[np.ndarray, np.ndarray]], segmenter: Segmenter) -> dict[str, Any]:
    """mIoU in per cent by factor and way, of the network's maps and of the labels themselves; milliseconds."""
    scores: dict[str, Any] = {}
    maps = []
    for rgb, label in data:
        (result,) = segmenter.segment([Frame(0, 0.0, rgb)])
        maps.append((rgb, label, resized_map(result.class_map, *label.shape).copy()))
    for factor in (2, 3):
        for name, way in WAYS.items():
            sums, took = [np.zeros((CLASSES, CLASSES), np.int64) for _ in range(2)], []
            for rgb, label, class_map in maps:
                known = np.where(label == 255, CLASSES, label).astype(np.uint8)
                start = time.perf_counter()
                back = way(class_map[factor // 2 :: factor, factor // 2 :: factor], rgb)
                took.append(1e3 * (time.perf_counter() - start))
                sums[0] += confusion_from_maps(back, label, CLASSES)
                own = way(known[factor // 2 :: factor, factor // 2 :: factor], rgb)
                sums[1] += confusion_from_maps(np.where(own == CLASSES, 255, own).astype(np.uint8), label, CLASSES)
            scores.setdefault(f"{factor}x", {})[name] = {
                "network_miou_percent": _percent(sums[0]),
                "labels_miou_percent": _percent(sums[1]),
                "median_ms": round(statistics.median(took), 2),
            }
    return scores


def masks(clip: Path, frames: int, rounds: int) -> dict[str, Any]:
    """Milliseconds of a 1080p frame, of enlarging its class map, of its PNG, and of the sink; medians of all rounds."""
    palette = palette_from_classes(CAMVID_11)
    found: dict[str, list[float]] = {"frame": [], "enlarging": [], "png": [], "held": []}
    with tempfile.TemporaryDirectory() as folder, Segmenter(default_bundle(), backend="onnxruntime") as segmenter:
        large = Path(folder) / "1080.mp4"
        encoder = Encoder(large, (1080, 1920), 25.0, gop=12)
        for index, frame in zip(range(frames), av.open(str(clip)).decode(video=0), strict=False):
            encoder.write(frame.to_ndarray(format="rgb24", width=1920, height=1080), index / 25)
        encoder.close()
        for number in range(rounds):
            start = time.perf_counter()
            seen = sum(1 for _ in segmenter.stream(large))
            found["frame"].append(1e3 * (time.perf_counter() - start) / seen)
            times: dict[str, list[float]] = {"enlarging": [], "png": []}
            for result in segmenter.stream(large):
                start = time.perf_counter()
                class_map = result.at_source()
                between = time.perf_counter()
                png_from_indices(class_map, palette)
                times["png"].append(1e3 * (time.perf_counter() - between))
                times["enlarging"].append(1e3 * (between - start))
            times["held"] = []
            with open_sink(f"masks://{folder}/{number}", size=(1080, 1920), rate=25.0, classes=CAMVID_11) as sink:
                for result in segmenter.stream(large):
                    time.sleep(PAUSE_S)  # the thread has nothing left to do
                    start = time.perf_counter()
                    sink.write(result)
                    times["held"].append(1e3 * (time.perf_counter() - start))
            for name, values in times.items():
                found[name].append(statistics.median(values))
    middle = {name: statistics.median(values) for name, values in found.items()}
    return {
        **{f"{name}_ms": round(value, 3) for name, value in middle.items()},
        "enlarging_over_frame": round(middle["enlarging"] / middle["frame"], 4),
        "png_over_frame": round(middle["png"] / middle["frame"], 4),
        "held_over_frame": round(middle["held"] / middle["frame"], 4),
    }


def _percent(confusion: np.ndarray) -> float:
    return round(100 * mean_iou(confusion), 2)


def main() -> None:
    """Measure all, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("camvid", type=Path)
    parser.add_argument("--clip", type=Path, default=CLIP)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--frames", type=int, default=90)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--record", type=Path, default=RECORD)
    given = parser.parse_args()
    data = list(pictures(given.camvid, given.every))
    with Segmenter(default_bundle(), mode=Mode.HR, backend="onnxruntime") as segmenter:
        values = {"fits": fits(data, segmenter), "enlargements": enlargements(data[::4], segmenter)}
        name = segmenter.bundle.manifest.name
    values["masks_1080p"] = masks(given.clip, given.frames, given.rounds)
    settings = {
        "bundle": name,
        "backend": "onnxruntime",
        "mode": "hr for scores, ar for times",
        "images": len(data),
        "images_of_enlargements": len(data[::4]),
        "frames": given.frames,
        "rounds": given.rounds,
        "clip": given.clip.name,
    }
    record = record_now("geometry", settings=settings, values=values)
    write_record(record, given.record)
    print(given.record.read_text())


if __name__ == "__main__":
    main()
