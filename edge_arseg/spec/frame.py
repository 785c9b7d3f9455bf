"""A video frame, the vectors it came with, and the class map made from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from edge_arseg.spec.geometry.enlargement import map_at_source
from edge_arseg.spec.geometry.placement import Placement

VECTOR_DTYPE: np.dtype[np.void] = np.dtype(
    [("x", "<i2"), ("y", "<i2"), ("width", "u1"), ("height", "u1"), ("flow_x", "<f4"), ("flow_y", "<f4")]
)
"""One block vector, in luma pixels of the frame: ``np.array([(72, 40, 16, 16, -3.5, 0.25)], VECTOR_DTYPE)``.

The block's centre is at ``x``, ``y``, which may lie outside the frame. ``width`` and ``height`` are 16 or 8 as coded,
and any size where the frame was resized. Its content is found in the previous frame at ``(x + flow_x, y + flow_y)``;
parts of a pixel count.
"""


class MotionSource(str, Enum):
    """Where the vectors of a frame come from."""

    CODEC = "codec"  # the stream's own vectors
    RECODE = "recode"  # the decoded frame, encoded again in process
    ZERO = "zero"  # none: everything is assumed to stand still


MOTIONS = ("auto", *(source.value for source in MotionSource))
"""What can be asked for; ``auto`` is whichever suits the stream."""


class Branch(str, Enum):
    """The branch that a frame runs through."""

    HR = "hr"
    LR = "lr"


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded frame.

    A reader of a live source delivers the newest frame and drops those that came in between; their vectors travel in
    ``missed``, so that a consumer still chains every step: first each of ``missed``, then ``vectors``.

    Attributes:
        index: counts the frames of the source from 0, in display order; dropped frames count too.
        time_s: presentation time in seconds, from the container (never index / rate).
        rgb: ``[H, W, 3] uint8``, full range RGB, as the network sees it. A reader that reuses its arrays overwrites
            it: see ``open_video``.
        vectors: ``[N]`` of ``edge_arseg.VECTOR_DTYPE`` from this frame to the previous one: ``x``, ``y`` of
            a block's centre, its ``width`` and ``height``, ``flow_x`` and ``flow_y``, all in pixels. ``None`` where the
            frame has none (intra-coded in a file, first of its stream, after a loss). An empty array means the same.
        intra: the stream coded this frame without reference to others.
        damaged: the decoder reported corruption in this frame, or in one dropped just before it; the next keyframe
            should come early.
        missed: the ``vectors`` of the frames dropped just before this one, oldest first; empty for files.
        source: where the vectors came from.
        picture: ``[H0, W0, 3] uint8``, full range RGB: the upright picture of the source in its own size, or in the
            output size that was asked for. ``None`` where nobody asked for it. It is overwritten when ``rgb`` is.
        placement: where the picture lies in ``rgb``; ``None``: it is ``rgb``.
        arrived_s: ``time.monotonic()`` when the picture was there, of a live or paced source; ``None``: it was read
            when it was wanted.
        cpu_ms: CPU milliseconds of the thread that read it: ``recode`` (finding vectors by encoding it again) and
            ``read`` (all the rest; threads that the decoder has of its own are not in it).
    """

    index: int
    time_s: float
    rgb: NDArray[np.uint8]
    vectors: NDArray[np.void] | None = None
    intra: bool = False
    damaged: bool = False
    missed: tuple[NDArray[np.void] | None, ...] = ()
    source: MotionSource = MotionSource.ZERO
    picture: NDArray[np.uint8] | None = None
    placement: Placement | None = None
    arrived_s: float | None = None
    cpu_ms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MotionField:
    """Backward flow from a frame to its keyframe.

    Attributes:
        flow: ``[ceil(H / block), ceil(W / block), 2] float32``, luma pixels, x then y. The content of pixel ``p`` in
            this frame is at ``p + flow(p)`` in the keyframe.
        block: side of a cell in luma pixels.
        source: where the vectors came from.
        intra_ratio: share of the frame, 0 to 1, that had no vector in the last step (a scene-cut signal).
        warp_error: mean absolute difference, grey levels from 0 to 255, between the frame and the keyframe moved by the
            flow, at low resolution; ``None``: not measured.
    """

    flow: NDArray[np.float32]
    block: int
    source: MotionSource
    intra_ratio: float
    warp_error: float | None = None


@dataclass(frozen=True, slots=True)
class SegmentedFrame:
    """One frame with its class map.

    Attributes:
        frame: the frame as it was shown to the network.
        class_map: ``[H, W] uint8`` class indices, same size as ``frame.rgb``. The array may be a buffer that the next
            frame overwrites: copy what is to be kept. The same holds for ``frame.rgb`` and ``frame.picture``. Behind
            bars (``--fit letterbox``) it holds what the network made of them.
        branch: the branch that the frame ran through.
        distance: frames since the keyframe; 0 on the keyframe itself.
        latency_ms: from the decoded frame being taken up to its class map being ready.
        motion: flow to the keyframe; ``None`` on a keyframe.
        stages_ms: milliseconds of each stage of this frame by name: ``decode`` (waiting for the reader, which
            decodes and recodes beside the engines), ``motion``, ``hr``, ``lr``, ``fuse``, ``head``; those that did not
            run are absent.
        source_map: what ``at_source`` calls; ``None``: it makes a new array.
        age_ms: from the picture's arrival to its class map, milliseconds; ``None``: it was read when it was wanted.
        dropped: frames of the source that were dropped just before this one.
    """

    frame: Frame
    class_map: NDArray[np.uint8]
    branch: Branch
    distance: int
    latency_ms: float
    motion: MotionField | None = None
    stages_ms: Mapping[str, float] = field(default_factory=dict)
    source_map: Callable[[], NDArray[np.uint8]] | None = field(default=None, repr=False, compare=False)
    age_ms: float | None = None
    dropped: int = 0

    def shown_map(self) -> NDArray[np.uint8]:
        """Return the part of ``class_map`` that shows the picture, without bars; a view."""
        if self.frame.placement is None:
            return self.class_map
        top, left, height, width = self.frame.placement.shown
        return self.class_map[top : top + height, left : left + width]

    def at_source(self) -> NDArray[np.uint8]:
        """Return the class map in the size of the source's picture, or in the output size that was asked for.

        It is made when it is asked for, once a frame. Like ``class_map`` the array is a buffer that the next frame
        overwrites, and ``class_map`` itself where both sizes are the same: copy what is to be kept, and do not write
        to it.

        Returns:
            ``[H0, W0] uint8``, the size of ``frame.picture``: class indices that occur in ``class_map``; 255 where the
            network did not see the picture (``--fit crop``).
        """
        if self.source_map is not None:
            return self.source_map()
        placement = self.frame.placement
        return self.class_map if placement is None or placement.same else map_at_source(self.class_map, placement)
