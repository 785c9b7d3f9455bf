"""Running a bundle's golden frames through engines, and comparing the class maps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_arseg.runtime.engines.contract import Engine
from edge_arseg.spec import tensor as names
from edge_arseg.spec.manifest import Manifest, Role
from edge_arseg.spec.weights import GoldenFrames

if TYPE_CHECKING:
    from edge_arseg.runtime.kernel_check import CheckedKernel

MIN_AGREEMENT = 0.99
"""Share of pixels that must get the expected class where the bundle names none of its own."""

QUANTIZED_AGREEMENT = 0.98
"""The same for quantized bundles, whatever they reached when they were made: a gate does not grade itself."""

VERIFIED_ROLES = (Role.HR, Role.LR, Role.FUSE, Role.HEAD, Role.LR_HEAD)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Share of pixels, 0 to 1, whose class is the expected one.

    Attributes:
        output: ``hr``, ``lr``, ``ar`` (the ``fuse`` graph), ``head`` (the ``head`` graph behind ``fuse``) or ``kernel``
            (the same behind the CUDA fusion kernel).
        distance: frames since the keyframe.
        agreement: 1.0 is every pixel.
    """

    output: str
    distance: int
    agreement: float


def required_agreement(manifest: Manifest) -> float:
    """Return the share of pixels, 0 to 1, that must get the expected class.

    A bundle's own gate counts where it is stricter than ``QUANTIZED_AGREEMENT``, or where somebody said why it is not.
    """
    own = manifest.golden.min_agreement
    if own is None:
        return MIN_AGREEMENT
    return own if manifest.golden.because else max(own, QUANTIZED_AGREEMENT)


def gate_text(manifest: Manifest) -> str:
    """Return the gate of a bundle in words: the share, and why it is not the usual one."""
    gate, golden = required_agreement(manifest), manifest.golden
    if golden.because:
        return f"{gate:.2%}, because: {golden.because}"
    if golden.min_agreement is not None and golden.min_agreement < gate:
        return (
            f"{gate:.2%}; the {golden.min_agreement:.2%} that this bundle asks of itself is what it reached when it was"
            " made, less a point, and does not count"
        )
    return f"{gate:.2%}"


def verified_roles(manifest: Manifest) -> tuple[Role, ...]:
    """Return the graphs that are checked: all that the bundle has."""
    return tuple(role for role in VERIFIED_ROLES if role in manifest.graphs)


def agreements(
    engines: Mapping[Role, Engine], golden: GoldenFrames, kernel: "CheckedKernel | None" = None
) -> list[Agreement]:
    """Run every golden frame through every path and compare.

    Args:
        engines: of all ``verified_roles``.
        golden: frames, flows and expected class maps; the first frame is the keyframe.
        kernel: fuses too, with the features of ``engines``, where there is a GPU for it.
    """
    rows = []
    key_feature = None
    for i, frame in enumerate(golden.frames):
        distance = int(golden.distances[i])
        hr = engines[Role.HR].run({names.FRAME: frame})
        rows.append(Agreement("hr", distance, _agreement(hr[names.CLASS_MAP], golden.hr_maps[i])))
        if Role.LR not in engines:
            continue
        if key_feature is None:
            key_feature = np.array(hr[names.FEATURE])  # the next frame goes through the HR engine too
        lr_feature = engines[Role.LR].run({names.FRAME: frame})[names.LR_FEATURE]
        lr = engines[Role.LR_HEAD].run({names.LR_FEATURE: lr_feature})
        rows.append(Agreement("lr", distance, _agreement(lr[names.CLASS_MAP], golden.lr_maps[i])))
        if distance == 0:
            continue
        fused = engines[Role.FUSE].run(
            {names.KEY_FEATURE: key_feature, names.FLOW: golden.flows[i], names.LR_FEATURE: lr_feature}
        )
        rows.append(Agreement("ar", distance, _agreement(fused[names.CLASS_MAP], golden.ar_maps[i])))
        head = engines[Role.HEAD].run({names.FUSED_FEATURE: fused[names.FUSED_FEATURE]})
        rows.append(Agreement("head", distance, _agreement(head[names.CLASS_MAP], golden.ar_maps[i])))
        if kernel is not None:
            moved = kernel.fuse(key_feature, golden.flows[i], np.array(lr_feature))
            head = engines[Role.HEAD].run({names.FUSED_FEATURE: moved})
            rows.append(Agreement("kernel", distance, _agreement(head[names.CLASS_MAP], golden.ar_maps[i])))
    return rows


def _agreement(seen: np.ndarray, expected: np.ndarray) -> float:
    return float(np.mean(seen == expected))
