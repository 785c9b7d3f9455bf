"""Codec vectors to block flow to flow back to the keyframe; the keyframe policy. Pure functions of numpy arrays."""

from edge_arseg.motion.accumulate import BLOCKS, Accumulator
from edge_arseg.motion.blocks import CELL, BlockFlow, blocks_from_vectors, empty_blocks
from edge_arseg.motion.chain import MotionChain
from edge_arseg.motion.fill import fill_blocks
from edge_arseg.motion.keyframe import FrameStatistics, KeyframePolicy, Policy, branch_from_statistics

__all__ = [
    "BLOCKS",
    "CELL",
    "Accumulator",
    "BlockFlow",
    "FrameStatistics",
    "KeyframePolicy",
    "MotionChain",
    "Policy",
    "blocks_from_vectors",
    "branch_from_statistics",
    "empty_blocks",
    "fill_blocks",
]
