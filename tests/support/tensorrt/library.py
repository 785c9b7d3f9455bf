"""The module ``tensorrt`` of one version. A plan is a line of JSON that says what it was built with, then the graph."""

import ctypes
import enum
import json
import sys
import warnings
from types import ModuleType

import numpy as np
import onnxruntime
from support.tensorrt.attributes import attributes
from support.tensorrt.gpu import Gpu

MAGIC = b"ftrt"
_NAMES = {
    "tensor(uint8)": "UINT8",
    "tensor(int8)": "INT8",
    "tensor(float16)": "HALF",
    "tensor(float)": "FLOAT",
    "tensor(int32)": "INT32",
    "tensor(int64)": "INT64",
}


def plan_from_graph(graph: bytes, version: str, gpu: Gpu, *, memory: int = 0) -> bytes:
    """Return what a build would give; ``memory`` is what the execution context will ask for."""
    head = {"version": version, "compute": list(gpu.compute_capability), "memory": memory}
    return MAGIC + json.dumps(head).encode() + b"\n" + graph


def stub_library(version: str, gpu: Gpu) -> ModuleType:
    """Return a module with the attributes of ``version`` and no others."""
    has = attributes(version)
    library = ModuleType("tensorrt")
    library.__version__ = version
    for name in ("BuilderFlag", "NetworkDefinitionCreationFlag"):
        setattr(library, name, enum.IntEnum(name, {flag: i for i, flag in enumerate(has[name])}))
    library.DataType = enum.Enum("DataType", {name: i for i, name in enumerate(has["DataType"])})
    library.TensorIOMode = enum.Enum("TensorIOMode", {"NONE": 0, "INPUT": 1, "OUTPUT": 2})
    library.MemoryPoolType = enum.Enum("MemoryPoolType", "WORKSPACE DLA_MANAGED_SRAM TACTIC_SHARED_MEMORY")
    library.ProfilingVerbosity = enum.Enum("ProfilingVerbosity", "LAYER_NAMES_ONLY NONE DETAILED")
    library.LayerInformationFormat = enum.Enum("LayerInformationFormat", "ONELINE JSON")

    class ILogger:
        INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE = range(5)

        def __init__(self):
            self._initialised = True

    class Logger(ILogger):
        def __init__(self, min_severity=ILogger.WARNING):
            super().__init__()
            self.min_severity = min_severity

        def log(self, severity, message):
            if severity <= self.min_severity:
                print(message, file=sys.stderr)

    class IProfiler:
        def __init__(self):
            self._initialised = True

    library.IProfiler = IProfiler

    def global_logger(logger):
        """The first logger that the process was given, whichever one this call brings; a second one is told."""
        assert logger._initialised, "ILogger.__init__ was not called"
        library.stub_loggers.append(logger)
        first = library.stub_loggers[0]
        if logger is not first:
            message = (
                "The logger passed into createInferRuntime differs from one already provided for an existing builder, "
                "runtime, or refitter. Uses of the global logger, returned by nvinfer1::getLogger(), will return the "
                "existing value."
            )
            first.log(ILogger.WARNING, message)
        return first

    class Runtime:
        def __init__(self, logger):
            gpu.check("Runtime")
            self.logger = global_logger(logger)

        def deserialize_cuda_engine(self, serialized_engine):
            gpu.check("deserialize_cuda_engine")
            data = bytes(serialized_engine)
            if not data.startswith(MAGIC):
                self.logger.log(ILogger.ERROR, "1: [runtime.cpp::parsePlan] Serialization assertion magicTag failed.")
                return None
            head, _, graph = data[len(MAGIC) :].partition(b"\n")
            built = json.loads(head)
            if built["version"] != version:
                message = (
                    "6: The engine plan file is not compatible with this version of TensorRT, expecting library "
                    f"version {version} got {built['version']}, please rebuild."
                )
                self.logger.log(ILogger.ERROR, message)
                return None
            if tuple(built["compute"]) != gpu.compute_capability:
                seen, here = (".".join(map(str, c)) for c in (built["compute"], gpu.compute_capability))
                message = (
                    "6: The engine plan file is generated on an incompatible device, expecting compute "
                    f"{here} got compute {seen}, please rebuild."
                )
                self.logger.log(ILogger.ERROR, message)
                return None
            self.logger.log(ILogger.INFO, f"Loaded engine size: {len(data) >> 20} MiB")
            return _narrowed("ICudaEngine", _Engine, has)(library, gpu, graph, built, self.logger)

    library.ILogger, library.Logger, library.Runtime = ILogger, Logger, Runtime
    library.stub_loggers, library.stub_global_logger = [], global_logger
    from support.tensorrt.building import add_building

    library.stub_context = _narrowed("IExecutionContext", _Context, has)
    add_building(library, gpu, has, plan_from_graph)
    return library


def _narrowed(name: str, whole: type, has: dict[str, list[str]]) -> type:
    """Return a class with the members of ``whole`` that the version has; what else it has complains when it is used."""
    body = {key: value for key, value in vars(whole).items() if key == "__init__" or key.startswith("_stub")}
    for member in has[name]:
        body[member] = vars(whole).get(member, property(_missing(name, member)))
    return type(name, (), body)


def _missing(name: str, member: str):
    def get(self):
        raise NotImplementedError(f"the stub of {name} does nothing for {member!r}; give it something to do")

    return get


def _deprecated(member: str, instead: str):
    def get(self):
        warnings.warn(f"Use {instead} instead.", DeprecationWarning, stacklevel=2)
        raise NotImplementedError(member)

    return property(get)


class _Engine:
    def __init__(self, library, gpu, graph, built, logger):
        session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
        self._stub = library, gpu, session, built, logger
        self._stub_tensors = [(t, library.TensorIOMode.INPUT) for t in session.get_inputs()]
        self._stub_tensors += [(t, library.TensorIOMode.OUTPUT) for t in session.get_outputs()]

    def _stub_find(self, name):
        for tensor, mode in self._stub_tensors:
            if tensor.name == name:
                return tensor, mode
        raise KeyError(name)

    @property
    def num_io_tensors(self):
        return len(self._stub_tensors)

    def get_tensor_name(self, index):
        return self._stub_tensors[index][0].name

    def get_tensor_mode(self, name):
        return self._stub_find(name)[1]

    def get_tensor_shape(self, name):
        return tuple(-1 if isinstance(n, str) else n for n in self._stub_find(name)[0].shape)

    def get_tensor_dtype(self, name):
        return getattr(self._stub[0].DataType, _NAMES[self._stub_find(name)[0].type])

    def create_execution_context(self, strategy=None):
        library, gpu, _session, built, logger = self._stub
        gpu.check("create_execution_context")
        if gpu.used + built["memory"] > gpu.total:
            logger.log(
                library.ILogger.ERROR, "2: [defaultAllocator.cpp] Error Code 2: OutOfMemory (no further information)"
            )
            return None
        return library.stub_context(self)

    num_bindings = _deprecated("num_bindings", "num_io_tensors")
    get_binding_name = _deprecated("get_binding_name", "get_tensor_name")
    get_binding_index = _deprecated("get_binding_index", "get_tensor_name")
    binding_is_input = _deprecated("binding_is_input", "get_tensor_mode")
    get_binding_shape = _deprecated("get_binding_shape", "get_tensor_shape")
    get_binding_dtype = _deprecated("get_binding_dtype", "get_tensor_dtype")


class _Context:
    def __init__(self, engine):
        self._stub_engine = engine
        self._stub_addresses = {}
        self._stub_warm = False
        self._stub_profiler = None

    @property
    def profiler(self):
        return self._stub_profiler

    @profiler.setter
    def profiler(self, profiler):
        assert profiler._initialised, "IProfiler.__init__ was not called"
        self._stub_profiler = profiler

    def set_tensor_address(self, name, memory):
        self._stub_engine._stub[1].check("set_tensor_address")
        try:
            self._stub_engine._stub_find(name)
        except KeyError:
            return False
        self._stub_addresses[name] = int(memory)
        return True

    def execute_async_v3(self, stream_handle):
        library, gpu, session, _built, logger = self._stub_engine._stub
        gpu.check("execute_async_v3")
        stream = gpu.streams[stream_handle]
        addresses = dict(self._stub_addresses)
        missing = [t.name for t, _ in self._stub_engine._stub_tensors if t.name not in addresses]
        if missing:
            logger.log(library.ILogger.ERROR, f"3: Address is not set for tensor {missing[0]}.")
            return False
        if stream.capture is not None and not self._stub_warm:
            stream.add("invalid")  # the first run allocates, which no graph can hold
            return False

        def work():
            feeds = {t.name: _array(gpu, t, addresses[t.name]).copy() for t in session.get_inputs()}
            for tensor, made in zip(session.get_outputs(), session.run(None, feeds), strict=True):
                np.copyto(_array(gpu, tensor, addresses[tensor.name]), made)
                if self._stub_profiler is not None:
                    assert stream.capture is None, "layers are not told of a run that is recorded"
                    self._stub_profiler.report_layer_time(f"{tensor.name} + PWN(act_{tensor.name})", 0.25)

        self._stub_warm = True
        stream.add(work)
        return True

    execute_async_v2 = _deprecated("execute_async_v2", "execute_async_v3")
    set_binding_shape = _deprecated("set_binding_shape", "set_input_shape")
    get_binding_shape = _deprecated("get_binding_shape", "get_tensor_shape")


def _array(gpu, tensor, address):
    dtype = np.dtype({"tensor(float)": "float32", "tensor(float16)": "float16"}.get(tensor.type, tensor.type[7:-1]))
    size = int(np.prod(tensor.shape, dtype=np.int64)) * dtype.itemsize
    gpu.block(address, size)
    return np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(address)).view(dtype).reshape(tensor.shape)
