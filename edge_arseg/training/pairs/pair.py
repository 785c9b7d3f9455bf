"""The unit of training: a keyframe, a later frame, the flow between them, and the later frame's label."""

from dataclasses import dataclass

import numpy as np

BLOCK = 4
"""Side of a flow cell, luma pixels, as at inference."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A frame with the keyframe that came some frames before it, both as decoded.

    Attributes:
        keyframe: ``[H, W, 3] uint8`` RGB.
        frame: ``[H, W, 3] uint8`` RGB.
        flow: ``[ceil(H / 4), ceil(W / 4), 2] float32``, pixels, x then y, from ``frame`` to ``keyframe``: what
            ``MotionField.flow`` is at a block of 4.
        label: ``[H, W] uint8`` of ``frame``, class indices, 255 for ignored.
        distance: frames from ``keyframe`` to ``frame``, 1 or more.
        motion: where the vectors came from: ``recode``, ``codec``, ``zero``, or ``hevc`` in the authors' data.
    """

    keyframe: np.ndarray
    frame: np.ndarray
    flow: np.ndarray
    label: np.ndarray
    distance: int
    motion: str


def record_dtype(height: int, width: int) -> np.dtype:
    """One stored frame: the first of a clip is the keyframe, with distance 0 and no flow."""
    rows, columns = -(-height // BLOCK), -(-width // BLOCK)
    return np.dtype(
        [
            ("rgb", "u1", (height, width, 3)),
            ("label", "u1", (height, width)),
            ("flow", "<f4", (rows, columns, 2)),
            ("distance", "<i4"),
        ]
    )
