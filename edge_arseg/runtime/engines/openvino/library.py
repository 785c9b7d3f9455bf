"""OpenVINO by its C interface, which comes in the same package as the one for Python.

It is loaded sooner and takes less memory. Its calls leave Python to other threads, and none of them waits for Python,
so that graphs can be loaded at the same time. Nothing of it counts uses, as the import of the package does.
"""

import ctypes
import locale
import os
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ctypes import byref, c_char_p, c_int, c_int64, c_size_t, c_void_p
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from edge_arseg.errors import EnvironmentUnfitError
from edge_arseg.installation import install_extra
from edge_arseg.spec.tensor import TensorSpec

_TYPES: dict[int, Any] = {3: "float16", 4: "float32", 5: "float64", 7: "int8", 8: "int16", 9: "int32", 10: "int64"} | {
    1: "bool", 16: "uint8", 17: "uint16", 18: "uint32", 19: "uint64"
}  # fmt: skip
"""``ov_element_type_e`` to the name in NumPy; all are one more where ``UNDEFINED`` comes first, as in OpenVINO 2024."""
_FLOAT64 = 5


class OpenVinoError(Exception):
    """What OpenVINO says, in one line."""


class _Locale:
    """The locale of the process. OpenVINO sets it to "C" while it loads a graph, and then to what it found.

    Of two graphs that are loaded at the same time, the second one may find the "C" of the first, and leave it behind:
    from then on Python would read text as ASCII.
    """

    def __init__(self) -> None:
        self._lock, self._loading, self._before = threading.Lock(), 0, ""

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Have the locale that was there before, once nothing is loaded any more."""
        with self._lock:
            if not self._loading:
                self._before = locale.setlocale(locale.LC_ALL)
            self._loading += 1
        try:
            yield
        finally:
            with self._lock:
                self._loading -= 1
                if not self._loading:
                    locale.setlocale(locale.LC_ALL, self._before)


_locale = _Locale()


class _Shape(ctypes.Structure):
    _fields_ = (("rank", c_int64), ("dims", ctypes.POINTER(c_int64)))

    @classmethod
    def of(cls, shape: tuple[int, ...]) -> "_Shape":
        return cls(len(shape), (c_int64 * len(shape))(*shape))


class _Version(ctypes.Structure):
    _fields_ = (("build", c_char_p), ("description", c_char_p))


class OpenVino:
    """The library, with what all graphs share.

    Attributes:
        version: of the build.
    """

    def __init__(self, path: str) -> None:
        """Load it.

        Raises:
            OSError: it cannot be loaded.
        """
        self._c = ctypes.CDLL(path)
        self._c.ov_get_last_err_msg.restype = self._c.ov_get_error_info.restype = c_char_p
        for name in ("core", "compiled_model", "infer_request", "tensor", "output_const_port"):
            getattr(self._c, f"ov_{name}_free").argtypes = [c_void_p]
            getattr(self._c, f"ov_{name}_free").restype = None
        self._c.ov_free.argtypes, self._c.ov_free.restype = [c_void_p], None
        version = _Version()
        self.call("ov_get_openvino_version", byref(version))
        self.version = (version.build or b"").decode()
        self._c.ov_version_free(byref(version))
        self._core = self.made("ov_core_create")
        self._first_type = 0 if self._size_of(_FLOAT64) == 8 else 1

    def call(self, name: str, *arguments: Any) -> None:
        """Call a function; raises ``OpenVinoError`` where it says that it failed."""
        status = getattr(self._c, name)(*arguments)
        if status:
            said = self._c.ov_get_last_err_msg() or self._c.ov_get_error_info(status) or b""
            lines = [line.strip() for line in said.decode(errors="replace").splitlines() if line.strip()]
            raise OpenVinoError((lines or [f"status {status}"])[-1][:300])  # above it are places in its source

    def made(self, name: str, *arguments: Any, rest: tuple[Any, ...] = ()) -> c_void_p:
        """Return what a function makes: a pointer behind ``arguments``, before the ``rest``."""
        pointer = c_void_p()
        self.call(name, *arguments, byref(pointer), *rest)
        return pointer

    def freed_with(self, owner: object, kind: str, pointer: c_void_p) -> c_void_p:
        """Free what a pointer points to together with its owner."""
        weakref.finalize(owner, getattr(self._c, f"ov_{kind}_free"), pointer)
        return pointer

    def text(self, name: str, *arguments: Any) -> str:
        """Return a text that a function gives."""
        pointer = self.made(name, *arguments)
        try:
            return ctypes.string_at(pointer.value or b"").decode(errors="replace")
        finally:
            self._c.ov_free(pointer)

    def of_cpu(self, key: str) -> str:
        """Return a property of the CPU; several values have spaces between them."""
        return self.text("ov_core_get_property", self._core, b"CPU", key.encode())

    def compiled(self, graph: Path | str, settings: Mapping[str, object]) -> "CompiledGraph":
        """Load a graph for the CPU.

        Raises:
            OpenVinoError: it cannot be loaded.
        """
        words = [c_char_p(os.fsencode(str(word))) for pair in settings.items() for word in pair]
        count, place = c_size_t(len(words)), os.fsencode(graph)
        compile_name = "ov_core_compile_model_from_file"
        with _locale.kept():
            model = self.made(compile_name, self._core, place, b"CPU", count, rest=tuple(words))
        return CompiledGraph(self, model)

    def tensor_over(self, array: NDArray[Any], type_code: int) -> c_void_p:
        """Return a tensor that is an array's memory."""
        shape, memory = _Shape.of(array.shape), c_void_p(array.ctypes.data)
        return self.made("ov_tensor_create_from_host_ptr", c_int(type_code), shape, memory)

    def free_tensor(self, tensor: c_void_p) -> None:
        """Let go of a tensor; who still uses it keeps it."""
        self._c.ov_tensor_free(tensor)

    def port(self, model: c_void_p, function: str, index: int) -> tuple[str, TensorSpec, int]:
        """Return name, type and shape of an input or output, and the code of its type."""
        port = self.made(function, model, c_size_t(index))
        shape, code = _Shape(), c_int()
        try:
            name = self.text("ov_port_get_any_name", port)
            self.call("ov_port_get_element_type", port, byref(code))
            self.call("ov_const_port_get_shape", port, byref(shape))
            sides = tuple(shape.dims[: shape.rank])
            self._c.ov_shape_free(byref(shape))
        finally:
            self._c.ov_output_const_port_free(port)
        dtype = _TYPES.get(code.value - self._first_type, f"type {code.value}")
        return name, TensorSpec(dtype, sides), code.value

    def _size_of(self, type_code: int) -> int:
        tensor, size = self.made("ov_tensor_create", c_int(type_code), _Shape.of((1,))), c_size_t()
        self.call("ov_tensor_get_byte_size", tensor, byref(size))
        self.free_tensor(tensor)
        return size.value


class CompiledGraph:
    """A graph that is ready to run; freed when nobody holds it any more.

    Attributes:
        inputs, outputs: type and shape by name.
    """

    def __init__(self, library: OpenVino, model: c_void_p) -> None:
        self._library, self._model = library, library.freed_with(self, "compiled_model", model)
        self._types: dict[str, int] = {}
        self.inputs, self.outputs = self._ports("input"), self._ports("output")

    def setting(self, key: str) -> str:
        """Return what a property came to."""
        return self._library.text("ov_compiled_model_get_property", self._model, key.encode())

    def request(self) -> "Request":
        """Return what runs it; several may run at the same time."""
        return Request(self._library, self, self._types, self._model)

    def _ports(self, kind: str) -> dict[str, TensorSpec]:
        count, found = c_size_t(), {}
        self._library.call(f"ov_compiled_model_{kind}s_size", self._model, byref(count))
        for index in range(count.value):
            name, spec, code = self._library.port(self._model, f"ov_compiled_model_{kind}_by_index", index)
            found[name], self._types[name] = spec, code
        return found


class Request:
    """Runs a graph over arrays that were bound to its inputs and outputs; freed when nobody holds it any more.

    Attributes:
        graph: that it runs.
        bound: array by name of input or output, kept alive for as long as OpenVINO may use it.
    """

    def __init__(self, library: OpenVino, graph: CompiledGraph, types: dict[str, int], model: c_void_p) -> None:
        self.graph, self.bound = graph, dict[str, NDArray[Any]]()
        self._library, self._types = library, types
        made = library.made("ov_compiled_model_create_infer_request", model)
        self._request = library.freed_with(self, "infer_request", made)

    def bind(self, name: str, array: NDArray[Any]) -> None:
        """Have an input read from, or an output written to, an array; it has the right type and shape."""
        if name in self.bound and self.bound[name].ctypes.data == array.ctypes.data:
            return
        tensor = self._library.tensor_over(array, self._types[name])
        try:
            self._library.call("ov_infer_request_set_tensor", self._request, name.encode(), tensor)
        finally:
            self._library.free_tensor(tensor)
        self.bound[name] = array

    def run(self) -> None:
        """Compute.

        Raises:
            OpenVinoError: it failed.
        """
        self._library.call("ov_infer_request_infer", self._request)


@lru_cache(maxsize=1)
def _loaded(path: str) -> OpenVino:
    return OpenVino(path)


_loading = threading.Lock()


def openvino() -> OpenVino:
    """Return the library, loaded once.

    Raises:
        EnvironmentUnfitError: it is not installed, or cannot be loaded.
    """
    try:
        package = find_spec("openvino")
        folders = package.submodule_search_locations if package else None
        if not folders:
            raise OSError("there is no package openvino")
        found = [str(path) for folder in folders for path in sorted(Path(folder).glob("libs/*openvino_c.*"))]
        with _loading:
            return _loaded(next(iter(found), "libopenvino_c.so"))  # a distribution's is where all libraries are
    except (OSError, ValueError, AttributeError, OpenVinoError) as error:
        raise EnvironmentUnfitError(
            f"--backend openvino needs OpenVINO ({error}); type: {install_extra('openvino')}; "
            "or use --backend onnxruntime"
        ) from error
