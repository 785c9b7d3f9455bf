"""The drive: one scene after the other, and the video file made of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_arseg.errors import OptionError
from edge_arseg.spec.classes import CAMVID_11
from edge_arseg.spec.frame import Frame
from edge_arseg.street.options import StreetOptions, checked
from edge_arseg.street.painter import Painter
from edge_arseg.street.traffic import objects_at, pose_at
from edge_arseg.video.sinks.base import sink_errors
from edge_arseg.video.sinks.encoder import Encoder
from edge_arseg.video.sinks.png import palette_from_classes, png_from_indices


@dataclass(frozen=True, slots=True)
class Scene:
    """One moment of a drive.

    Attributes:
        index: counts from 0.
        time_s: ``index / rate``.
        rgb: ``[H, W, 3] uint8``.
        labels: ``[H, W] uint8``, indices of ``CAMVID_11``: the class that covers most of the pixel. Railings and fences
            are labelled as a whole, bars and what is between, as people label them.
    """

    index: int
    time_s: float
    rgb: np.ndarray
    labels: np.ndarray


def scenes_from_street(
    *, size: tuple[int, int] = (360, 480), count: int = 120, rate: float = 15.0, seed: int = 1
) -> Iterator[Scene]:
    """Drive down a street; the same arguments give the same scenes, and ``rate`` only says how often one looks.

    Args:
        size: rows and columns.
        count: how many scenes.
        rate: scenes per second.
        seed: which street.

    Raises:
        OptionError: a value is out of range; see ``StreetOptions``.
    """
    options = checked(StreetOptions(size=size, count=count, rate=rate, seed=seed))
    return _scenes(options)


def _scenes(options: StreetOptions) -> Iterator[Scene]:
    seed = options["seed"]
    painter = Painter(options["size"], seed)
    for index in range(options["count"]):
        time_s = index / options["rate"]
        rgb, labels = painter.paint(pose_at(seed, time_s), *objects_at(seed, time_s))
        yield Scene(index, time_s, rgb, labels)


def frames_from_street(
    *, size: tuple[int, int] = (360, 480), count: int = 120, rate: float = 15.0, seed: int = 1
) -> Iterator[Frame]:
    """Drive down a street without labels; arguments and errors as for ``scenes_from_street``."""
    scenes = scenes_from_street(size=size, count=count, rate=rate, seed=seed)
    return (Frame(scene.index, scene.time_s, scene.rgb) for scene in scenes)


def write_street(
    path: str | Path,
    labels_dir: str | Path | None = None,
    *,
    size: tuple[int, int] = (360, 480),
    count: int = 120,
    rate: float = 15.0,
    seed: int = 1,
    codec: str | None = None,
    bitrate: int | None = None,
    gop: int = 12,
    bframes: int = 0,
    options: dict[str, str] | None = None,
) -> None:
    """Encode a drive, and its labels as index PNGs ``000000.png`` and so on.

    Args:
        path: the video; the ending chooses the container. Directories are made if missing, files are replaced.
        labels_dir: where the labels go; ``None`` writes none.
        size: rows and columns; odd ones get their last row or column twice in the video, not in the labels.
        count: how many frames.
        rate: frames per second.
        seed: which street.
        codec: name of an FFmpeg encoder; by default H.264 where there is one, else MPEG-4.
        bitrate: bits per second; by default a constant quality.
        gop: frames from one keyframe to the next.
        bframes: most B-frames in a row.
        options: further options of the encoder.

    Raises:
        OptionError: a value is out of range, or FFmpeg has no such encoder or container.
        SinkError: the file cannot be written, or the encoder refuses its options.
    """
    scenes = scenes_from_street(size=size, count=count, rate=rate, seed=seed)
    path, palette = Path(path), palette_from_classes(CAMVID_11)
    with sink_errors(str(path)):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            encoder = Encoder(path, size, rate, codec=codec, bitrate=bitrate, gop=gop, bframes=bframes, options=options)
        except ValueError as error:  # FFmpeg knows no such encoder or container
            raise OptionError(
                f"cannot write {path} with codec {codec}: {error}; try NAME.mp4 without a codec"
            ) from error
        try:
            for scene in scenes:
                encoder.write(scene.rgb, scene.time_s)
                if labels_dir is not None:
                    _write_labels(Path(labels_dir), scene, palette)
        finally:
            encoder.close()


def _write_labels(directory: Path, scene: Scene, palette: bytes) -> None:
    with sink_errors(str(directory)):
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{scene.index:06d}.png").write_bytes(png_from_indices(scene.labels, palette))
