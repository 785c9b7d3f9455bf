"""Scores and speed, joined where both are of one bundle; anything else is refused."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edge_arseg.bench.records.accuracy import Accuracy, FrameScore
from edge_arseg.bench.records.run import BundleFacts
from edge_arseg.errors import DataError
from edge_arseg.quantity import counted
from edge_arseg.spec.plain import faults_from_error


def accuracy_of(scores: Mapping[str, Any], mode: str, bundle: BundleFacts, *, interval: int, where: str) -> Accuracy:
    """Return the accuracy of a run.

    Args:
        scores: as ``eval --json`` prints them.
        mode: of the run.
        bundle: that was timed.
        interval: from keyframe to keyframe that it was timed at.
        where: the scores come from, for messages.

    Raises:
        DataError: the scores are of another bundle or other keyframes, not of this mode, or no scores.
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
        if mode == "ar" and conditions["interval"] != interval:
            raise DataError(
                f"{where}: scores with a keyframe every {counted(conditions['interval'], 'frame')} seen, but "
                f"one every {interval} "
                "is timed; speed and accuracy must be of one setting: score it with the same --interval"
            )
        if mode == "ar" and conditions.get("scene_cut") is not None:
            raise DataError(
                f"{where}: scores with keyframes at scene cuts seen, but bench sets them at fixed distances; score it "
                "without --scene-cut"
            )
        one = modes[mode]
        found = Accuracy(
            digest=digest,
            source=conditions["source"],
            frames=one["frames"],
            phases=tuple(int(phase) for phase in _listed(conditions["phases"])),
            miou=number(one["miou"]),
            miou_pooled=number(one["miou_pooled"]),
            by_class={name: number(value) for name, value in one["per_class"].items()},
            by_distance=tuple(number(value) for value in _listed(one["by_distance"])),
            worst_distance=one["worst_distance"],
            temporal_consistency=number(one["temporal_consistency"]),
            flicker=number(one["flicker"]),
            flow_consistency=number(one.get("flow_consistency")),
            worst_frames=tuple(FrameScore(**frame) for frame in one.get("worst_frames", ())),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{where}: {error} is missing or wrong; expected what edge-arseg eval --json prints") from error
    return _checked(found, where)


def _checked(found: Accuracy, where: str) -> Accuracy:
    """Refuse what is of another type than a record has, or no per cent."""
    from pydantic import TypeAdapter, ValidationError

    faults = []
    try:
        found = TypeAdapter(Accuracy).validate_python(asdict(found))
        steady = (found.temporal_consistency, found.flicker, found.flow_consistency)
        shares = (found.miou, found.miou_pooled, *found.by_class.values(), *found.by_distance, *steady)
        faults = [
            f"{one:g} seen, expected 0 to 100 per cent" for one in shares if one is not None and not 0 <= one <= 100
        ]
    except ValidationError as error:
        faults = faults_from_error(error, "accuracy")
    if faults:
        told = "\n".join(f"  {fault}" for fault in faults)
        raise DataError(f"{where}: no scores of eval --json\n{told}")
    return found


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


def _listed(value: Any) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"{value!r} in the place of a list")
    return value


def number(value: float | None) -> float | None:
    """Return a score; ``None`` where there was nothing to score."""
    return None if value is None or math.isnan(value) else float(value)
