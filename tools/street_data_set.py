#!/usr/bin/env python3
"""Write a small labelled data set and a labelled clip of the rendered street, to try training on.

usage: python tools/street_data_set.py FOLDER [--images 24] [--size 96x128]

FOLDER/images, FOLDER/labels and FOLDER/classes.toml are a data set of the plain layout (docs/training_data.md).
FOLDER/drive.mp4 and FOLDER/drive_labels are a clip of another street with a label for each frame, to score on.
"""

import argparse
import shutil
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from edge_arseg.spec.model import CAMVID_11
from edge_arseg.street import scenes_from_street
from edge_arseg.video.sinks.class_ids.png import palette_from_classes, png_from_indices

SPACING_S = 0.8
"""Time between two images of the data set: neighbours must not look alike."""
CLIP_FRAMES, CLIP_RATE = 24, 15


def write_data_set(folder: Path, images: int, size: tuple[int, int]) -> None:
    """Write everything; a folder that exists is refused."""
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    (folder / "drive_labels").mkdir()
    palette = palette_from_classes(CAMVID_11)
    for scene in scenes_from_street(size=size, count=images, rate=1 / SPACING_S, seed=2):
        _write_png(folder / "images" / f"{scene.index:04d}.png", scene.rgb)
        (folder / "labels" / f"{scene.index:04d}.png").write_bytes(png_from_indices(scene.labels, palette))
    (folder / "classes.toml").write_text(
        "\n".join(f'[[class]]\nname = "{one.name}"\ncolor = {list(one.color)}\n' for one in CAMVID_11)
    )
    with av.open(str(folder / "drive.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=CLIP_RATE)
        stream.height, stream.width, stream.pix_fmt = *size, "yuv420p"
        stream.options = {"bf": "0", "refs": "1", "g": "12", "crf": "20"}
        for scene in scenes_from_street(size=size, count=CLIP_FRAMES, rate=CLIP_RATE, seed=3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(scene.rgb, format="rgb24")))
            (folder / "drive_labels" / f"{scene.index:06d}.png").write_bytes(png_from_indices(scene.labels, palette))
        container.mux(stream.encode(None))


def _write_png(path: Path, rgb: NDArray[np.uint8]) -> None:
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as container:
        stream = container.add_stream("png")
        stream.height, stream.width, stream.pix_fmt = *rgb.shape[:2], "rgb24"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode(None))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=24)
    parser.add_argument("--size", default="96x128", metavar="HxW")
    given = parser.parse_args()
    rows, columns = map(int, given.size.split("x"))
    if given.folder.exists():
        parser.error(f"{given.folder} exists; name a new folder")
    try:
        write_data_set(given.folder, given.images, (rows, columns))
    except BaseException:
        shutil.rmtree(given.folder, ignore_errors=True)
        raise
    print(f"{given.folder}: {given.images} images with labels, and drive.mp4 of {CLIP_FRAMES} frames with labels")


if __name__ == "__main__":
    main()
