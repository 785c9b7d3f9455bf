"""A keyframe policy of your own: a new keyframe where the class map has changed much since the last one.

usage: python examples/own_policy.py VIDEO [BUNDLE]

Where the camera stands still, keyframes become rare; where the scene changes, they come early.
"""

import sys

import numpy as np
from numpy.typing import NDArray

from edge_arseg import Branch, FrameStatistics, Segmenter


class ChangePolicy:
    """A policy is any function from ``FrameStatistics`` to ``Branch``; this one remembers the keyframe's class map."""

    def __init__(self, *, change: float = 0.1, longest: int = 60):
        """Take the share of pixels that may change their class, 0 to 1, and the most frames between keyframes."""
        self._change, self._longest = change, longest
        self._key: NDArray[np.uint8] | None = None

    def __call__(self, frame: FrameStatistics) -> Branch:
        """Return HR for a frame that shall be a keyframe."""
        if frame.distance is None or frame.last is None:
            return Branch.HR
        if frame.last.distance == 0:
            self._key = frame.last.class_map.copy()  # the buffer is overwritten by the next frame
        changed = np.mean(frame.last.class_map != self._key)
        if frame.distance >= self._longest or changed > self._change or frame.intra_ratio > 0.5:
            return Branch.HR
        return Branch.LR


def main(video: str, bundle: str | None = None) -> None:
    """Print which frames became keyframes."""
    with Segmenter(bundle, policy=ChangePolicy()) as segmenter:
        frames = [result.distance for result in segmenter.stream(video)]
    keys = [index for index, distance in enumerate(frames) if distance == 0]
    print(f"{len(frames)} frames, keyframes: {keys}")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])
