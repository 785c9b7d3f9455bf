"""The street drive as a video file with labels beside it, for demos, calibration and tests."""

from pathlib import Path

from edge_arseg.errors import OptionError
from edge_arseg.spec.model import CAMVID_11
from edge_arseg.storage.files.whole import whole_file
from edge_arseg.street.drive import Scene, scenes_from_street
from edge_arseg.video.sinks.base import sink_errors
from edge_arseg.video.sinks.class_ids.png import palette_from_classes, png_from_indices
from edge_arseg.video.sinks.movies.encoder import Encoder


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
        path: the video, written whole or not at all; the ending chooses the container. Directories are made if missing,
            files are replaced.
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
        with whole_file(path) as part:
            try:
                encoder = Encoder(
                    part, size, rate, codec=codec, bitrate=bitrate, gop=gop, bframes=bframes, options=options
                )
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
