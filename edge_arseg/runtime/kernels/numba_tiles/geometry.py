"""The cut of a fusion into bands and strips, with the place of their rows in scratch memory.

Features are held pixel by pixel, the channels of a pixel side by side. ``channels`` is rounded up to whole tiles.
"""

from math import gcd
from typing import NamedTuple

from edge_arseg.runtime.kernels.numba_fuse.geometry import odd_lines, round_up
from edge_arseg.runtime.kernels.numba_head.geometry import DecodeShapes
from edge_arseg.spec.model import WINDOW
from edge_arseg.spec.weights import FusionShapes

SIDE = 16
"""Rows of a tile, and its 32-bit numbers in a row."""
TILE_FLOATS = SIDE * SIDE
MOST_TERMS = 2
"""Terms of a number. Three would keep all its bits, at twice the time; the result does not become more exact."""
REACH = WINDOW // 2
"""Pixels from the centre of the window to its edge. A smaller window is one whose outer places weigh nothing."""
ROWS = 2
"""Rows of a block of pixels: with ``COLUMNS``, the rows of a tile."""
COLUMNS = SIDE // ROWS
"""Columns of a block of pixels. They see 14 columns, which fit in the 16 of a tile."""
BEFORE = 4
"""Columns between the first that a tile of keys holds and the first of the block that sees it."""
SEEN_ROWS = ROWS + WINDOW - 1
"""Rows that a block sees: an even number, so that rows of keys and values come in pairs."""
PAIRS = SEEN_ROWS // 2
"""Pairs of rows that a block sees, and that are kept."""
RING = 4
"""Rows of warped and of upsampled features that are kept: two, with one above and one below."""
CHANNELS = 64
"""Channels are rounded up to this: four tiles of values, which is what keeps the products' unit busy."""
PIECE = 512
"""Pixels that are put pixel by pixel in one go."""
LINE = 8
"""Counters in a cache line: one of each line is used, so that threads do not take lines from each other."""
DONE = 5 * LINE
"""Counter of finished strips of the class map; before it come two for each of two stages, and one of those begun."""
COUNTERS = 6 * LINE
_SCRATCH_BYTES = 1_400_000
"""What one thread's rows should fit in: most of the second-level cache of a server core."""
_LEAST_STRIP = 32


class Geometry(NamedTuple):
    """Sizes and places that the compiled code needs; a named tuple because Numba passes it by value.

    ``*_at`` and ``*_row`` count elements of the scratch memory, 4 bytes each.
    """

    channels: int  # of the inputs
    padded: int  # in memory
    terms: int  # bfloat16 terms of a number
    height: int
    width: int
    lr_height: int
    lr_width: int
    flow_width: int
    strip_width: int
    band_height: int
    strips: int
    bands: int
    classes: int
    padded_classes: int
    score_row: int  # from one row of scores to the next
    score_plane: int  # from one class to the next
    lr_jobs: int  # pieces of the LR feature to put pixel by pixel
    key_jobs: int  # pieces of the keyframe feature; 0 where that was done before
    decode_jobs: int  # strips of the class map
    strip_rows: int  # output rows of a strip of the class map
    frame_height: int
    frame_width: int
    row_taps: int  # source rows of an output row
    seen_width: int  # columns of keys and values, [-4]
    warped_row: int
    base_row: int
    key_row: int  # [1 + blocks + 1][terms][padded / 2][16]
    value_term: int  # [seen_width][padded], pairs of rows
    warped_at: int  # [RING][seen_width + 2][padded], the first column is -5
    base_at: int  # [RING][strip_width + 2][padded], the first column is -1
    keys_at: int  # [PAIRS][2][1 + blocks + 1][terms][padded / 2][16]
    values_at: int  # [PAIRS][terms][seen_width][padded]
    queries_at: int  # [blocks][terms][16][padded / 2]
    convolved_at: int  # [2][16][2][16]
    scores_at: int  # [8][16][16]
    shares_at: int  # [4][terms][16][16]
    totals_at: int  # [16]
    sums_at: int  # [16][padded]
    classes_at: int  # [16][16]
    flow_at: int  # [2][flow_width]
    weights_at: int  # [4][LANES]
    line_at: int  # [classes][score_row]
    floats: int


def _key_row(padded: int, strip: int, terms: int) -> int:
    """Return the floats of a row of keys: a tile for every block, with one unused block at each end."""
    return (strip // COLUMNS + 2) * terms * padded // 2 * SIDE


def _rows_of(padded: int, strip: int, terms: int) -> dict[str, int]:
    """Return the floats of each group of rows of a strip."""
    seen = strip + SIDE - COLUMNS
    return {
        "warped_at": RING * (round_up(seen + 2, SIDE)) * padded,
        "base_at": RING * (strip + 2) * padded,
        "keys_at": PAIRS * 2 * _key_row(padded, strip, terms),
        "values_at": PAIRS * terms * seen * padded,
        "queries_at": strip // COLUMNS * terms * SIDE * padded // 2,
    }


def strip_width_for(padded: int, width: int, terms: int) -> int:
    """Return the columns of a strip: as many as keep a thread's rows within its cache, evenly divided."""
    widest = _LEAST_STRIP
    while widest < width and 4 * sum(_rows_of(padded, widest + COLUMNS, terms).values()) <= _SCRATCH_BYTES:
        widest += COLUMNS
    return round_up(-(-width // -(-width // widest)), COLUMNS)


def band_height_for(height: int, strips: int, threads: int) -> int:
    """Return the rows of a band: the fewest bands that give every thread as many strips.

    Each band starts with six rows of keys and values that the band above it computes as well.
    """
    bands = threads // gcd(threads, strips)
    return round_up(-(-height // min(bands, height)), ROWS)


def geometry_from_shapes(
    shapes: FusionShapes,
    decode: DecodeShapes,
    classes: int,
    row_taps: int,
    *,
    terms: int = MOST_TERMS,
    threads: int = 1,
    strip_width: int | None = None,
    band_height: int | None = None,
) -> Geometry:
    """Return how to cut and store a fusion; the result does not depend on the cut.

    Args:
        shapes: what to fuse.
        decode: what to make of it.
        classes: there are.
        row_taps: source rows of a row of the class map.
        terms: bfloat16 terms of a number, 1 or 2.
        threads: threads that share the work.
        strip_width: columns of a strip, a multiple of ``COLUMNS``; ``None`` chooses.
        band_height: rows of a band, a multiple of ``ROWS``; ``None`` chooses.
    """
    height, width = shapes.feature
    padded = round_up(shapes.channels, CHANNELS)
    strip = strip_width or strip_width_for(padded, width, terms)
    strips = -(-width // strip)
    band_height = band_height or band_height_for(height, strips, threads)
    seen = strip + SIDE - COLUMNS
    score_row = round_up(strips * strip, SIDE) + SIDE
    strip_rows = -(-decode.frame[0] // (8 * threads if threads > 1 else 1))
    sizes = {
        **_rows_of(padded, strip, terms),
        "convolved_at": 2 * 2 * TILE_FLOATS,
        "scores_at": SEEN_ROWS * TILE_FLOATS,
        "shares_at": PAIRS * terms * TILE_FLOATS,
        "totals_at": SIDE,
        "sums_at": SIDE * padded,
        "classes_at": TILE_FLOATS,
        "flow_at": 2 * shapes.flow[1],
        "weights_at": 4 * SIDE,
        "line_at": classes * score_row,
    }
    places, end = {}, 0
    for name, size in sizes.items():
        places[name] = end
        end += odd_lines(size)
    return Geometry(
        channels=shapes.channels,
        padded=padded,
        terms=terms,
        height=height,
        width=width,
        lr_height=shapes.lr_feature[0],
        lr_width=shapes.lr_feature[1],
        flow_width=shapes.flow[1],
        strip_width=strip,
        band_height=band_height,
        strips=strips,
        bands=-(-height // band_height),
        classes=classes,
        padded_classes=round_up(classes, SIDE),
        score_row=score_row,
        score_plane=round_up(height, ROWS) * score_row,
        lr_jobs=-(-shapes.lr_feature[0] * shapes.lr_feature[1] // PIECE),
        key_jobs=-(-height * width // PIECE),
        decode_jobs=-(-decode.frame[0] // strip_rows),
        strip_rows=strip_rows,
        frame_height=decode.frame[0],
        frame_width=decode.frame[1],
        row_taps=row_taps,
        seen_width=seen,
        warped_row=round_up(seen + 2, SIDE) * padded,
        base_row=(strip + 2) * padded,
        key_row=_key_row(padded, strip, terms),
        value_term=seen * padded,
        **places,
        floats=round_up(end + SIDE, 1024),
    )
