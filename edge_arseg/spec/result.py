"""What the segmentation of one frame gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edge_arseg.spec.frame import Branch, Frame, MotionField


@dataclass(frozen=True, slots=True)
class SegmentedFrame:
    """One frame with its class map.

    Attributes:
        frame: the frame as it was shown to the network.
        class_map: ``[H, W] uint8`` class indices, same size as ``frame.rgb``. The array may be a buffer that the next
            frame overwrites: copy what is to be kept. The same holds for ``frame.rgb``.
        branch: the branch that the frame ran through.
        distance: frames since the keyframe; 0 on the keyframe itself.
        latency_ms: from the decoded frame being taken up to its class map being ready.
        motion: flow to the keyframe; ``None`` on a keyframe.
        stages_ms: milliseconds of each stage of this frame by name: ``decode`` (waiting for the reader, which
            decodes and recodes beside the engines), ``motion``, ``hr``, ``lr``, ``fuse``, ``head``; those that did not
            run are absent.
    """

    frame: Frame
    class_map: NDArray[np.uint8]
    branch: Branch
    distance: int
    latency_ms: float
    motion: MotionField | None = None
    stages_ms: Mapping[str, float] = field(default_factory=dict)
