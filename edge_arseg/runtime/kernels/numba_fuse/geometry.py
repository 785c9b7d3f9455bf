"""The cut of a fusion into strips, with the place of a strip's rows in scratch memory: what compiled code agrees on."""

from typing import NamedTuple

from edge_arseg.runtime.kernels.numba.registers import LANES
from edge_arseg.spec.model import WINDOW
from edge_arseg.spec.weights import FusionShapes

BEFORE = WINDOW // 2
"""Columns of keys and values before the first of the output, and behind the last: the reach of the largest window."""
ROWS = 3
"""Output rows that are computed together."""
SLOTS = ROWS + 2
"""Rows that a group of ``ROWS`` convolved rows needs."""
SOURCE_ROWS = 6
"""Source rows that one block of columns may read through ``blend_picked``; others are gathered pixel by pixel."""
PLACE_FLOATS = 2 * SOURCE_ROWS * LANES
"""Weights kept for one block: left and right neighbour for each source row."""
PLACE_INTS = LANES + 2
"""Integers kept for one block: its kind, the start of its window, and the place of every lane in that window."""
_SCRATCH_BYTES = 1_200_000
"""What one thread's rows should fit in: most of the second-level cache of a server core."""
_LEAST_STRIP = 256
"""Columns that a strip has at least, however large its rows."""


class Geometry(NamedTuple):
    """Sizes and places that the compiled code needs; a named tuple because Numba passes it by value.

    A strip is ``strip_width`` columns of ``band_height`` rows. The brackets say which image column is column 0 of a
    scratch row, relative to the strip's first. ``*_at`` and ``*_row`` count elements.
    """

    channels: int
    window: int
    reach: int  # pixels from the centre of the window to its edge
    seen_rows: int  # key rows that ROWS output rows see together
    lead: int  # rows above a band whose keys are computed for it, whole groups of ROWS
    height: int
    width: int
    lr_height: int
    lr_width: int
    flow_width: int
    strip_width: int
    band_height: int
    strips: int
    bands: int
    first_row: int  # of the result; ``out`` begins with it
    last_row: int  # one past the last
    warped_width: int  # columns of a warped row [-4]
    seen_width: int  # columns of a row of keys or values [-3]
    base_width: int  # columns of an upsampled row, and of the two LR rows it is made from [-1]
    query_width: int  # columns of a row of queries [0]
    seen_row: int  # from one row of keys or values to the next
    query_row: int  # from one row of queries to the next
    warped_at: int  # [C][SLOTS][warped_width]
    keys_at: int  # [seen_rows][C][seen_width]
    values_at: int  # [seen_rows][C][seen_width]
    base_at: int  # [C][SLOTS][base_width]
    stretched_at: int  # [C][2][base_width]
    queries_at: int  # [ROWS][C][query_width], in the end the fused rows
    scores_at: int  # [ROWS][window^2][LANES]
    scale_at: int  # [ROWS][LANES]
    pixels_at: int  # [4][LANES], weights of single pixels
    flow_at: int  # [2][flow_width], flow of one feature row
    table_at: int  # [ROWS][blocks][PLACE_FLOATS]
    floats: int


def round_up(number: int, step: int) -> int:
    """Return the next multiple of ``step``."""
    return -(-number // step) * step


def odd_lines(number: int) -> int:
    """Round up to an odd number of cache lines: even steps would put all channels on a few sets of the cache."""
    return round_up(number, 16) + (16 if round_up(number, 16) % 32 == 0 else 0)


def _widths(strip_width: int) -> tuple[int, int, int, int]:
    query = round_up(strip_width, LANES)
    seen = round_up(query + WINDOW - 1, LANES)
    return odd_lines(seen + LANES), odd_lines(seen), odd_lines(query + LANES), odd_lines(query)


def _seen_rows(window: int) -> int:
    return ROWS + window - 1


def _floats_of_rows(channels: int, window: int, strip_width: int) -> int:
    warped, seen, base, query = _widths(strip_width)
    return channels * (SLOTS * warped + 2 * _seen_rows(window) * seen + (SLOTS + 2) * base + ROWS * query)


def strip_width_for(channels: int, window: int, width: int) -> int:
    """Return the columns of a strip: as many as keep a thread's rows within its cache, at least 256, evenly divided.

    Neighbouring strips both warp and convolve the columns between them. On the machine that was measured (2 MB of
    second-level cache) this costs more than rows that spill to the third level, up to 256 columns of 512 channels.
    """
    widest = _LEAST_STRIP
    while widest < width and 4 * _floats_of_rows(channels, window, widest + LANES) <= _SCRATCH_BYTES:
        widest += LANES
    strips = -(-width // widest)
    return round_up(-(-width // strips), LANES)


def band_height_for(height: int, window: int, strips: int, threads: int) -> int:
    """Return the rows of a band: a job for every thread, and four where bands stay far higher than what they repeat.

    Each band starts with rows that the band above it computes as well, one more than a window has.
    """
    bands = max(-(-threads // strips), min(-(-4 * threads // strips), height // (16 * _seen_rows(window))))
    return round_up(-(-height // min(bands, -(-height // ROWS))), ROWS)


def geometry_of_rows(g: Geometry, first: int, last: int, threads: int) -> Geometry:
    """Return ``g`` for a part of the result, rows ``first`` to ``last``, shared by ``threads``."""
    if (first, last) == (0, g.height):
        return g
    band_height = band_height_for(last - first, g.window, g.strips, threads)
    bands = -(-(last - first) // band_height)
    return g._replace(first_row=first, last_row=last, band_height=band_height, bands=bands)


def geometry_from_shapes(
    shapes: FusionShapes, threads: int = 1, strip_width: int | None = None, band_height: int | None = None
) -> Geometry:
    """Return how to cut and store a fusion; the result does not depend on the cut.

    Args:
        shapes: what to fuse.
        threads: threads that share the work.
        strip_width: columns of a strip, a multiple of ``LANES``; ``None`` chooses.
        band_height: rows of a strip, a multiple of ``ROWS``; ``None`` chooses.
    """
    height, width = shapes.feature
    strip = strip_width or strip_width_for(shapes.channels, shapes.window, width)
    strips = -(-width // strip)
    band_height = band_height or band_height_for(height, shapes.window, strips, threads)
    bands = -(-height // band_height)
    channels, reach, seen_rows = shapes.channels, shapes.window // 2, _seen_rows(shapes.window)
    warped, seen, base, query = _widths(strip)
    seen_row, query_row = odd_lines(channels * seen), odd_lines(channels * query)
    sizes = {
        "warped_at": SLOTS * channels * warped,
        "keys_at": seen_rows * seen_row,
        "values_at": seen_rows * seen_row,
        "base_at": SLOTS * channels * base,
        "stretched_at": 2 * channels * base,
        "queries_at": ROWS * query_row,
        "scores_at": ROWS * shapes.window**2 * LANES,
        "scale_at": ROWS * LANES,
        "pixels_at": 4 * LANES,
        "flow_at": 2 * shapes.flow[1],
        "table_at": ROWS * warped // LANES * PLACE_FLOATS,
    }
    places, end = {}, 0
    for name, size in sizes.items():
        places[name] = end
        end += odd_lines(size)
    return Geometry(
        channels, shapes.window, reach, seen_rows, round_up(2 * reach, ROWS), height, width, *shapes.lr_feature,
        shapes.flow[1], strip, band_height, strips, bands, 0, height,
        warped, seen, base, query, seen_row, query_row, **places, floats=round_up(end + LANES, 1024),
    )  # fmt: skip
