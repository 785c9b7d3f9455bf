"""Golden frames: a few frames of one GOP with the class maps that are expected of them."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class GoldenFrames:
    """``T`` frames of one GOP; the first is the keyframe.

    Attributes:
        frames: ``[T, H, W, 3] uint8`` RGB.
        flows: ``[T, Hg, Wg, 2] float32``, to the first frame, luma pixels (``MotionField.flow``).
        distances: ``[T] int64``, frames since the keyframe.
        hr_maps: ``[T, H, W] uint8``, each frame through the HR branch.
        ar_maps: ``[T, H, W] uint8``: HR for the keyframe, LR branch and fusion for the others. Of a bundle with the HR
            branch alone ``[0, H, W]``.
        lr_maps: ``[T, H, W] uint8``, each frame through the LR branch alone; ``[0, H, W]`` likewise.
    """

    frames: np.ndarray
    flows: np.ndarray
    distances: np.ndarray
    hr_maps: np.ndarray
    ar_maps: np.ndarray
    lr_maps: np.ndarray
