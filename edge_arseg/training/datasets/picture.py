"""One image file as an array."""

from pathlib import Path

import av
import numpy as np

from edge_arseg.errors import DataError
from edge_arseg.video.decoding.metadata import ANY_ENCODING
from edge_arseg.video.decoding.orientation import UPRIGHT, orientation_from_picture


def read_rgb(path: Path) -> np.ndarray:
    """Read an image as it is shown, turned and mirrored as its EXIF data says: ``[H, W, 3] uint8`` RGB.

    Raises:
        DataError: it cannot be read, or there is no picture in it.
    """
    try:
        # Else FFmpeg may take a part of the name for a protocol or a pattern.
        options = {"pattern_type": "none"}
        with av.open(f"file:{path}", options=options, **ANY_ENCODING) as container:
            frame = next(container.decode(video=0), None) if container.streams.video else None
    except (av.error.FFmpegError, OSError) as error:
        raise DataError(
            f"{path.name}: cannot be read as an image ({getattr(error, 'strerror', None) or error})"
        ) from error
    if frame is None:
        raise DataError(f"{path.name}: no picture in it")
    orientation = orientation_from_picture(frame) or UPRIGHT
    return np.ascontiguousarray(orientation.shown(frame.to_ndarray(format="rgb24")))
