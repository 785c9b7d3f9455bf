"""Engines on TensorRT 8.5 to 11, from plans that were built on this machine.

One way of calling serves all of them: tensors by name (``num_io_tensors``, ``set_tensor_address``) and
``execute_async_v3``; the bindings by index, removed in 10.0, are not used. TensorRT comes from JetPack, pycuda moves
the data. Features stay on the GPU: a frame goes up, a class map comes down.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_arseg.errors import BuildError, EnvironmentUnfitError, MemoryExhaustedError, OptionError, transient
from edge_arseg.runtime.bundles.plans import plan_from_bundle
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.device.cuda import CudaDevice, DeviceArray, borrow_device, return_device
from edge_arseg.runtime.device.cuda_graph import CudaGraph, driver_library, graph_from_work
from edge_arseg.runtime.engines.contract import Buffer, Engine, LayerTime, Place
from edge_arseg.runtime.engines.tensorrt.library import tensorrt_library, tensorrt_log
from edge_arseg.runtime.engines.tensorrt.profiler import layers_from_profile, profiler_of
from edge_arseg.spec import tensor as names
from edge_arseg.spec.manifest import Role
from edge_arseg.spec.tensor import FEATURES, TensorSpec

_DTYPES = {
    "UINT8": "uint8",
    "INT8": "int8",
    "HALF": "float16",
    "FLOAT": "float32",
    "INT32": "int32",
    "INT64": "int64",
}
"""Names of TensorRT's ``DataType``; ``trt.nptype`` knows not all of them in every version."""

_log = logging.getLogger(__name__)


class TensorRtEngine(Engine):
    """One plan with its execution context and all its buffers, on the GPU that all engines share.

    Outputs that are features are ``DeviceArray``, the others arrays of the host.
    """

    feature_place = Place.CUDA

    def __init__(self, path: Path | str, *, threads: int | None = None):
        """Load a plan.

        Args:
            path: a ``.plan`` file, built by this TensorRT for this GPU.
            threads: of no use here.

        Raises:
            EnvironmentUnfitError: TensorRT, pycuda or a GPU is missing.
            BuildError: TensorRT does not take the plan.
            MemoryExhaustedError: the GPU's memory is full.
        """
        path = Path(path)
        library = tensorrt_library()
        self._device: CudaDevice | None = borrow_device()
        try:
            inputs, outputs = self._device.call(self._load, library, path)
            super().__init__(path.stem, inputs, outputs)
            self._device.call(self._allocate)
        except BaseException:
            self.close()
            raise

    @classmethod
    def from_bundle(cls, bundle: Bundle, role: Role, *, threads: int | None = None) -> "TensorRtEngine":
        """Load the plan of a role.

        Raises:
            BuildError: it was not built here; and see ``__init__``.
        """
        library = tensorrt_library()
        device = borrow_device()
        try:
            facts = device.facts
            path = plan_from_bundle(
                bundle,
                role,
                version=library.__version__,
                compute_capability=facts.compute_capability,
                sm_count=facts.sm_count,
                device=facts.name,
            )
            return cls(path, threads=threads)
        finally:
            return_device()

    @classmethod
    def layer_times(
        cls, bundle: Bundle, role: Role, frame: NDArray[np.uint8], *, threads: int | None, runs: int
    ) -> tuple[LayerTime, ...]:
        """See ``Engine``."""
        times: list[tuple[str, float]] = []
        with cls.from_bundle(bundle, role) as opened:
            assert opened._device is not None
            opened._device.call(opened._profile, profiler_of(tensorrt_library(), times))
            for _ in range(runs + 1):
                opened.run({names.FRAME: frame})
        return layers_from_profile(times, runs)

    def _run(self, feeds: Mapping[str, Buffer]) -> Mapping[str, Buffer]:
        if self._device is None:
            raise self._closed_error()
        for name, buffer in feeds.items():
            if not isinstance(buffer, np.ndarray):
                self._check(name, buffer)
        return self._device.call(self._run_there, feeds)

    def close(self) -> None:
        """Free the plan and its buffers on the GPU; arrays of the host stay valid."""
        device, self._device = self._device, None
        if device is not None:
            try:
                device.call(self._free)
            finally:
                return_device()

    def _check(self, name: str, buffer: Buffer) -> None:
        wanted = self.inputs[name]
        if not isinstance(buffer, DeviceArray):
            raise OptionError(
                f"engine {self.name!r}: input {name!r}: {type(buffer).__name__} seen, expected an array of the host or "
                "an output of another TensorRT engine"
            )
        if buffer.spec != wanted:
            raise OptionError(f"engine {self.name!r}: input {name!r}: {buffer.spec} seen, {wanted} expected")

    # What follows runs in the thread that owns the GPU.

    def _load(self, library: Any, path: Path) -> tuple[dict[str, TensorSpec], dict[str, TensorSpec]]:
        self._context: Any = None
        self._graph: CudaGraph | None = None
        self._staging: dict[str, tuple[np.ndarray, DeviceArray]] = {}
        self._made: dict[str, DeviceArray] = {}
        log = tensorrt_log(library)
        log.errors.clear()  # those of other engines
        runtime = library.Runtime(log)
        engine = runtime.deserialize_cuda_engine(path.read_bytes())
        if engine is None:
            raise _refused(f"{path}: TensorRT {library.__version__} does not take this plan", log.why())
        specs: dict[Any, dict[str, TensorSpec]] = {mode: {} for mode in ("INPUT", "OUTPUT")}
        for i in range(engine.num_io_tensors):
            name = engine.get_tensor_name(i)
            dtype, shape = engine.get_tensor_dtype(name).name, tuple(engine.get_tensor_shape(name))
            if dtype not in _DTYPES or min(shape, default=1) < 0:
                raise BuildError(
                    f"{path}: tensor {name!r} is {dtype}{list(shape)}, expected one of {', '.join(_DTYPES)} with a "
                    "static shape; build from a graph of `edge-arseg export`"
                )
            specs[engine.get_tensor_mode(name).name][name] = TensorSpec(_DTYPES[dtype], shape)  # type: ignore[arg-type]
        context = engine.create_execution_context()
        if context is None:
            raise _refused(f"{path}: TensorRT {library.__version__} cannot run this plan here", log.why())
        # each needs the one before it for as long as it lives
        self._log, self._runtime, self._engine, self._context = log, runtime, engine, context
        return specs["INPUT"], specs["OUTPUT"]

    def _allocate(self) -> None:
        assert self._device is not None
        self._host: dict[str, np.ndarray] = {}
        for name, spec in self.outputs.items():
            self._made[name] = self._device.allocate(spec)
            self._context.set_tensor_address(name, self._made[name].address)
            if name not in FEATURES:
                self._host[name] = self._device.pinned(spec)
        self._results: dict[str, Buffer] = {name: self._host.get(name, self._made[name]) for name in self.outputs}
        self._addresses: dict[str, int] = {}
        self._graphs = driver_library()

    def _run_there(self, feeds: Mapping[str, Buffer]) -> Mapping[str, Buffer]:
        device = self._device
        assert device is not None
        known = self._addresses == (addresses := {name: self._place(name, buffer) for name, buffer in feeds.items()})
        if not known:
            self._let_go_of_graph()
            for name, address in addresses.items():
                self._context.set_tensor_address(name, address)
            self._addresses = addresses
        elif self._graph is None and self._graphs is not None:
            # the second run with the same buffers: TensorRT has allocated what it needs, and the loop repeats itself
            self._graph = graph_from_work(self._graphs, device.stream.handle, self._enqueue)
            if self._graph is None:
                _log.info(
                    "engine %r cannot be recorded as a CUDA graph; its kernels are launched one by one", self.name
                )
                self._graphs = None
        if not (self._graph.launch(device.stream.handle) if self._graph else self._enqueue()):
            raise _refused(f"engine {self.name!r} failed in TensorRT", self._log.why())
        for name, pinned in self._host.items():
            device.fetch(self._made[name], pinned)
        # the staging buffers are free for the next frame only when this one is done; and times stay with their stage
        device.wait()
        return self._results

    def _place(self, name: str, buffer: Buffer) -> int:
        """Return where an input is on the GPU, after enqueueing its way there if it has one."""
        if isinstance(buffer, DeviceArray):
            return buffer.address
        assert self._device is not None
        if name not in self._staging:
            spec = self.inputs[name]
            self._staging[name] = self._device.pinned(spec), self._device.allocate(spec)
        pinned, array = self._staging[name]
        np.copyto(pinned, buffer)
        self._device.upload(pinned, array)
        return array.address

    def _enqueue(self) -> bool:
        assert self._device is not None
        return bool(self._context.execute_async_v3(self._device.stream.handle))

    def _let_go_of_graph(self) -> None:
        if self._graph is not None:
            self._graph.destroy()
            self._graph = None

    def _profile(self, profiler: Any) -> None:
        """Have each layer's time told at the end of each run; a run that is recorded as a CUDA graph tells nothing."""
        self._graphs, self._context.profiler = None, profiler

    def _free(self) -> None:
        self._let_go_of_graph()
        for array in (*self._made.values(), *(array for _, array in self._staging.values())):
            array.free()
        self._made.clear()
        self._staging.clear()
        self._context = self._engine = self._runtime = None


def _refused(what: str, text: str) -> Exception:
    """Turn what TensorRT said into an error that says what to type."""
    lower = text.lower()
    again = "edge-arseg compile BUNDLE --force, on this machine"
    if "out of memory" in lower or "outofmemory" in lower:
        return MemoryExhaustedError(
            f"{what} for lack of memory ({text}): end other programs on the GPU, or export at a smaller --size"
        )
    if "incompatible device" in lower or "expecting compute" in lower:
        return BuildError(f"{what}: it was built for another GPU ({text}); build it again: {again}")
    if "insufficient for cuda runtime" in lower:
        return transient(
            EnvironmentUnfitError(
                f"{what}: the GPU's driver is missing or older than this TensorRT wants ({text}); see `edge-arseg "
                "doctor`, or run with --backend onnxruntime"
            )
        )
    if any(words in lower for words in ("library version", "serializationversion", "serialization version")):
        return BuildError(f"{what}: it was built by another TensorRT ({text}); build it again: {again}")
    return BuildError(f"{what} ({text}); build it again: {again}")
