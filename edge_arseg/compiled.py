"""Code that Numba compiles here, kept on disk where there is a place for it.

Numba looks for such a place itself: ``NUMBA_CACHE_DIR``, beside the source, then the user's cache. Where none of them
can be written it refuses to compile; here that costs the time to compile in every process, nothing else.
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, TypeVar

from edge_arseg.errors import EnvironmentUnfitError
from edge_arseg.installation import install_extra

T = TypeVar("T")
Function = TypeVar("Function", bound=Callable[..., Any])


def numba_installed() -> bool:
    """Return whether Numba is there, without importing it."""
    try:
        return find_spec("numba") is not None
    except ValueError:  # its import is blocked
        return False


def require_numba(what: str) -> None:
    """Import Numba, for ``what`` (in words).

    Raises:
        EnvironmentUnfitError: it is not installed; with what to type.
    """
    try:
        import numba  # noqa: F401
    except ImportError as error:
        raise EnvironmentUnfitError(
            f"{what} needs numba, which is not installed; type: {install_extra('cpu')}"
        ) from error


def compiled(**options: Any) -> Callable[[Function], Function]:
    """Return a decorator: ``numba.njit`` with ``options``, and with its cache where one can be written.

    Raises:
        ImportError: Numba is not installed.
    """
    from numba import njit

    def decorate(function: Function) -> Function:
        result: Function = cached_if_possible(lambda cache: njit(cache=cache, **options)(function))
        return result

    return decorate


def cached_if_possible(compile_: Callable[[bool], T]) -> T:
    """Return ``compile_(True)``, which uses Numba's cache, or ``compile_(False)`` where that cache cannot be used."""
    try:
        return compile_(True)
    except (OSError, RuntimeError, EOFError):
        return compile_(False)
