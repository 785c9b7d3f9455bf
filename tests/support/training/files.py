"""Small labelled data sets for the tests of training data."""

import struct
from pathlib import Path

import av
import numpy as np

from edge_arseg.spec.model import CAMVID_11
from edge_arseg.video.sinks.class_ids.png import palette_from_classes, png_from_indices

SKY, BUILDING, POLE, ROAD, CAR = 0, 1, 2, 3, 8
PALETTE = palette_from_classes(CAMVID_11)


def street_still(rows: int = 96, columns: int = 128, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A textured still of a street: sky, houses, a road, a car and a pole on it."""
    rng = np.random.default_rng(seed)
    label = np.full((rows, columns), SKY, np.uint8)
    horizon = rows * 2 // 5
    label[rows // 5 : horizon + 2] = BUILDING
    label[rows // 5 : horizon + 2, columns * 3 // 8 : columns * 5 // 8] = SKY
    label[horizon + 2 :] = ROAD
    label[rows // 2 : rows * 3 // 4, columns // 8 : columns * 3 // 8] = CAR
    label[rows // 8 : rows * 3 // 5, columns * 6 // 8 : columns * 6 // 8 + 3] = POLE
    rough = rng.integers(0, 90, (rows // 4 + 1, columns // 4 + 1, 3)).repeat(4, 0).repeat(4, 1)[:rows, :columns]
    colors = np.array([info.color for info in CAMVID_11])
    rgb = np.clip(colors[label] * 0.6 + rough + rng.integers(0, 12, (rows, columns, 3)), 0, 255).astype(np.uint8)
    return rgb, label


def png_from_rgb(rgb: np.ndarray) -> bytes:
    """A lossless colour PNG."""
    encoder = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt = rgb.shape[1], rgb.shape[0], "rgb24"
    encoder.time_base = 1
    packets = [
        *encoder.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")),
        *encoder.encode(),
    ]
    return b"".join(bytes(packet) for packet in packets)


def jpeg_from_rgb(rgb: np.ndarray, *, orientation: int) -> bytes:
    """A JPEG whose EXIF data says how it is held: 1 as it is, 6 a quarter turn to the right."""
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = rgb.shape[1], rgb.shape[0], "yuvj444p"
    encoder.time_base = 1
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24").reformat(format="yuvj444p")
    data = b"".join(bytes(packet) for given in (frame, None) for packet in encoder.encode(given))
    exif = b"Exif\0\0II*\0" + struct.pack("<IHHHIII", 8, 1, 0x112, 3, 1, orientation, 0)
    return data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:]


def write_still(images: Path, labels: Path, name: str, rgb: np.ndarray, label: np.ndarray) -> None:
    """Write one image with its label."""
    images.mkdir(parents=True, exist_ok=True)
    labels.mkdir(parents=True, exist_ok=True)
    (images / f"{name}.png").write_bytes(png_from_rgb(rgb))
    (labels / f"{name}.png").write_bytes(png_from_indices(label, PALETTE))


def write_camvid(root: Path, names: list[str], *, rows: int = 96, columns: int = 128) -> Path:
    """A data set in the layout of CamVid."""
    for seed, name in enumerate(names):
        write_still(root / "train/images", root / "train/labels", name, *street_still(rows, columns, seed))
    return root


def write_classes(path: Path) -> None:
    """``classes.toml`` of CamVid's 11 classes."""
    lines = [f'[[class]]\nname = "{info.name}"\ncolor = {list(info.color)}\n' for info in CAMVID_11]
    path.write_text("\n".join(lines))
