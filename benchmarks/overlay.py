#!/usr/bin/env python3
"""Measure what drawing an overlay adds to a frame, at 360, 540 and 1080 lines.

usage: python benchmarks/overlay.py [--rounds 5] [--frames 60] [--lines 360 540 1080]

Each size has a clip of its own, the highway clip scaled. A round runs it three times through the default int8 bundle,
A B C: without pictures, for the time of a frame (AR, everything but sinks); with the overlay as `run` writes it, which
a thread draws and encodes; and with `Overlay.draw` in the loop.

- held: how long the sink keeps the loop (a copy of the result), beside the time of a frame. It waits longer only where
  drawing and encoding fall behind, so a frame is handed over when there is room for it.
- drawing: `Overlay.draw` with the class map enlarged to the picture's size, beside the time of a frame.
- added: how much longer a frame takes when the overlay is drawn and encoded beside it, x264 included.

Then each style is drawn on the same results. The aim is drawing in at most a quarter of a frame (docs/overlay.md).
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import av
import numpy as np

from edge_arseg.bench.record import record_now, write_record
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.video.overlay.drawing import Overlay
from edge_arseg.video.overlay.style import DEFAULT_STYLE, PLAIN, OverlayStyle
from edge_arseg.video.sinks import open_sink
from edge_arseg.video.sinks.movies.encoder import Encoder

HERE = Path(__file__).resolve().parents[1]
RECORD = HERE / "benchmarks/results/overlay.json"
CLIP = HERE.parent / "shared/clips/highway_960x540.mp4"
BUNDLE = HERE / "edge_arseg/zoo/camvid-compact-360x480-int8.arseg"
LIMIT = 0.25
PAUSE_S = 0.002
STYLES = {
    "default": DEFAULT_STYLE,
    "plain": PLAIN,
    "alpha 0.4": OverlayStyle(alpha=0.4),
    "strip": OverlayStyle(strip=True),
    "compare": OverlayStyle(compare=True),
    "motion": OverlayStyle(motion=True),
}


def scaled_clip(path: Path, clip: Path, size: tuple[int, int], frames: int) -> None:
    """Write the first frames of a clip in another size."""
    encoder = Encoder(path, size, 25.0, gop=12, options={"x264-params": "ref=1"})
    with av.open(str(clip)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number == frames:
                break
            rgb = frame.reformat(width=size[1], height=size[0], format="rgb24", interpolation="BICUBIC").to_ndarray()
            encoder.write(rgb, number / 25)
    encoder.close()


def timed_frames(segmenter: Segmenter, clip: Path, *, picture: bool) -> Iterator[tuple[SegmentedFrame, float]]:
    """Results, and the milliseconds from asking for each to having it."""
    with segmenter.open(clip, picture=picture) as reader:
        results = segmenter.segment(reader)
        while True:
            start = time.perf_counter()
            result = next(results, None)
            if result is None:
                return
            yield result, 1e3 * (time.perf_counter() - start)


def kept(result: SegmentedFrame) -> SegmentedFrame:
    """A result that later frames do not overwrite, at the source's size."""

    class_map, picture = result.at_source().copy(), result.frame.picture
    assert picture is not None
    motion = None if result.motion is None else replace(result.motion, flow=result.motion.flow.copy())
    frame = replace(result.frame, picture=picture.copy(), rgb=result.frame.rgb.copy())
    return replace(result, frame=frame, class_map=result.class_map.copy(), motion=motion, source_map=lambda: class_map)


def measured(lines: int, clip: Path, rounds: int, frames: int) -> dict[str, Any]:
    """Measure one size."""
    size = lines, lines * 16 // 9 // 2 * 2
    frame_ms: list[float] = []
    draw_ms: list[float] = []
    enlarge_ms: list[float] = []
    ratios: list[float] = []
    added: list[float] = []
    held_ms: list[float] = []
    held: list[float] = []
    some: list[SegmentedFrame] = []
    with tempfile.TemporaryDirectory() as folder, Segmenter(BUNDLE, backend="onnxruntime") as segmenter:
        source = Path(folder) / "clip.mp4"
        scaled_clip(source, clip, size, frames)
        classes = segmenter.bundle.manifest.model.classes
        for number in range(rounds + 1):
            alone = [ms for _, ms in timed_frames(segmenter, source, picture=False)][2:]
            overlay, draws, whole, enlarges, holds = Overlay(size, classes), [], [], [], []
            room = overlay.new_picture()
            target = f"{folder}/overlay{number}.mp4"
            with open_sink(target, size=size, rate=25.0, classes=classes) as sink:
                for result, ms in timed_frames(segmenter, source, picture=True):
                    start = time.perf_counter()
                    sink.write(result)
                    whole.append(ms + 1e3 * (time.perf_counter() - start))
            with open_sink(f"{folder}/paused{number}.mp4", size=size, rate=25.0, classes=classes) as sink:
                for result, _ in timed_frames(segmenter, source, picture=True):
                    while sink.busy:  # short: memory that is not used for long is slow on some machines
                        time.sleep(PAUSE_S)
                    start = time.perf_counter()
                    sink.write(result)
                    holds.append(1e3 * (time.perf_counter() - start))
            for result, _ in timed_frames(segmenter, source, picture=True):
                start = time.perf_counter()
                result.at_source()
                middle = time.perf_counter()
                overlay.draw(result, room)
                enlarges.append(1e3 * (middle - start))
                draws.append(1e3 * (time.perf_counter() - start))
                if not number and result.frame.index in (5, 6, 7, 8):
                    some.append(kept(result))
            if number:  # the first round opens and fills what is kept
                frame_ms += alone
                draw_ms += draws[2:]
                enlarge_ms += enlarges[2:]
                held_ms += holds[2:]
                held.append(statistics.median(holds[2:]) / statistics.fmean(alone))
                ratios.append(statistics.median(draws[2:]) / statistics.fmean(alone))
                added.append(statistics.fmean(whole[2:]) / statistics.fmean(alone) - 1)
            print(f"{lines} lines: round {number} of {rounds}", flush=True)
    return {
        "size": list(size),
        "frame_ms": round(statistics.fmean(frame_ms), 2),
        "held_ms": round(statistics.median(held_ms), 2),
        "held_of_a_frame": round(statistics.median(held), 3),
        "held_of_a_frame_by_round": [round(ratio, 3) for ratio in held],
        "drawing_ms": round(statistics.median(draw_ms), 2),
        "of_it_enlarging_ms": round(statistics.median(enlarge_ms), 2),
        "drawing_of_a_frame": round(statistics.median(ratios), 3),
        "drawing_of_a_frame_by_round": [round(ratio, 3) for ratio in ratios],
        "added_with_encoding": round(statistics.median(added), 3),
        "styles_ms": {name: _style_ms(style, size, classes, some) for name, style in STYLES.items()},
    }


def _style_ms(style: OverlayStyle, size: tuple[int, int], classes: Any, results: list[SegmentedFrame]) -> float:
    overlay = Overlay(size, classes, style)
    room, times = overlay.new_picture(), []
    for _ in range(6):
        for result in results:
            start = time.perf_counter()
            overlay.draw(result, room)
            times.append(1e3 * (time.perf_counter() - start))
    return round(float(np.median(times[len(results) :])), 2)


def main() -> None:
    """Measure each size, print a table, and keep a record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clip", type=Path, default=CLIP)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--lines", type=int, nargs="+", default=[360, 540, 1080])
    parser.add_argument("--record", type=Path, default=RECORD)
    chosen = parser.parse_args()
    table = {str(lines): measured(lines, chosen.clip, chosen.rounds, chosen.frames) for lines in chosen.lines}
    settings = {
        "clip": chosen.clip.name,
        "bundle": BUNDLE.name,
        "rounds": chosen.rounds,
        "frames": chosen.frames,
        "limit": LIMIT,
        "style": {field.name: getattr(DEFAULT_STYLE, field.name) for field in fields(DEFAULT_STYLE)},
    }
    write_record(record_now("overlay", settings=settings, values=table), chosen.record)
    for lines, row in table.items():
        print(
            f"{lines:>5} lines: frame {row['frame_ms']} ms, held {row['held_ms']} ms "
            f"({row['held_of_a_frame']:.0%}), drawing {row['drawing_ms']} ms "
            f"({row['drawing_of_a_frame']:.0%}), with encoding {row['added_with_encoding']:+.0%}; {row['styles_ms']}"
        )


if __name__ == "__main__":
    main()
