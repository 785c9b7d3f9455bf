"""How many of the golden pixels must get the expected class: the gate of a bundle."""

from edge_arseg.spec.manifest import Manifest

MIN_AGREEMENT = 0.99
"""Share of pixels that must get the expected class where the bundle names none of its own."""

QUANTIZED_AGREEMENT = 0.98
"""The same for quantized bundles, whatever they reached when they were made: a gate does not grade itself."""


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
