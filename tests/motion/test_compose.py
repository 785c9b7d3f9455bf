"""Composition of flows, compiled and with NumPy."""

import numpy as np
import pytest

from edge_arseg.motion import kernels
from edge_arseg.motion.compose import Composer
from edge_arseg.native.library import kernels_available


@pytest.mark.skipif(not kernels_available(), reason="nothing compiled here")
@pytest.mark.parametrize("quarters", [True, False])
@pytest.mark.parametrize("repeat", [1, 2, 3, 4])
def test_compiled_and_numpy_give_the_same_for_any_repeat(monkeypatch, repeat, quarters):
    """Also where a row of a block is not written together, and where rounding moves its cells apart."""
    rows, columns, random = 5, 7, np.random.default_rng(repeat)
    shape = rows * repeat, columns * repeat
    step = random.normal(scale=6, size=(rows, columns, 2))
    step = (np.round(4 * step) / 4 if quarters else step).astype(np.float32).view(np.complex64)[..., 0]
    before = random.normal(scale=5, size=(*shape, 2)).astype(np.float32).view(np.complex64)[..., 0]
    made = []
    for compiled in (True, False):
        monkeypatch.setattr(kernels, "COMPILED", compiled)
        out = np.full(shape, np.nan, np.complex64)
        Composer(rows, columns, repeat, 8 // repeat).compose(step, before, out=out)
        made.append(out)
    np.testing.assert_allclose(made[0], made[1], rtol=1e-6, atol=1e-5)
