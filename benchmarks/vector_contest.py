#!/usr/bin/env python3
"""Measure what a contest finds: warp errors of a stream's own vectors and of recoded ones, and what `auto` makes of it.

usage: python benchmarks/vector_contest.py

The highway clip and CamVid's `val` video, 100 frames each, encoded without B-frames and with one reference frame: by
x264 at 1 Mbit/s, with its fastest preset, and with the shortest search it has; by FFmpeg's MPEG-4 encoder, whose
vectors `auto` did not trust before. The vectors of the first are then damaged while they are read: noise of 4 pixels,
half the length, none at all. A round is held every 30 frames. No time is taken.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np

from edge_arseg.bench.record import record_now, write_record
from edge_arseg.video import open_video
from edge_arseg.video.vectors import contest, source

HERE = Path(__file__).resolve().parents[1]
RECORD = HERE / "benchmarks/results/vector_contest.json"
SHARED = HERE.parent / "shared"
SIZE, FRAMES = (360, 480), 100
X264 = {"bf": "0", "refs": "1", "g": "60"}
STREAMS: dict[str, tuple[str, dict[str, str]]] = {
    "x264, 1 Mbit/s": ("libx264", {**X264, "b": "1000k"}),
    "x264, ultrafast": ("libx264", {**X264, "preset": "ultrafast"}),
    "x264, shortest search": ("libx264", {**X264, "preset": "superfast", "me": "dia", "subme": "0", "me_range": "4"}),
    "MPEG-4, 2 Mbit/s": ("mpeg4", {"g": "60", "b": "2000k"}),
}
_noise = np.random.default_rng(0)


def noisy(vectors: np.ndarray) -> None:
    """Add noise of 4 pixels."""
    for name in ("flow_x", "flow_y"):
        vectors[name] += _noise.normal(0, 4, len(vectors)).astype(np.float32)


def half(vectors: np.ndarray) -> None:
    """Halve them."""
    for name in ("flow_x", "flow_y"):
        vectors[name] *= 0.5


def none(vectors: np.ndarray) -> None:
    """Say that nothing moves."""
    for name in ("flow_x", "flow_y"):
        vectors[name] = 0


DAMAGE: dict[str, Callable[[np.ndarray], None]] = {"noise of 4 pixels": noisy, "half the length": half, "none": none}


def pictures(clip: str) -> Iterator[av.VideoFrame]:
    """Yield the pictures of a clip."""
    if clip == "highway":
        with av.open(str(SHARED / "clips/highway_960x540.mp4")) as container:
            for _, frame in zip(range(FRAMES), container.decode(video=0), strict=False):
                yield frame.reformat(format="yuv420p")
        return
    for path in sorted((SHARED / "camvid/val/images").iterdir())[:FRAMES]:
        with av.open(str(path)) as container:
            yield next(container.decode(video=0)).reformat(format="yuv420p")


def encode(clip: str, path: Path, codec: str, options: dict[str, str]) -> None:
    """Encode a clip."""
    with av.open(str(path), "w") as output:
        stream = None
        for number, picture in enumerate(pictures(clip)):
            if stream is None:
                stream = output.add_stream(codec, 25, options=options)
                stream.width, stream.height, stream.pix_fmt = picture.width, picture.height, "yuv420p"
            picture.pts, picture.time_base, picture.pict_type = number, Fraction(1, 25), 0
            output.mux(stream.encode(picture))
        assert stream is not None
        output.mux(stream.encode())


def judged(path: Path, damage: Callable[[np.ndarray], None] | None = None) -> dict[str, Any]:
    """Return what each round found, and the sources that were used."""
    verdicts: list[contest.Verdict] = []
    step, read = contest.Contest.step, source.vectors_from_picture

    def noted(self: contest.Contest, *arguments: Any) -> contest.Verdict | None:
        verdict = step(self, *arguments)
        if verdict is not None:
            verdicts.append(verdict)
        return verdict

    def spoilt(picture: av.VideoFrame) -> np.ndarray | None:
        vectors = read(picture)
        if vectors is not None and damage is not None:
            damage(vectors)
        return vectors

    contest.Contest.step, source.vectors_from_picture = noted, spoilt  # type: ignore[method-assign]
    try:
        with open_video(path, size=SIZE) as reader:
            used = [frame.source.value for frame in reader]
    finally:
        contest.Contest.step, source.vectors_from_picture = step, read  # type: ignore[method-assign]
    return {
        "own_levels": [round(verdict.own, 2) for verdict in verdicts],
        "recoded_levels": [round(verdict.recoded, 2) for verdict in verdicts],
        "first": used[0],
        "last": used[-1],
        "changes": sum(a != b for a, b in pairwise(used)),
    }


def main() -> None:
    """Measure, print, and keep a record."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--record", type=Path, default=RECORD)
    chosen = parser.parse_args()
    contest.PAUSE = 30
    values: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mkv"
        for clip in ("highway", "val"):
            rows = values[clip] = {}
            for name, (codec, options) in STREAMS.items():
                encode(clip, path, codec, options)
                rows[name] = judged(path)
            encode(clip, path, *STREAMS["x264, 1 Mbit/s"])
            for name, damage in DAMAGE.items():
                rows[f"x264, 1 Mbit/s, {name}"] = judged(path, damage)
            for name, row in rows.items():
                print(clip, name, row, flush=True)
    settings = {"size": list(SIZE), "frames": FRAMES, "pause": 30, "leave": contest.LEAVE, "take": contest.TAKE}
    write_record(record_now("vector_contest", settings=settings, values=values), chosen.record)


if __name__ == "__main__":
    main()
