"""Numba, which the renderer cannot do without."""

from collections.abc import Callable
from typing import Any

from edge_arseg.errors import EnvironmentUnfitError


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function that runs without the interpreter's lock.

    Raises:
        EnvironmentUnfitError: numba is not installed.
    """
    try:
        from numba import njit
    except ImportError as error:
        raise EnvironmentUnfitError(
            "simulated clips are rendered by numba, which is missing; type pip install 'edge-arseg[cpu]'"
        ) from error
    try:
        return njit(nogil=True, error_model="numpy", cache=True)(function)
    except RuntimeError:  # nowhere to write the cache: compile in every process
        return njit(nogil=True, error_model="numpy")(function)
