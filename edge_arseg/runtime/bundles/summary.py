"""What a quantized bundle says about how it was made, in short: its calibration and sensitivity records, read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge_arseg.errors import BundleError
from edge_arseg.runtime.bundles.reading import Bundle


@dataclass(frozen=True, slots=True)
class QuantizationSummary:
    """Where the precision of the graphs comes from, and what it costs.

    Attributes:
        activations: ``uint8`` or ``int8``.
        weight_bits: of the weights in int8 graphs; ``None`` where no graph is int8.
        source: digest of the bundle that was quantized.
        recipe: name of the calibration recipe; ``None`` where no graph is int8.
        method: how a range was taken from the values seen; ``None`` likewise.
        frames: that were looked at.
        ranked: number of layers that were ranked, by role.
        in_float: names of the weights of those that stayed in float, the most sensitive first, by role.
        max_drop: the budget, points of mIoU per branch; ``None``: none was asked for.
        drop: points of mIoU below float32, by mode; empty where there were no labels.
        scored_on: what ``drop`` was measured on; ``None`` likewise.
    """

    activations: str
    weight_bits: int | None
    source: str
    recipe: str | None
    method: str | None
    frames: int
    ranked: Mapping[str, int]
    in_float: Mapping[str, tuple[str, ...]]
    max_drop: float | None
    drop: Mapping[str, float]
    scored_on: str | None


def summary_from_bundle(bundle: Bundle) -> QuantizationSummary | None:
    """Read what a quantized bundle carries; ``None`` for one that was not quantized.

    Raises:
        BundleError: the records cannot be read.
    """
    entry = bundle.manifest.quantization
    if entry is None:
        return None
    calibration, found = _record(bundle, entry.calibration), _record(bundle, entry.sensitivity)
    try:
        layers = found["layers"]
        scores = found["scores"]
        calibrated = entry.recipe is not None
        return QuantizationSummary(
            entry.activations,
            entry.weight_bits if calibrated else None,
            entry.source,
            entry.recipe,
            calibration["recipe"]["method"] if calibrated else None,
            sum(count for clip in calibration["clips"] for count in clip["by_distance"].values()),
            {role: len(ranked) for role, ranked in layers.items()},
            {role: tuple(e["weight"] for e in ranked if e["in_float"]) for role, ranked in layers.items()},
            found["max_drop"],
            {} if scores is None else _drops(scores["fp32"]["modes"], scores["quantized"]["modes"]),
            None if scores is None else scores["fp32"]["conditions"]["source"],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise BundleError(
            f"{bundle.path}: the records of its quantization lack something ({type(error).__name__}: {error}); they "
            f"are {entry.calibration} and {entry.sensitivity}. Quantize the float32 bundle again"
        ) from error


def _drops(reference: Mapping[str, Any], seen: Mapping[str, Any]) -> dict[str, float]:
    scored = {mode: (reference[mode]["miou"], seen[mode]["miou"]) for mode in reference}
    return {mode: before - after for mode, (before, after) in scored.items() if None not in (before, after)}


def _record(bundle: Bundle, name: str) -> dict[str, Any]:
    content = bundle.content(name)
    try:
        record = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{bundle.path / name}: not JSON ({error}); quantize the float32 bundle again") from error
    if not isinstance(record, dict):
        raise BundleError(f"{bundle.path / name}: no record of a quantization; quantize the float32 bundle again")
    return record
