"""Engines on OpenVINO, for CPUs of x86 boards and PCs."""

import ctypes
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from edge_arseg.errors import BuildError, EnvironmentUnfitError, MemoryExhaustedError
from edge_arseg.installation import install_extra
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.device.cores import usable_cores
from edge_arseg.runtime.engines.contract import Buffer, Engine, LayerTime
from edge_arseg.runtime.engines.openvino.cache import cache_settings
from edge_arseg.runtime.engines.openvino.counters import counted_layers
from edge_arseg.spec import tensor as names
from edge_arseg.spec.manifest import Role
from edge_arseg.spec.tensor import TensorSpec

_CONVERTER = "openvino.tools.ovc"


class OpenVinoEngine(Engine):
    """One graph on OpenVINO's CPU device, reading and writing numpy arrays where they are."""

    precision: ClassVar[str] = "f32"
    """Of what the graph has in floating point."""

    def __init__(self, path: Path | str, *, threads: int | None = None):
        """Load a graph.

        Args:
            path: an ONNX file.
            threads: of one run; by default as many as there are cores.

        Raises:
            EnvironmentUnfitError: OpenVINO is not installed.
            BuildError: OpenVINO cannot load the graph.
        """
        library = openvino_library()
        core = library.Core()
        self._check_cpu(core)
        settings = self._settings(threads)
        facts = {
            "version": library.__version__,
            "cpu": core.get_property("CPU", "FULL_DEVICE_NAME"),
            "able": core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"),
            **settings,
        }
        try:
            with cache_settings(Path(path), facts=facts) as cached:
                model = core.compile_model(str(path), "CPU", {**settings, **cached})
        except Exception as error:  # OpenVINO raises plain RuntimeError and its own classes
            raise BuildError(
                f"{path}: OpenVINO {library.__version__} cannot load this graph ({_last_line(error)}); "
                "check the bundle with `edge-arseg verify`"
            ) from error
        super().__init__(Path(path).stem, _specs(model.inputs), _specs(model.outputs))
        self._bind(library, model)

    def twin(self) -> "OpenVinoEngine":
        """See ``Engine``: requests of one model share its weights."""
        if self._request is None:
            raise BuildError(f"engine {self.name!r} was closed; open it again")
        twin = object.__new__(type(self))
        Engine.__init__(twin, self.name, self.inputs, self.outputs)
        twin._bind(self._library, self._request.get_compiled_model())
        return twin

    def _bind(self, library: ModuleType, model: Any) -> None:
        self._library = library
        self._request: Any = model.create_infer_request()
        self._results = {name: np.zeros(spec.shape, spec.dtype) for name, spec in self.outputs.items()}
        self._bound: dict[str, np.ndarray] = {}
        for name, array in self._results.items():
            self._request.set_tensor(name, library.Tensor(array, shared_memory=True))

    @classmethod
    def layer_times(
        cls, bundle: Bundle, role: Role, frame: NDArray[np.uint8], *, threads: int | None, runs: int
    ) -> tuple[LayerTime, ...]:
        """See ``Engine``."""
        core = openvino_library().Core()
        cls._check_cpu(core)
        settings = {**cls._settings(threads), "PERF_COUNT": True}
        model = core.compile_model(str(bundle.graph_path(role)), "CPU", settings)
        return counted_layers(model, {names.FRAME: frame}, runs)

    @classmethod
    def _settings(cls, threads: int | None) -> dict[str, Any]:
        return {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,
            "INFERENCE_NUM_THREADS": threads or usable_cores(),
            # unasked, a CPU with AMX computes in bfloat16, whatever the graph says
            "INFERENCE_PRECISION_HINT": cls.precision,
            # the kernels between two runs want the same cores
            "ENABLE_CPU_PINNING": False,
        }

    def _run(self, feeds: Mapping[str, Buffer]) -> Mapping[str, Buffer]:
        if self._request is None:
            raise BuildError(f"engine {self.name!r} was closed; open it again")
        for name, array in feeds.items():
            if name not in self._bound or self._bound[name].ctypes.data != array.ctypes.data:
                self._request.set_tensor(name, self._library.Tensor(_writeable(array), shared_memory=True))
                self._bound[name] = array  # kept alive for as long as OpenVINO reads it
        try:
            self._request.infer()
        except Exception as error:  # see above
            message = _last_line(error)
            if "alloc" in message.lower():
                raise MemoryExhaustedError(
                    f"engine {self.name!r}: not enough memory ({message}); export at a smaller --size"
                ) from error
            raise BuildError(f"engine {self.name!r} failed in OpenVINO: {message}") from error
        return self._results

    def close(self) -> None:
        """Free the model; its output arrays stay valid."""
        self._request = None
        self._bound.clear()

    @classmethod
    def _check_cpu(cls, core: Any) -> None:
        """Refuse a CPU that lacks what the engine is for."""


class Bf16OpenVinoEngine(OpenVinoEngine):
    """The same in bfloat16, on CPUs that compute in it (AMX, AVX512-BF16): 8 bits of mantissa where float32 has 24."""

    precision = "bf16"

    @classmethod
    def _check_cpu(cls, core: Any) -> None:
        able = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if "BF16" not in able:
            raise EnvironmentUnfitError(
                f"this CPU does not compute in bfloat16 (OpenVINO lists {', '.join(able)}); take --backend openvino"
            )


def openvino_library() -> ModuleType:
    """Import OpenVINO, without what it does besides running graphs.

    Raises:
        EnvironmentUnfitError: it is not installed.
    """
    try:
        with _without_converter():
            return import_module("openvino")
    except ImportError as error:
        raise EnvironmentUnfitError(
            f"--backend openvino needs OpenVINO ({error}); type: {install_extra('openvino')}; "
            "or use --backend onnxruntime"
        ) from error


@contextmanager
def _without_converter() -> Iterator[None]:
    """Leave out the part of OpenVINO that converts models, which OpenVINO does without where it cannot be imported.

    Imported, it counts uses in the home folder and sends them to its makers before anything is run; it takes two
    thirds of the time of the import and half of its memory.
    """
    if _CONVERTER in sys.modules:  # somebody else's choice
        yield
        return
    sys.modules[_CONVERTER] = None  # type: ignore[assignment]  # Python's way to say that there is none
    try:
        yield
    finally:
        del sys.modules[_CONVERTER]


def _writeable(array: np.ndarray) -> np.ndarray:
    """Return a view that may be written, though OpenVINO does not: it shares no memory that may not be."""
    if array.flags.writeable:
        return array
    memory = (ctypes.c_uint8 * array.nbytes).from_address(array.ctypes.data)
    return np.ctypeslib.as_array(memory).view(array.dtype).reshape(array.shape)


def _specs(ports: Any) -> dict[str, TensorSpec]:
    return {port.any_name: TensorSpec(np.dtype(port.element_type.to_dtype()).name, tuple(port.shape)) for port in ports}


def _last_line(error: Exception) -> str:
    """Return the line that says why: OpenVINO puts the places in its source above it."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[-1].strip()[:300]
