"""Engines on ONNX Runtime's providers for NVIDIA GPUs, where the installed build has them."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import onnxruntime as ort

from edge_arseg.errors import BuildError, EnvironmentUnfitError, OptionError
from edge_arseg.installation import install_packages, pip
from edge_arseg.runtime.engines.contract import Buffer, Engine, Place
from edge_arseg.runtime.engines.onnxruntime.engine import first_line, run_bound, session_options, specs_from_arguments
from edge_arseg.spec.tensor import FEATURES
from edge_arseg.storage.user_folders import user_cache

_ADVICE = (
    f"take the build for GPUs in its place: {pip('uninstall onnxruntime')}; {install_packages('onnxruntime-gpu')} "
    "(on a Jetson the one built for its JetPack), or run with --backend tensorrt or --backend onnxruntime"
)


class CudaOnnxRuntimeEngine(Engine):
    """One graph on ONNX Runtime's CUDA provider; outputs that are features stay on the GPU."""

    feature_place = Place.ONNXRUNTIME_GPU
    provider: ClassVar[str] = "CUDAExecutionProvider"
    memory: ClassVar[str] = "cuda"

    def __init__(self, path: Path | str, *, threads: int | None = None):
        """Load a graph.

        Args:
            path: an ONNX file.
            threads: of what runs on the CPU.

        Raises:
            EnvironmentUnfitError: this build has no such provider, or it does not start.
            BuildError: ONNX Runtime cannot load the graph.
        """
        if self.provider not in (available := ort.get_available_providers()):
            raise EnvironmentUnfitError(
                f"ONNX Runtime {ort.__version__} as installed has no {self.provider} (it has {', '.join(available)}); "
                + _ADVICE
            )
        options = session_options(threads, wide_weights=True)  # what the GPU's provider lacks runs on the CPU
        try:
            session = ort.InferenceSession(str(path), options, providers=self.providers())
            inputs, outputs = specs_from_arguments(session.get_inputs()), specs_from_arguments(session.get_outputs())
        except Exception as error:  # ONNX Runtime raises its own classes, straight below Exception
            raise BuildError(
                f"{path}: ONNX Runtime {ort.__version__} cannot load this graph on {self.provider} "
                f"({first_line(error)}); check the bundle with `edge-arseg verify`"
            ) from error
        if self.provider not in session.get_providers():
            # it continues on the CPU without a message, a hundred times slower
            raise EnvironmentUnfitError(
                f"{self.provider} does not start here (ONNX Runtime took {', '.join(session.get_providers())}):"
                " a library of CUDA, cuDNN or TensorRT is missing or of another version; see `edge-arseg doctor`, or "
                "run with --backend onnxruntime"
            )
        super().__init__(Path(path).stem, inputs, outputs)
        self._session: ort.InferenceSession | None = session
        self._binding = session.io_binding()
        self._results: dict[str, Buffer] = {}
        self._bound: dict[str, Buffer] = {}
        for name, spec in self.outputs.items():
            if name in FEATURES:
                value = ort.OrtValue.ortvalue_from_shape_and_type(spec.shape, np.dtype(spec.dtype).type, self.memory, 0)
                self._binding.bind_ortvalue_output(name, value)
                self._results[name] = value
            else:
                array = self._results[name] = np.zeros(spec.shape, spec.dtype)
                self._binding.bind_output(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)

    def providers(self) -> list[Any]:
        """Return the providers to ask for, the wanted one first, with their options."""
        return [(self.provider, {"device_id": 0}), "CPUExecutionProvider"]

    def _run(self, feeds: Mapping[str, Buffer]) -> Mapping[str, Buffer]:
        if self._session is None:
            raise self._closed_error()
        for name, buffer in feeds.items():
            if self._bound.get(name) is buffer:
                continue
            if isinstance(buffer, np.ndarray):
                self._binding.bind_input(name, "cpu", 0, buffer.dtype.type, buffer.shape, buffer.ctypes.data)
            elif isinstance(buffer, ort.OrtValue):
                seen, wanted = tuple(buffer.shape()), self.inputs[name]
                if seen != wanted.shape:
                    raise OptionError(f"engine {self.name!r}: input {name!r}: {list(seen)} seen, {wanted} expected")
                self._binding.bind_ortvalue_input(name, buffer)
            else:
                raise OptionError(
                    f"engine {self.name!r}: input {name!r}: {type(buffer).__name__} seen, expected an array or an "
                    "output of another engine of this backend"
                )
            self._bound[name] = buffer
        run_bound(self._session, self._binding, self.name)
        return self._results

    def close(self) -> None:
        """Free the session; arrays of the host stay valid."""
        self._session = None
        self._bound.clear()


class TensorRtOnnxRuntimeEngine(CudaOnnxRuntimeEngine):
    """One graph on ONNX Runtime's TensorRT provider, which builds its engine on the first run and keeps it."""

    provider = "TensorrtExecutionProvider"

    def providers(self) -> list[Any]:
        """See ``CudaOnnxRuntimeEngine``; what TensorRT does not take goes to CUDA.

        Raises:
            EnvironmentUnfitError: the cache cannot be written, so that every start would build for minutes.
        """
        cache = provider_cache()
        options = {
            "device_id": 0,
            "trt_engine_cache_enable": True,
            "trt_engine_cache_path": str(cache),
            "trt_timing_cache_enable": True,
            "trt_timing_cache_path": str(cache),
        }
        return [(self.provider, options), ("CUDAExecutionProvider", {"device_id": 0}), "CPUExecutionProvider"]


def provider_cache() -> Path:
    """Return the folder of the user's cache where the TensorRT provider keeps its engines, made if need be.

    Raises:
        EnvironmentUnfitError: it cannot be written.
    """
    folder = user_cache() / "onnxruntime-tensorrt"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except OSError:
        writable = False
    if not writable:
        raise EnvironmentUnfitError(
            f"{folder} cannot be written, so that TensorRT would build its engines anew at every start, for minutes; "
            "name another folder: export XDG_CACHE_HOME=/path/to/cache"
        )
    return folder
