"""Ratio of two series of times with the interval that their noise leaves it, by resampling blocks of whole GOPs.

Frames are no independent samples: a busy moment of the machine touches a whole stretch of them. So the frames are cut
into blocks of whole GOPs, each block gives its median, and blocks are resampled. Runs that took turns (A B A B) are
cut turn by turn and compared with the neighbour in time, so that what drifts slowly touches both and cancels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 4000
BLOCKS = 12
"""Blocks that a series without turns is cut into, where it has as many GOPs."""
TURNS = 10
"""Pairs of turns from which on a pair of turns is what is resampled, and no longer the blocks inside."""
FEWEST = 5
TRIM = 0.2
"""Share of the blocks left out at each end of the mean: a stall of a second must not decide."""


@dataclass(frozen=True, slots=True)
class Times:
    """One quantity of the frames of one run.

    Attributes:
        ms: ``[N]`` float64, milliseconds.
        gop, turn: ``[N]`` whole numbers, in order of time: to which GOP and which turn each frame belongs.
    """

    ms: NDArray[np.float64]
    gop: NDArray[np.int64]
    turn: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ratio:
    """After over before.

    Attributes:
        value: the estimate; above 1: slower.
        low, high: bounds that hold with the asked-for confidence, each on its own.
        blocks: that were compared; where they are too few for the confidence, ``low``, ``high`` are 0 and infinity.
        paired: blocks were compared with their neighbours in time.
    """

    value: float
    low: float
    high: float
    blocks: int
    paired: bool


def ratio_of_times(before: Times, after: Times, *, paired: bool, confidence: float = 0.95, seed: int = 0) -> Ratio:
    """Compare two series.

    Args:
        before, after: at least one frame each.
        paired: the turns of both lie side by side: the first of one with the first of the other, and so on.
        confidence: of each bound.
        seed: of the resampling, so that an answer is possible again.

    Raises:
        ValueError: one has no frames.
    """
    if not len(before.ms) or not len(after.ms):
        raise ValueError("no frames to compare")
    generator = np.random.default_rng(seed)
    if paired:
        steps = _paired_steps(before, after)
        drawn = _trimmed(steps[generator.integers(0, len(steps), (RESAMPLES, len(steps)))])
        return _ratio(float(_trimmed(steps)), drawn, len(steps), confidence, paired=True)
    old, new = (np.log(np.maximum(_block_medians(times, BLOCKS), 1e-9)) for times in (before, after))
    value = float(_trimmed(new) - _trimmed(old))
    drawn = _trimmed(new[generator.integers(0, len(new), (RESAMPLES, len(new)))])
    drawn -= _trimmed(old[generator.integers(0, len(old), (RESAMPLES, len(old)))])
    return _ratio(value, drawn, min(len(old), len(new)), confidence, paired=False)


def _ratio(value: float, drawn: NDArray[np.float64], blocks: int, confidence: float, *, paired: bool) -> Ratio:
    if blocks < FEWEST or 2.0**-blocks > 1 - confidence:  # so many agree on a direction by chance alone
        return Ratio(float(np.exp(value)), 0.0, float("inf"), blocks, paired)
    widen = np.sqrt(blocks / (blocks - 1))  # a resample of n spreads as if there were n - 1
    low, high = value + widen * (np.quantile(drawn, [1 - confidence, confidence]) - value)
    return Ratio(float(np.exp(value)), float(np.exp(low)), float(np.exp(high)), blocks, paired)


def _paired_steps(before: Times, after: Times) -> NDArray[np.float64]:
    """Return the logarithm of after over before of each pair of blocks."""
    old, new = _turns(before), _turns(after)
    pairs = min(len(old), len(new))
    inside = 1 if pairs >= TURNS else -(-BLOCKS // (2 * pairs))
    steps = []
    for first, second in zip(old[:pairs], new[:pairs], strict=True):
        a, b = _block_medians(first, inside), _block_medians(second, inside)
        count = min(len(a), len(b))
        steps += list(np.log(np.maximum(b[:count], 1e-9)) - np.log(np.maximum(a[:count], 1e-9)))
    return np.array(steps)


def _turns(times: Times) -> list[Times]:
    found = []
    for number in np.unique(times.turn):
        own = times.turn == number
        found.append(Times(times.ms[own], times.gop[own], times.turn[own]))
    return found


def _block_medians(times: Times, blocks: int) -> NDArray[np.float64]:
    """Return the median of each of at most so many blocks of whole GOPs; no block reaches over the end of a turn."""
    turns = _turns(times)
    medians: list[float] = []
    for turn in turns:
        gops = np.unique(turn.gop)
        share = max(1, round(blocks / len(turns)))
        for part in np.array_split(gops, min(share, len(gops))):
            medians.append(float(np.median(turn.ms[np.isin(turn.gop, part)])))
    return np.array(medians)


def _trimmed(values: NDArray[np.float64] | Sequence[float]) -> NDArray[np.float64]:
    """Return the trimmed mean over the last axis."""
    ordered = np.sort(np.asarray(values, dtype=np.float64), axis=-1)
    cut = int(TRIM * ordered.shape[-1])
    return np.asarray(ordered[..., cut : ordered.shape[-1] - cut].mean(axis=-1))
