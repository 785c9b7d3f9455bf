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

    def faults(self) -> list[str]:
        """Return what is not as described above, in words."""
        if self.frames.ndim != 4 or self.frames.shape[3] != 3 or self.frames.dtype != np.uint8 or not len(self.frames):
            return [
                f"frames: {self.frames.dtype}{list(self.frames.shape)} seen, uint8[frames, rows, columns, 3] expected"
            ]
        faults = []
        for name in ("hr_maps", "ar_maps", "lr_maps"):
            maps = getattr(self, name)
            count = len(self.frames) if name == "hr_maps" or len(maps) else 0
            if maps.shape != (count, *self.frames.shape[1:3]) or maps.dtype != np.uint8:
                faults.append(
                    f"{name}: {maps.dtype}{list(maps.shape)} seen, uint8{list(self.frames.shape[:3])} expected"
                )
        if self.distances.shape != self.frames.shape[:1] or self.distances.dtype != np.int64:
            faults.append(
                f"distances: {self.distances.dtype}{list(self.distances.shape)} seen, one int64 a frame expected"
            )
        flows = self.flows
        if flows.ndim != 4 or len(flows) != len(self.frames) or flows.shape[3] != 2 or flows.dtype != np.float32:
            faults.append(f"flows: {flows.dtype}{list(flows.shape)} seen, float32[frames, rows, columns, 2] expected")
        return faults
