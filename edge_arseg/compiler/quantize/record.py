"""What a quantized bundle says about how it was made."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from edge_arseg.compiler.entries import versions
from edge_arseg.compiler.quantize.calibrate.flow import Calibration
from edge_arseg.compiler.quantize.dialects import Dialect
from edge_arseg.compiler.quantize.precision import PrecisionChoice
from edge_arseg.compiler.quantize.search.budget import BudgetTrial
from edge_arseg.compiler.quantize.search.sensitivity import LayerSensitivity
from edge_arseg.evaluation.scores import Scores, json_from_scores
from edge_arseg.runtime.verification import Agreement
from edge_arseg.spec.manifest import Role
from edge_arseg.spec.recipe import Recipe
from edge_arseg.storage.url import label_of

CALIBRATION_FILE = "quantization/calibration.json"
SENSITIVITY_FILE = "quantization/sensitivity.json"
FORMAT = 1
"""Of both files. 1: first."""


def calibration_record(calibration: Calibration, recipe: Recipe, dialect: Dialect) -> bytes:
    """Return what calibration saw and found, as JSON: recipe, clips with digests, range and scale of every tensor."""
    ranges = {
        role.value: {
            name: _range(values.low, values.high, *dialect.scale_from_range(values)) for name, values in found.items()
        }
        for role, found in calibration.ranges.items()
    }
    return _bytes(
        {
            "format": FORMAT,
            "recipe": {**asdict(recipe), "clips": [{**asdict(c), "source": label_of(c.source)} for c in recipe.clips]},
            "activations": dialect.name,
            "clips": [asdict(clip) for clip in calibration.clips],
            "versions": versions(),
            "ranges": ranges,
        }
    )


def sensitivity_record(
    choice: PrecisionChoice,
    layers: Mapping[Role, Sequence[LayerSensitivity]],
    trials: Mapping[Role, Sequence[BudgetTrial]],
    max_drop: float | None,
    scores: tuple[Scores, Scores] | None,
    agreement: Sequence[Agreement],
) -> bytes:
    """Return what each layer costs and what the whole scores, as JSON.

    Args:
        choice: that the graphs were made by.
        layers: by role, the most sensitive first.
        trials: of the search for the layers to keep in float, by role.
        max_drop: the budget, points of mIoU.
        scores: of float32 and of the result, where there were labels.
        agreement: of the golden frames with torch.
    """
    ranked = {
        role.value: [{**asdict(e), "in_float": e.layer in choice.keep_float.get(role, ())} for e in entries]
        for role, entries in layers.items()
    }
    return _bytes(
        {
            "format": FORMAT,
            "precisions": {role.value: choice.stated(role).value for role in choice.branches},
            "activations": choice.dialect.name,
            "layers": ranked,
            "max_drop": max_drop,
            "trials": {role.value: [asdict(trial) for trial in found] for role, found in trials.items()},
            "scores": None
            if scores is None
            else {"fp32": json_from_scores(scores[0]), "quantized": json_from_scores(scores[1])},
            "golden_agreement": [asdict(row) for row in agreement],
        }
    )


def sha256_from_text(text: str) -> str:
    """Return the SHA-256 of a text as UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def _range(low: float, high: float, scale: float, zero_point: int) -> dict[str, float | int]:
    return {"low": low, "high": high, "scale": scale, "zero_point": zero_point}


def _bytes(value: dict[str, Any]) -> bytes:
    return (json.dumps(_finite(value), indent=1) + "\n").encode()


def _finite(value: Any) -> Any:
    """Replace what JSON cannot say, infinities, by ``null``."""
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
