"""Finding the installed TensorRT, and saying what to do where it cannot be used."""

import logging
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from edge_arseg.errors import EnvironmentUnfitError
from edge_arseg.runtime.tensorrt_home import tensorrt_advice

OLDEST = (8, 5)
"""The first with ``set_tensor_address`` and ``execute_async_v3``, and with a GridSample layer."""

_log = logging.getLogger(__name__)


def tensorrt_library(root: Path = Path("/")) -> ModuleType:
    """Import TensorRT.

    Args:
        root: of the file system, to look for the bindings of another Python.

    Raises:
        EnvironmentUnfitError: it is missing, made for another Python, without its libraries, or older than 8.5.
    """
    try:
        library = import_module("tensorrt")
    except ImportError as error:
        raise EnvironmentUnfitError(_why_not(error, root)) from error
    if version_numbers(library.__version__) < OLDEST:
        raise EnvironmentUnfitError(
            f"TensorRT {library.__version__} seen, 8.5 or newer expected (JetPack 5.1 and later); "
            "this board runs with --backend onnxruntime"
        )
    return library


def version_numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, to compare: ``10.3.0.30`` gives ``(10, 3, 0, 30)``."""
    return tuple(map(int, re.findall(r"\d+", version)))


def collecting_logger(library: ModuleType) -> Any:
    """Return a logger for TensorRT that keeps the errors, and passes warnings on to ``logging``.

    TensorRT returns nothing where it fails; why stands in its log only. The logger has a list ``errors``.
    """

    class CollectingLogger(library.ILogger):  # type: ignore[name-defined]
        def __init__(self) -> None:
            library.ILogger.__init__(self)  # the bindings require it to be called by name
            self.errors: list[str] = []

        def log(self, severity: Any, message: str) -> None:
            if severity in (library.ILogger.INTERNAL_ERROR, library.ILogger.ERROR):
                self.errors.append(message.strip())
                _log.debug("TensorRT: %s", message)
            elif severity == library.ILogger.WARNING:
                _log.warning("TensorRT: %s", message)
            else:
                _log.debug("TensorRT: %s", message)

    return CollectingLogger()


def _why_not(error: ImportError, root: Path) -> str:
    if error.name != "tensorrt":
        return (
            f"TensorRT's Python module is installed, but not what it needs ({error}); on a Jetson: "
            "sudo apt install tensorrt; elsewhere: pip install --force-reinstall tensorrt"
        )
    return (
        f"this Python has no TensorRT; on a Jetson: {tensorrt_advice(root)}; in a container: use one that "
        "has it; on a PC with an NVIDIA GPU: pip install tensorrt; or run with --backend onnxruntime"
    )
