"""What the values of a setting are made of, so that one setting tells of others."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Parts:
    """What was measured of a setting, part by part.

    Attributes:
        hr_ms: of a frame of the HR branch, mean; ``nan``: there was none.
        lr_ms: of a frame of the LR branch, likewise.
        hr_frames: frames of the HR branch that were timed.
        lr_frames: frames of the LR branch that were timed.
        by_distance: mIoU at each distance from the keyframe, per cent, 0 first; ``nan``: no map was scored there.
        maps: class maps that were scored at each distance.
        frames: labelled frames that were scored, each counted once.
    """

    hr_ms: float
    lr_ms: float
    hr_frames: int
    lr_frames: int
    by_distance: tuple[float, ...] = ()
    maps: tuple[int, ...] = ()
    frames: int = 0

    @property
    def reach(self) -> int:
        """Distances from 0 on that were scored without a gap."""
        scored = ~np.isnan(np.array(self.by_distance, np.float64))
        return len(scored) if scored.all() else int(np.argmin(scored))
