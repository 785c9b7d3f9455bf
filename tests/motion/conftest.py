"""Both implementations of motion answer every question in this folder."""

import pytest

from edge_arseg.motion import kernels


@pytest.fixture(params=["numba", "numpy"], autouse=True)
def implementation(request, monkeypatch):
    if request.param == "numba" and not kernels.COMPILED:
        pytest.skip("numba is not installed")
    monkeypatch.setattr(kernels, "COMPILED", request.param == "numba")
    return request.param
