"""CUDA graphs: what an engine enqueues, recorded once and launched with one call.

pycuda has no graphs, so the driver library is asked directly; where it has none either, engines enqueue as ever. Taken
from the CUDA driver API reference, section Graph Management.
"""

import ctypes
import logging
from collections.abc import Callable
from typing import Any

_THREAD_LOCAL = 1
"""CU_STREAM_CAPTURE_MODE_THREAD_LOCAL: other threads may allocate."""

_FUNCTIONS = (
    "cuStreamBeginCapture_v2",
    "cuStreamEndCapture",
    "cuGraphInstantiateWithFlags",
    "cuGraphLaunch",
    "cuGraphExecDestroy",
    "cuGraphDestroy",
)
_log = logging.getLogger(__name__)


class CudaGraph:
    """A recorded piece of work."""

    def __init__(self, library: Any, executable: ctypes.c_void_p):
        self._library, self._executable = library, executable

    def launch(self, stream: int) -> bool:
        """Enqueue the work; say whether that went well."""
        return self._library.cuGraphLaunch(self._executable, ctypes.c_void_p(stream)) == 0

    def destroy(self) -> None:
        """Free it."""
        self._library.cuGraphExecDestroy(self._executable)


def driver_library() -> Any:
    """Return the CUDA driver library, or ``None`` where it is missing or knows no graphs (before CUDA 11.4)."""
    try:
        library = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    return library if all(hasattr(library, name) for name in _FUNCTIONS) else None


def graph_from_work(library: Any, stream: int, enqueue: Callable[[], bool]) -> CudaGraph | None:
    """Record what ``enqueue`` puts on a stream, in the thread that owns the context.

    Args:
        library: of ``driver_library``.
        stream: handle of a stream, not the default one, with nothing being recorded.
        enqueue: the work; it must have run once before, for libraries allocate on their first run.

    Returns:
        The graph, or ``None`` where the work cannot be recorded. Nothing has been run either way.
    """
    handle, graph, executable = ctypes.c_void_p(stream), ctypes.c_void_p(), ctypes.c_void_p()
    if library.cuStreamBeginCapture_v2(handle, _THREAD_LOCAL):
        return None
    recorded = False
    try:
        recorded = enqueue()
    finally:
        # a stream that is left recording takes no further work
        ended = library.cuStreamEndCapture(handle, ctypes.byref(graph)) == 0
    try:
        if not (recorded and ended and graph.value):
            return None
        flags = ctypes.c_ulonglong(0)
        if library.cuGraphInstantiateWithFlags(ctypes.byref(executable), graph, flags):
            return None
        return CudaGraph(library, executable)
    finally:
        if graph.value:
            library.cuGraphDestroy(graph)
