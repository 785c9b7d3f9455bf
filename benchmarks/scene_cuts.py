#!/usr/bin/env python3
"""Share of a picture to which `--motion recode` finds no vectors: at cuts, and at ordinary pictures.

usage: python benchmarks/scene_cuts.py CAMVID [--pairs 160] [--mixed 80]

A cut is made of two pictures: the first is given twice, then comes the other. Both are CamVid pictures of different
sequences, or one is of the recorded highway clip. Ordinary pictures are those of the clip and of the `val` video, at 15
pictures a second and at fewer. A limit finds a cut where a larger share has no vectors.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge_arseg.bench.record import record_now, write_record
from edge_arseg.motion.keyframe import SCENE_CUT
from edge_arseg.video.vectors.recode import Recoder

HERE = Path(__file__).resolve().parents[1]
RECORD = HERE / "benchmarks/results/scene_cuts.json"
CLIP = HERE.parent / "shared/clips/highway_960x540.mp4"
HEIGHT, WIDTH = 360, 480
LIMITS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6)
STEPS = {"val, 15 a second": 1, "val, 5 a second": 3, "val, 1 a second": 15}

Picture = NDArray[np.uint8]


def shares(pictures: Iterable[Picture], scale: float) -> list[float]:
    """Return the share without vectors of every picture but the first."""
    recoder, found = Recoder(HEIGHT, WIDTH, scale=scale), []
    for picture in pictures:
        vectors = recoder.vectors(av.VideoFrame.from_ndarray(picture, format="rgb24"))
        if vectors is not None:
            covered = float((vectors["width"].astype(int) * vectors["height"]).sum())
            found.append(max(0.0, 1 - covered / (HEIGHT * WIDTH)))
        else:
            found.append(1.0)
    return found[1:]


def picture_of(path: Path) -> Picture:
    """Read a picture at the size of the model."""
    return np.asarray(Image.open(path).convert("RGB").resize((WIDTH, HEIGHT)))


def main() -> None:
    """Take the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("camvid", type=Path)
    parser.add_argument("--pairs", type=int, default=160)
    parser.add_argument("--mixed", type=int, default=80)
    asked = parser.parse_args()
    images = sorted(asked.camvid.glob("*/images/*"))
    with av.open(str(CLIP)) as source:
        clip = [one.reformat(WIDTH, HEIGHT, "rgb24").to_ndarray() for one in source.decode(video=0)]
    val = [picture_of(path) for path in images if path.parent.parent.name == "val"]
    values = {}
    for scale in (1.0, 0.5):
        rng = np.random.default_rng(0)
        cuts = []
        while len(cuts) < asked.pairs:
            before, after = (images[number] for number in rng.choice(len(images), 2))
            if before.name[:6] != after.name[:6]:
                first = picture_of(before)
                cuts.append(shares([first, first, picture_of(after)], scale)[-1])
        while len(cuts) < asked.pairs + asked.mixed:
            number, image = int(rng.integers(len(clip) - 1)), picture_of(images[int(rng.integers(len(images)))])
            cuts.append(shares([clip[number], clip[number + 1], image], scale)[-1])
            cuts.append(shares([image, image, clip[number]], scale)[-1])
        ordinary = {"clip, 25 a second": max(shares(clip, scale))}
        ordinary |= {name: max(shares(val[::step], scale)) for name, step in STEPS.items()}
        values[f"recode scale {scale:g}"] = {
            "cuts": len(cuts),
            "least_share": round(min(cuts), 4),
            "found_by_limit": {str(limit): round(float(np.mean(np.array(cuts) > limit)), 4) for limit in LIMITS},
            "largest_share_of_ordinary_pictures": {name: round(share, 4) for name, share in ordinary.items()},
        }
        print(values)
    write_record(record_now("scene_cuts", settings={"default_limit": SCENE_CUT}, values=values), RECORD)


if __name__ == "__main__":
    main()
