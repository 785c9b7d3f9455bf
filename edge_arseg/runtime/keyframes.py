"""Where keyframes are made: at their frame, or beside the frames that follow."""

import numpy as np
from numpy.typing import NDArray

from edge_arseg.motion.chain import MotionChain
from edge_arseg.motion.keyframe import Policy
from edge_arseg.runtime.pipeline import Pipeline
from edge_arseg.spec.frame import Branch, Frame, MotionField, SegmentedFrame


class Keyframes:
    """Says which branch a frame runs through *now*, and which keyframe its flow leads to.

    A keyframe that the pipeline makes beside other frames (``Pipeline.begin_key``) is used from the frame on at whose
    start it is there. Until then frames, its own among them, use the keyframe before. One is under way at a time. A
    keyframe that cannot wait, because nothing leads back to the one before, is made at its frame.

    Args:
        pipeline: what frames run through.
        policy: when a frame becomes a keyframe.

    Raises:
        OptionError: the policy is none.
    """

    def __init__(self, pipeline: Pipeline, policy: Policy) -> None:
        manifest = pipeline.manifest
        self._chain = MotionChain(manifest.height, manifest.width, block=manifest.flow_block, policy=policy)
        self._pipeline = pipeline

    def distance(self, frame: Frame) -> int:
        """Frames from the keyframe that is used, to the frame that was followed last."""
        return self._chain.distance(frame)

    def follow(self, frame: Frame, last: SegmentedFrame | None) -> tuple[Branch, MotionField, NDArray[np.uint8] | None]:
        """Follow the next frame of the source.

        Args:
            frame: the frame.
            last: what became of the one before.

        Returns:
            The branch, the flow as ``MotionChain.follow`` gives it, and the class map of a keyframe that is there
            already.

        Raises:
            OptionError: the policy answers with something else than a branch.
        """
        chain, pipeline = self._chain, self._pipeline
        if chain.forked and pipeline.key_come() is not None:
            chain.join()
        branch, motion = chain.step(frame, last)
        if branch is Branch.LR:
            return branch, motion, None
        if not chain.broken:
            if chain.forked:
                return Branch.LR, motion, None
            if pipeline.begin_key(frame.rgb):
                class_map = pipeline.key_come()
                if class_map is None:
                    chain.fork(frame)
                    return Branch.LR, motion, None
                chain.key(frame)
                return branch, motion, class_map
        chain.key(frame)
        return branch, motion, None
