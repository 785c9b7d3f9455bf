"""Frames in, branch and flow out: the way back to the keyframe with the keyframe policy."""

from edge_arseg.motion.keyframe import FrameStatistics, KeyframePolicy, Policy, branch_from_statistics, check_policy
from edge_arseg.motion.path import Path
from edge_arseg.spec.frame import Branch, Frame, MotionField, SegmentedFrame

BROKEN = 0.5
"""Share of a frame without vectors above which the flow leads nowhere: a keyframe cannot wait."""


class MotionChain:
    """Follows a source frame by frame and resets the flow on the keyframes that the policy picks.

    ::

        chain = MotionChain(reader.height, reader.width, policy=KeyframePolicy(interval=12))
        for frame in reader:
            branch, motion = chain.follow(frame)

    A keyframe may also come later than its frame, because its HR pass takes a while: ``fork`` on its frame, ``join``
    when it is there. In between flows lead to the keyframe before, and motion is chained from both.

    Args:
        height: of the frames, luma pixels.
        width: of the frames, luma pixels.
        block: side of a flow cell: 2, 4 or 8 luma pixels.
        policy: when a frame becomes a keyframe; any ``Policy``.

    Attributes:
        broken: the flow of the frame that was followed last leads nowhere.

    Raises:
        OptionError: a value is out of range.
    """

    def __init__(self, height: int, width: int, *, block: int = 4, policy: Policy | None = None) -> None:
        if policy is not None:
            check_policy(policy)
        self.policy: Policy = KeyframePolicy() if policy is None else policy
        self.broken = True
        self._new_path = lambda: Path(height, width, block=block)
        self._path, self._key_index = self._new_path(), -1
        self._spare: Path | None = None
        self._coming: tuple[Path, int] | None = None
        self._begun_index: int | None = None  # of the last keyframe, whether it is there or not
        self._damaged_since = False

    @property
    def forked(self) -> bool:
        """Whether a keyframe is still to come."""
        return self._coming is not None

    def distance(self, frame: Frame) -> int:
        """Frames from the keyframe that flows lead to, to ``frame``."""
        return frame.index - self._key_index

    def follow(self, frame: Frame, last: SegmentedFrame | None = None) -> tuple[Branch, MotionField]:
        """The branch for ``frame``, and the flow back to its keyframe; HR makes it the keyframe.

        A keyframe gets zero flow, with the ``intra_ratio`` that its own step had. The flow is a view: see
        ``Accumulator.field`` for how long it lives.

        Args:
            frame: the next one of the source.
            last: what became of the one before, for policies that look at it.

        Raises:
            OptionError: the policy answers with something else than a branch.
        """
        branch, motion = self.step(frame, last)
        if branch is Branch.HR:
            self.key(frame)
        return branch, motion

    def step(self, frame: Frame, last: SegmentedFrame | None = None) -> tuple[Branch, MotionField]:
        """As ``follow``, but the keyframe stays the one it was: ``key`` or ``fork`` comes next where it is HR."""
        motion = self._path.follow(frame)
        if self._coming is not None:
            self._coming[0].follow(frame)
        statistics = FrameStatistics(
            distance=None if self._begun_index is None else frame.index - self._begun_index,
            intra_ratio=motion.intra_ratio,
            intra=frame.intra,
            damaged=frame.damaged,
            damaged_since=self._damaged_since,
            last=last,
            warp_error=motion.warp_error,
            dropped=len(frame.missed),
        )
        self.broken = self._begun_index is None or motion.intra_ratio > BROKEN
        self._damaged_since |= frame.damaged
        return branch_from_statistics(statistics, self.policy), motion

    def key(self, frame: Frame) -> None:
        """Make the frame that was followed last the keyframe; one that is still to come is given up."""
        if self._coming is not None:
            (self._spare, _), self._coming = self._coming, None
        self._path.begin(frame)
        self._key_index = frame.index
        self._begun(frame)

    def fork(self, frame: Frame) -> None:
        """Make the frame that was followed last a keyframe that is to come."""
        path = self._spare or self._new_path()
        path.begin(frame)
        self._coming = path, frame.index
        self._begun(frame)

    def join(self) -> None:
        """The keyframe that was to come is there: from the next frame on, flows lead to it."""
        if self._coming is not None:
            self._spare = self._path
            (self._path, self._key_index), self._coming = self._coming, None

    def _begun(self, frame: Frame) -> None:
        self._begun_index = frame.index
        self._damaged_since = frame.damaged
