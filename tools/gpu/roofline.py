"""What the kernel must do at least, counted by hand, and how long that takes at given rates."""

from dataclasses import dataclass

import numpy as np

from edge_arseg.runtime.kernels.cuda.launch_plan import TILE_WIDTH, LaunchPlan

WINDOW_PLACES = 128
"""Places that a warp's window has: 8 rows of 16, of which each pixel sees 49."""


@dataclass(frozen=True, slots=True)
class Work:
    """One launch.

    Attributes:
        bytes: that must come from or go to memory: keyframe feature, LR feature and flow once, the result once.
        plain_macs: multiply-accumulates of warp, resizing and convolutions, with what tiles do twice at their borders.
        attention_macs: of similarity and weighted sum, as defined: ``2 * 49 * C`` a pixel.
        tensor_macs: those that tensor cores do for it, whose tiles are larger than the windows.
    """

    bytes: int
    plain_macs: int
    attention_macs: int
    tensor_macs: int


def work_from_plan(plan: LaunchPlan) -> Work:
    """Count the work of a plan."""
    shapes, size = plan.shapes, np.dtype(plan.storage.feature).itemsize
    pixels, channels = shapes.feature[0] * shapes.feature[1], shapes.channels
    lr_pixels, cells = shapes.lr_feature[0] * shapes.lr_feature[1], shapes.flow[0] * shapes.flow[1]
    rows = int(plan.entry.rpartition("_")[2])
    chunks = -(-channels // plan.storage.chunk)
    moved, seen = (rows + 8) * (TILE_WIDTH + 8), (rows + 6) * (TILE_WIDTH + 8)
    base, tile = (rows + 2) * (TILE_WIDTH + 2), rows * TILE_WIDTH
    warps = 2 - plan.kept_chunks / chunks
    each = 4 * moved * warps + 2 * 9 * seen + 9 * tile + 6 * base + 6 * tile
    blocks = plan.grid[0] * plan.grid[1]
    return Work(
        size * channels * (2 * pixels + lr_pixels) + 8 * cells,
        round(blocks * each * chunks * plan.storage.chunk),
        shapes.attention_macs,
        2 * blocks * tile * WINDOW_PLACES * chunks * plan.storage.chunk,
    )


@dataclass(frozen=True, slots=True)
class Rates:
    """Of a GPU.

    Attributes:
        bytes_per_s: read and written by a copy.
        plain_macs_per_s: float32, on plain cores.
        tensor_macs_per_s: halves summed in float32, on tensor cores.
    """

    bytes_per_s: float
    plain_macs_per_s: float
    tensor_macs_per_s: float


def bounds_ms(work: Work, rates: Rates) -> dict[str, float]:
    """Return how long each part takes if nothing else slows it down; the largest is the bound."""
    return {
        "memory": 1e3 * work.bytes / rates.bytes_per_s,
        "plain cores": 1e3 * work.plain_macs / rates.plain_macs_per_s,
        "tensor cores": 1e3 * work.tensor_macs / rates.tensor_macs_per_s,
    }
