"""Small stores of training pairs: patches in the colours of their classes, moving together."""

import numpy as np

from edge_arseg.spec.model import CAMVID_11
from edge_arseg.training.pairs.pair import record_dtype
from edge_arseg.training.pairs.store import ClipEntry, StoreHead
from edge_arseg.training.pairs.writer import StoreWriter

DISTANCES = (1, 3)
PATCH = 16
STEP = (4, -4)
"""Pixels that everything moves a frame, x then y."""


def patch_store(path, *, clips=4, held_back=2, size=(64, 96), classes=CAMVID_11, labelled=True):
    """Write a store of clips with pairs at distances 1 and 3, and return its path."""
    writer = StoreWriter(path, StoreHead(classes, *size, 12))
    for number in range(clips + held_back):
        records = patch_records(size, classes, np.random.default_rng(number))
        if not labelled:
            records["label"] = 255
        part = "train" if number < clips else "held_back"
        writer.add(ClipEntry(f"clip{number}", part, "zero", DISTANCES, labelled), records)
    return path


def patch_records(size, classes, random):
    """A keyframe and the frames at ``DISTANCES`` behind it, with the flow that takes each to the keyframe."""
    colours = np.array([info.color for info in classes], np.uint8)
    cells = random.integers(len(classes), size=(-(-size[0] // PATCH) + 2, -(-size[1] // PATCH) + 2))
    ground = cells.repeat(PATCH, 0).repeat(PATCH, 1).astype(np.uint8)
    records = np.zeros(1 + len(DISTANCES), record_dtype(*size))
    for record, distance in zip(records, (0, *DISTANCES), strict=True):
        x, y = PATCH - STEP[0] * distance, PATCH - STEP[1] * distance
        record["label"] = ground[y : y + size[0], x : x + size[1]]
        noise = random.integers(-12, 13, (*size, 3))
        record["rgb"] = (colours[record["label"]].astype(np.int16) + noise).clip(0, 255)
        record["flow"], record["distance"] = np.multiply(STEP, -distance), distance
    return records
