"""One image file as an array."""

from pathlib import Path

import numpy as np

from edge_arseg.errors import DataError, SourceError
from edge_arseg.storage.url import printable
from edge_arseg.video.rgb import upright_rgb
from edge_arseg.video.sources.images import picture_from_file


def read_rgb(path: Path) -> np.ndarray:
    """Read an image as it is shown, turned and mirrored as its EXIF data says: ``[H, W, 3] uint8`` RGB.

    Raises:
        DataError: it cannot be read, or there is no picture in it.
    """
    try:
        picture = picture_from_file(path, path.name)
    except SourceError as error:
        reason = str(error).removeprefix(f"{printable(str(path))}: ")
        raise DataError(f"{path.name}: cannot be read as an image ({reason})") from error
    size = picture.held.sides(picture.frame.height, picture.frame.width)
    return np.ascontiguousarray(upright_rgb(picture.frame, size, picture.held))
