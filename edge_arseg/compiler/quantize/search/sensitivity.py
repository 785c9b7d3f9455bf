"""What each layer costs in accuracy when it alone is quantized."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx

from edge_arseg.compiler.quantize.calibrate.flow import RESULTS, Calibration
from edge_arseg.compiler.quantize.calibrate.observed import ObservedGraph
from edge_arseg.compiler.quantize.dialects import Dialect
from edge_arseg.compiler.quantize.qdq import qdq_from_ranges
from edge_arseg.compiler.quantize.rules.layers import Layers
from edge_arseg.spec import tensor as names
from edge_arseg.spec.manifest import Role
from edge_arseg.spec.progress import Announce, no_announcement
from edge_arseg.spec.weights import DecoderWeights


@dataclass(frozen=True, slots=True)
class LayerSensitivity:
    """One layer.

    Attributes:
        layer: name of its node.
        weight: name of its weights, which says more.
        sqnr_db: power of the class scores over that of their error when this layer alone is quantized, in decibels.
            The smaller, the more it costs.
    """

    layer: str
    weight: str
    sqnr_db: float


def sensitivities(
    calibration: Calibration,
    role: Role,
    classifier: DecoderWeights,
    *,
    dialect: Dialect,
    threads: int | None = None,
    progress: Announce = no_announcement,
) -> list[LayerSensitivity]:
    """Quantize one layer of a branch at a time, and rank them: the one that costs most comes first.

    The measure needs no labels: scores of the classifier on the branch's feature, float against quantized.

    Args:
        calibration: of the branch; its samples are compared on.
        role: ``hr`` or ``lr``.
        classifier: from features to class scores.
        dialect: of the engine library that the graph is for.
        threads: of the graph.
        progress: called with a line now and then.
    """
    branch, frames = calibration.branches[role], calibration.samples
    found_in = calibration.ranges[role], calibration.means[role]
    expected = [_scores(_feature(branch.model, role, frame, threads), classifier) for frame in frames]
    weights = branch.weights()
    found = []
    for number, layer in enumerate(branch.layers.weighted):
        if number % 10 == 0:
            progress(f"{role.value}: layer {number + 1} of {len(branch.layers.weighted)} alone in int8")
        alone = qdq_from_ranges(branch.model, Layers((layer,), ()), *found_in, dialect=dialect)
        seen = [_scores(_feature(alone, role, frame, threads), classifier) for frame in frames]
        found.append(LayerSensitivity(layer, weights[layer], sqnr_db(expected, seen)))
    return sorted(found, key=lambda entry: (entry.sqnr_db, entry.layer))


def sqnr_db(expected: Sequence[np.ndarray], seen: Sequence[np.ndarray]) -> float:
    """Return ``10 log10(sum expected^2 / sum (expected - seen)^2)``; infinite where nothing differs."""
    power = sum(float(np.sum(np.square(values, dtype=np.float64))) for values in expected)
    noise = sum(float(np.sum(np.square(a.astype(np.float64) - b))) for a, b in zip(expected, seen, strict=True))
    if noise == 0.0:
        return float("inf")
    return float(10.0 * np.log10(max(power, 1e-30) / noise))


def _feature(model: onnx.ModelProto, role: Role, frame: np.ndarray, threads: int | None) -> np.ndarray:
    graph = ObservedGraph(model, (), RESULTS[role], threads=threads)
    return graph.run({names.FRAME: frame})[RESULTS[role][0]]


def _scores(feature: np.ndarray, classifier: DecoderWeights) -> np.ndarray:
    return np.tensordot(classifier.weight, feature[0], axes=1) + classifier.bias[:, None, None]
