"""Golden frames: a few frames of one GOP with the class maps that are expected of them."""

import io
from dataclasses import dataclass, fields

import numpy as np

from edge_arseg.errors import BundleError


@dataclass(frozen=True, slots=True)
class GoldenFrames:
    """``T`` frames of one GOP; the first is the keyframe.

    Attributes:
        frames: ``[T, H, W, 3] uint8`` RGB.
        flows: ``[T, Hg, Wg, 2] float32``, to the first frame, luma pixels (``MotionField.flow``).
        distances: ``[T] int64``, frames since the keyframe.
        hr_maps: ``[T, H, W] uint8``, each frame through the HR branch.
        ar_maps: ``[T, H, W] uint8``: HR for the keyframe, LR branch and fusion for the others.
        lr_maps: ``[T, H, W] uint8``, each frame through the LR branch alone.
    """

    frames: np.ndarray
    flows: np.ndarray
    distances: np.ndarray
    hr_maps: np.ndarray
    ar_maps: np.ndarray
    lr_maps: np.ndarray


def bytes_from_golden(golden: GoldenFrames) -> bytes:
    """Return the frames as the content of an ``.npz`` file."""
    file = io.BytesIO()
    np.savez_compressed(file, **{field.name: getattr(golden, field.name) for field in fields(golden)})
    return file.getvalue()


def golden_from_bytes(content: bytes, *, where: str) -> GoldenFrames:
    """Read what ``bytes_from_golden`` wrote; nothing in it is unpickled.

    Raises:
        BundleError: not such a file.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return GoldenFrames(**{field.name: arrays[field.name] for field in fields(GoldenFrames)})
    except (ValueError, KeyError, OSError, EOFError) as error:
        raise BundleError(f"{where}: not a file of golden frames ({error}); export the bundle again") from error
