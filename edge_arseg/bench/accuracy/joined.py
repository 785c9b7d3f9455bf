"""Scores and speed, joined where both are of one bundle; anything else is refused."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_arseg.bench.records.accuracy import Accuracy, FrameScore
from edge_arseg.bench.records.run import BundleFacts
from edge_arseg.errors import DataError


def accuracy_of(scores: Mapping[str, Any], mode: str, bundle: BundleFacts, *, where: str) -> Accuracy:
    """Return the accuracy of a run.

    Args:
        scores: as ``eval --json`` prints them.
        mode: of the run.
        bundle: that was timed.
        where: the scores come from, for messages.

    Raises:
        DataError: the scores are of another bundle, or not of this mode.
    """
    try:
        digest, conditions, modes = scores["digest"], scores["conditions"], scores["modes"]
        if digest != bundle.digest:
            raise DataError(
                f"{where}: scores of {scores.get('bundle')} ({digest[:12]}) seen, but {bundle.name} "
                f"({bundle.digest[:12]}) is timed; speed and accuracy must be of one bundle: score it again "
                "with --labels"
            )
        if mode not in modes:
            raise DataError(f"{where}: scores of {', '.join(modes) or 'no mode'} seen, expected mode {mode} too")
        one = modes[mode]
        return Accuracy(
            digest=digest,
            source=conditions["source"],
            frames=one["frames"],
            phases=tuple(conditions["phases"]),
            miou=number(one["miou"]),
            miou_pooled=number(one["miou_pooled"]),
            by_class={name: number(value) for name, value in one["per_class"].items()},
            by_distance=tuple(number(value) for value in one["by_distance"]),
            worst_distance=one["worst_distance"],
            temporal_consistency=number(one["temporal_consistency"]),
            flicker=number(one["flicker"]),
            flow_consistency=number(one.get("flow_consistency")),
            worst_frames=tuple(FrameScore(**frame) for frame in one.get("worst_frames", ())),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{where}: {error} is missing or wrong; expected what edge-arseg eval --json prints") from error


def scores_from_file(path: Path) -> dict[str, Any]:
    """Read what ``eval --json`` printed.

    Raises:
        DataError: it cannot be read, or is not that.
    """
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        why = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: cannot be read: {why}; expected what edge-arseg eval --json prints") from error
    if not isinstance(data, dict):
        raise DataError(f"{path}: {type(data).__name__} seen, expected what edge-arseg eval --json prints")
    return data


def number(value: float | None) -> float | None:
    """Return a score; ``None`` where there was nothing to score."""
    return None if value is None or math.isnan(value) else float(value)
