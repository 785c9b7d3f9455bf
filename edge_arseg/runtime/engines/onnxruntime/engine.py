"""Engines on ONNX Runtime, the embedded default."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from edge_arseg.errors import BuildError, MemoryExhaustedError
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.engines.contract import Buffer, Engine, LayerTime
from edge_arseg.runtime.engines.onnxruntime.integer_sums import ask_for_exact_sums, has_wide_weights
from edge_arseg.runtime.engines.onnxruntime.profile import profiled_layers
from edge_arseg.spec import tensor as names
from edge_arseg.spec.manifest import Role
from edge_arseg.spec.tensor import TensorSpec

_DTYPES = {
    "tensor(uint8)": "uint8",
    "tensor(int8)": "int8",
    "tensor(float16)": "float16",
    "tensor(float)": "float32",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
}

UNSOUND_OPTIMIZERS = ["WeightBiasQuantization"]
"""It rounds a float16 bias to int32 by way of float16, where most of them overflow (ONNX Runtime 1.32)."""


class OnnxRuntimeEngine(Engine):
    """One graph on ONNX Runtime's CPU provider, with outputs bound once to arrays that are reused."""

    opens_together = True

    def __init__(self, path: Path | str, *, threads: int | None = None, wide_weights: bool = True):
        """Load a graph.

        Args:
            path: an ONNX file.
            threads: of one run; by default as many as there are cores.
            wide_weights: whether it may have weights of 8 bits; see ``integer_sums``.

        Raises:
            BuildError: ONNX Runtime cannot load the graph.
        """
        options = session_options(threads, wide_weights=wide_weights)
        try:
            session = ort.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=UNSOUND_OPTIMIZERS
            )
            inputs, outputs = specs_from_arguments(session.get_inputs()), specs_from_arguments(session.get_outputs())
        except Exception as error:  # ONNX Runtime raises its own classes, straight below Exception
            raise BuildError(
                f"{path}: ONNX Runtime {ort.__version__} cannot load this graph ({first_line(error)}); "
                "check the bundle with `edge-arseg verify`"
            ) from error
        super().__init__(Path(path).stem, inputs, outputs)
        self._bind(session)

    def twin(self) -> "OnnxRuntimeEngine":
        """See ``Engine``: a session runs in any number of threads, each with what it has bound."""
        twin = object.__new__(type(self))
        Engine.__init__(twin, self.name, self.inputs, self.outputs)
        twin._bind(self._opened())
        return twin

    def _bind(self, session: ort.InferenceSession) -> None:
        self._session: ort.InferenceSession | None = session
        self._binding = session.io_binding()
        self._outputs = {name: np.zeros(spec.shape, spec.dtype) for name, spec in self.outputs.items()}
        self._bound: dict[str, int] = {}
        for name, array in self._outputs.items():
            self._binding.bind_output(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)

    @classmethod
    def from_bundle(cls, bundle: Bundle, role: Role, *, threads: int | None = None) -> "OnnxRuntimeEngine":
        """Open the engine of a role."""
        return cls(bundle.graph_path(role), threads=threads, wide_weights=has_wide_weights(bundle.manifest, role))

    @classmethod
    def layer_times(
        cls, bundle: Bundle, role: Role, frame: NDArray[np.uint8], *, threads: int | None, runs: int
    ) -> tuple[LayerTime, ...]:
        """See ``Engine``."""
        if cls.from_bundle.__func__ is not OnnxRuntimeEngine.from_bundle.__func__:  # type: ignore[attr-defined]
            return ()  # another provider, whose layers are not those of this session
        options = session_options(threads, wide_weights=has_wide_weights(bundle.manifest, role))
        return profiled_layers(bundle.graph_path(role), options, {names.FRAME: frame}, runs)

    def _run(self, feeds: Mapping[str, Buffer]) -> Mapping[str, Buffer]:
        session = self._opened()
        for name, array in feeds.items():
            if self._bound.get(name) != array.ctypes.data:
                self._binding.bind_input(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)
                self._bound[name] = array.ctypes.data
        run_bound(session, self._binding, self.name)
        return self._outputs

    def _opened(self) -> ort.InferenceSession:
        if self._session is None:
            raise self._closed_error()
        return self._session

    def close(self) -> None:
        """Free the session; its output arrays stay valid."""
        self._session = None
        self._bound.clear()


def session_options(threads: int | None, *, wide_weights: bool) -> ort.SessionOptions:
    """Return the options of a session; arguments as in ``OnnxRuntimeEngine``."""
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads or 0
    # Threads that spin for the next run take the cores from the kernels that come between two runs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # One block for all tensors of a graph is larger than the arena that reuses theirs, and no faster.
    options.enable_mem_pattern = False
    if wide_weights:
        ask_for_exact_sums(options)
    return options


def run_bound(session: ort.InferenceSession, binding: ort.IOBinding, name: str) -> None:
    """Run a session with what is bound.

    Raises:
        MemoryExhaustedError: not enough memory.
        BuildError: it failed.
    """
    try:
        session.run_with_iobinding(binding)
    except Exception as error:  # see above
        message = first_line(error)
        if "alloc" in message.lower():
            raise MemoryExhaustedError(
                f"engine {name!r}: not enough memory ({message}); export at a smaller --size"
            ) from error
        raise BuildError(f"engine {name!r} failed in ONNX Runtime {ort.__version__}: {message}") from error


def specs_from_arguments(values: list[ort.NodeArg]) -> dict[str, TensorSpec]:
    """Return type and shape by name of a session's inputs or outputs.

    Raises:
        ValueError: a type that no graph of ours has, or a shape that is not static.
    """
    if strange := [value for value in values if value.type not in _DTYPES]:
        raise ValueError(f"{strange[0].name!r} is a {strange[0].type}, expected one of {', '.join(_DTYPES)}")
    return {value.name: TensorSpec(_DTYPES[value.type], tuple(value.shape)) for value in values}  # type: ignore[arg-type]


def first_line(error: Exception) -> str:
    """Return the first line of what a library says, cut to a readable length."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
