"""How a fusion is launched on a GPU: which entry, how many blocks, how much shared memory."""

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np

from edge_arseg.errors import EnvironmentUnfitError, OptionError
from edge_arseg.spec.tensor import DType
from edge_arseg.spec.weights import FusionShapes

TILE_WIDTH = 16
"""Columns of a block's tile."""
_RESERVED = 1024
"""Bytes of shared memory that CUDA keeps for itself in every block, from compute capability 8.0 on."""
_LARGEST = 2**31
"""Elements of one channel's plane; the kernel counts them in 32 bits."""


class Storage(Enum):
    """In what features are stored: in global memory, and in the tiles in shared memory.

    All accumulate in float32. ``HALF`` and ``MIXED`` multiply on tensor cores where there are any (compute capability
    7.5 and later). ``EXACT`` is for comparisons: it keeps float32 throughout, and is several times slower.
    """

    HALF = "half"
    MIXED = "mixed"
    EXACT = "exact"

    @property
    def feature(self) -> DType:
        """Type of the features in global memory."""
        return "float16" if self is Storage.HALF else "float32"

    @property
    def chunk(self) -> int:
        """Channels that a block works on at once: eight words."""
        return 8 if self is Storage.EXACT else 16

    @property
    def tile_heights(self) -> tuple[int, ...]:
        """Rows of tiles that there are entries for."""
        return (8,) if self is Storage.EXACT else (8, 16)


@dataclass(frozen=True, slots=True)
class GpuLimits:
    """What a GPU gives.

    Attributes:
        sm_count: multiprocessors.
        block_shared_bytes: shared memory that a block may ask for.
        sm_shared_bytes: shared memory of a multiprocessor.
        tensor_cores: of Turing or later; without, weights take so many registers that only low tiles have enough.
    """

    sm_count: int
    block_shared_bytes: int
    sm_shared_bytes: int
    tensor_cores: bool = True


@dataclass(frozen=True, slots=True)
class LaunchPlan:
    """One launch, for given shapes.

    Attributes:
        shapes: what is fused.
        storage: types.
        entry: name of the function in the cubin.
        grid: blocks across and down.
        threads: per block.
        shared_bytes: dynamic shared memory per block.
        kept_chunks: chunks of channels whose values stay in shared memory; the others are warped twice.
        numbers: what follows the pointers in the argument list: eight integers and three float32.
    """

    shapes: FusionShapes
    storage: Storage
    entry: str
    grid: tuple[int, int]
    threads: int
    shared_bytes: int
    kept_chunks: int
    numbers: tuple[int | float, ...]

    @property
    def argument_format(self) -> str:
        """Types of all arguments, in the letters of ``struct``: ``out, key, flow, lr, weights``, then ``numbers``."""
        return "PPPPP" + "i" * 8 + "f" * 3


def fixed_shared_bytes(tile_height: int) -> int:
    """Return the shared memory of a block that keeps no values; ``Tile::KEPT_AT`` in ``source/tile.cuh``."""
    moved = (tile_height + 8) * (TILE_WIDTH + 8)
    base = (tile_height + 2) * (TILE_WIDTH + 2)
    pixels = tile_height * TILE_WIDTH
    edges = 3 * (tile_height + 2 + TILE_WIDTH + 2)
    words = (4 + 9 + 1) * moved + kept_shared_bytes(tile_height) // 4 + 12 * pixels + 9 * base + edges
    return 4 * (-(-words // 4) * 4)


def kept_shared_bytes(tile_height: int) -> int:
    """Return the shared memory for the values of one chunk; ``Tile::KEPT``."""
    return 4 * 12 * (tile_height + 6) * (TILE_WIDTH + 8)


def plan_from_shapes(
    shapes: FusionShapes, storage: Storage, limits: GpuLimits, *, tile_height: int | None = None
) -> LaunchPlan:
    """Choose tile and memory for a GPU.

    Tall tiles compute less around their borders, and one of them fills a multiprocessor; low ones give a small feature
    enough blocks, and two on a multiprocessor wait for memory in turn. What shared memory is left keeps values.

    Args:
        shapes: what is fused.
        storage: types.
        limits: of the GPU.
        tile_height: rows of a tile; ``None`` chooses.

    Raises:
        OptionError: there is no such tile, or a feature is too large.
        EnvironmentUnfitError: the GPU has too little shared memory.
    """
    height, width = shapes.feature
    across = -(-width // TILE_WIDTH)
    if tile_height is None:
        enough = across * -(-height // 16) >= 2 * limits.sm_count
        fits = fixed_shared_bytes(16) <= limits.block_shared_bytes
        tile_height = 16 if enough and fits and limits.tensor_cores and 16 in storage.tile_heights else 8
    if tile_height not in storage.tile_heights:
        raise OptionError(
            f"tiles of {tile_height} rows asked for, there are {storage.tile_heights} for {storage.value}"
        )
    down = -(-height // tile_height)
    largest = max(math.prod(shapes.feature), math.prod(shapes.lr_feature), 2 * math.prod(shapes.flow))
    if largest >= _LARGEST or down > 65535:
        raise OptionError(f"features of {shapes.feature}, {shapes.lr_feature} or flow of {shapes.flow} are too large")
    fixed, kept = fixed_shared_bytes(tile_height), kept_shared_bytes(tile_height)
    if fixed > limits.block_shared_bytes:
        raise EnvironmentUnfitError(
            f"the fusion kernel needs {fixed} bytes of shared memory per block, this GPU has "
            f"{limits.block_shared_bytes}; run with --fusion graph"
        )
    blocks_per_sm = 2 if tile_height == 8 and limits.tensor_cores and storage is not Storage.EXACT else 1
    spare = min(limits.sm_shared_bytes // blocks_per_sm - _RESERVED, limits.block_shared_bytes) - fixed
    chunks = -(-shapes.channels // storage.chunk)
    kept_chunks = min(chunks, max(0, spare) // kept)
    lr_rows, lr_columns = (
        float(np.float32(source - 1) / np.float32(target - 1))
        for source, target in zip(shapes.lr_feature, shapes.feature, strict=True)
    )
    return LaunchPlan(
        shapes,
        storage,
        f"fuse_{storage.value}_{tile_height}",
        (across, down),
        32 * (tile_height // 2) * (TILE_WIDTH // 8),
        fixed + kept_chunks * kept,
        kept_chunks,
        (shapes.channels, height, width, *shapes.lr_feature, *shapes.flow, kept_chunks,
         lr_rows, lr_columns, height / shapes.frame_height),
    )  # fmt: skip
