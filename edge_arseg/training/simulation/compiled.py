"""The renderer's loops, compiled: they run without the interpreter's lock."""

from collections.abc import Callable
from typing import Any

from edge_arseg.compiled import compiled as compiled_with
from edge_arseg.compiled import require_numba


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function that runs without the interpreter's lock.

    Raises:
        EnvironmentUnfitError: numba is not installed.
    """
    require_numba("the renderer of simulated clips")
    return compiled_with(nogil=True, error_model="numpy")(function)
