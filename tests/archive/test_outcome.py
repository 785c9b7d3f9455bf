"""What the summary counts."""

import numpy as np

from edge_arseg.archive.outcome import Tally
from edge_arseg.spec.frame import Branch, Frame, SegmentedFrame
from edge_arseg.spec.model import ClassInfo


def result(index, branch, distance):
    class_map = np.zeros((2, 2), np.uint8)
    return SegmentedFrame(Frame(index, 0.1 * index, np.zeros((2, 2, 3), np.uint8)), class_map, branch, distance, 1.0)


def test_keyframes_that_were_made_in_the_background_count_once_each():
    tally = Tally((ClassInfo("road", (0, 0, 0)),))
    # the frames 3 and 6 became keyframes, and were there two frames later
    for index, distance in enumerate((0, 1, 2, 3, 4, 2, 3, 4, 2)):
        tally.add(result(index, Branch.HR if index == 0 else Branch.LR, distance))
    assert (tally.frames, tally.keyframes) == (9, 3)
