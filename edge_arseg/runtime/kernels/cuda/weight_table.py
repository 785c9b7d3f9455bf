"""CReFF's weights in the order in which the kernel reads them."""

import numpy as np

from edge_arseg.errors import OptionError
from edge_arseg.spec.model import WINDOW, WINDOWS
from edge_arseg.spec.weights import FusionWeights

TAPS = 12
"""Floats per channel: nine taps row by row, the bias, and two that fill up three loads of four."""


def table_from_weights(weights: FusionWeights, channels: int, chunk: int) -> np.ndarray:
    """Return ``[query, key, value][channels, up to whole chunks][TAPS]``, then the position bias ``[49]``.

    A smaller window is one of 7x7 whose outer places weigh nothing: the kernel knows only that one.

    It is flat and float32, with zeros where there is no channel.

    Raises:
        OptionError: weights do not fit the channels or the window: all of them in one message.
    """
    taps = np.zeros((3, -(-channels // chunk) * chunk, TAPS), np.float32)
    faults = []
    for part, name in zip(taps, ("query", "key", "value"), strict=True):
        weight, bias = np.asarray(getattr(weights, f"{name}_weight")), np.asarray(getattr(weights, f"{name}_bias"))
        if weight.shape != (channels, 1, 3, 3):
            faults.append(f"{name}_weight is {list(weight.shape)}, expected [{channels}, 1, 3, 3]")
        elif bias.shape != (channels,):
            faults.append(f"{name}_bias is {list(bias.shape)}, expected [{channels}]")
        else:
            part[:channels, :9] = weight.reshape(channels, 9)
            part[:channels, 9] = bias
    places = np.shape(weights.position_bias)
    if places not in [(side**2,) for side in WINDOWS]:
        known = ", ".join(f"[{side**2}]" for side in WINDOWS)
        faults.append(f"position_bias is {list(places)}, expected one of {known}")
    if faults:
        raise OptionError("weights do not fit the features: " + "; ".join(faults))
    return np.concatenate([taps.reshape(-1), weights.position_bias_in(WINDOW)])
