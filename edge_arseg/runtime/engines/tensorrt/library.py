"""The installed TensorRT: which Python owns it, what it says, and what to type where it cannot be used."""

import logging
import re
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from edge_arseg.errors import EnvironmentUnfitError
from edge_arseg.installation import install_packages

OLDEST = (8, 5)
"""The first with ``set_tensor_address`` and ``execute_async_v3``, and with a GridSample layer."""

KEPT_ERRORS = 20

_log = logging.getLogger(__name__)


def tensorrt_is_here() -> bool:
    """Return whether this Python can see TensorRT; nothing is imported."""
    try:
        return find_spec("tensorrt") is not None
    except ValueError:  # loaded already, without a spec
        return True


def tensorrt_owner(root: Path = Path("/")) -> str | None:
    """Return the name of the system's Python that has TensorRT's bindings, like ``python3.10``.

    ``dist-packages`` of ``python3`` belongs to whichever version the system's ``python3`` is.
    """
    found = sorted((root / "usr/lib").glob("python3*/dist-packages/tensorrt"))
    return found[-1].parents[1].name if found else None


def tensorrt_advice(root: Path = Path("/")) -> str:
    """Return what to type where TensorRT is missing in this Python."""
    owner = tensorrt_owner(root)
    if owner is None:
        return "sudo apt install python3-libnvinfer (TensorRT comes with JetPack, never from pip)"
    version = owner.removeprefix("python")
    same = version in ("3", f"{sys.version_info.major}.{sys.version_info.minor}")
    if same:
        return f"{owner} -m venv --system-site-packages .venv"
    return (
        f"{owner} -m venv --system-site-packages .venv (TensorRT was made for {owner}, "
        f"this is Python {sys.version_info.major}.{sys.version_info.minor})"
    )


def tensorrt_library(root: Path = Path("/")) -> ModuleType:
    """Import TensorRT.

    Args:
        root: of the file system, to look for the bindings of another Python.

    Raises:
        EnvironmentUnfitError: it is missing, made for another Python, without its libraries, or older than 8.5.
    """
    try:
        library = import_module("tensorrt")
        version = version_numbers(library.__version__)
    except (
        Exception
    ) as error:  # half of it installed: the wheels' loader raises OSError, an empty folder has no version
        raise EnvironmentUnfitError(_why_not(error, root)) from error
    if version < OLDEST:
        raise EnvironmentUnfitError(
            f"TensorRT {library.__version__} seen, 8.5 or newer expected (JetPack 5.1 and later); "
            "this board runs with --backend onnxruntime"
        )
    return library


def version_numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, to compare: ``10.3.0.30`` gives ``(10, 3, 0, 30)``."""
    return tuple(map(int, re.findall(r"\d+", version)))


class TensorRtLog:
    """What TensorRT says; the real class is made by ``tensorrt_log``, because its base comes from the module.

    TensorRT returns nothing where it fails; why stands in its log only.

    Attributes:
        errors: the last ones, in order.
    """

    errors: deque[str]
    _kept: list[str] | None

    @contextmanager
    def keeping_warnings(self) -> Iterator[list[str]]:
        """Forget what was said before, and gather warnings instead of passing them on to ``logging``."""
        self.errors.clear()
        before, self._kept = self._kept, []
        try:
            yield self._kept
        finally:
            self._kept = before

    def why(self) -> str:
        """Return the last errors, for a message, and forget them: the next failure has its own."""
        said = list(self.errors)
        self.errors.clear()
        return "; ".join(said[-3:])[:600] or "no reason given"


@lru_cache
def tensorrt_log(library: ModuleType) -> Any:
    """Return the logger of a TensorRT module, a ``TensorRtLog``: one for every builder, parser and runtime.

    There is one per process because TensorRT has one: it keeps the first logger that it is given, and whatever a
    second one is passed for goes to the first. Two would each see half of what is said, or nothing.
    """
    base: Any = library.ILogger

    class Log(TensorRtLog, base):
        def __init__(self) -> None:
            base.__init__(self)  # the bindings require it to be called by name
            self.errors, self._kept = deque(maxlen=KEPT_ERRORS), None

        def log(self, severity: Any, message: str) -> None:
            text = message.strip()
            if severity in (base.INTERNAL_ERROR, base.ERROR):
                self.errors.append(text)
            if severity != base.WARNING:
                _log.debug("TensorRT: %s", text)
            elif self._kept is None:
                _log.warning("TensorRT: %s", text)
            else:
                self._kept.append(text)

    return Log()


def _why_not(error: Exception, root: Path) -> str:
    if not (isinstance(error, ImportError) and error.name == "tensorrt"):
        return (
            f"TensorRT's Python module is installed, but not what it needs ({error}); on a Jetson: "
            f"sudo apt install tensorrt; elsewhere: {install_packages('tensorrt', again=True)}"
        )
    return (
        f"this Python has no TensorRT; on a Jetson: {tensorrt_advice(root)}; in a container: use one that "
        f"has it; on a PC with an NVIDIA GPU: {install_packages('tensorrt')}; or run with --backend onnxruntime"
    )
