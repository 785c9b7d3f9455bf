"""Building with TensorRT 8.5 to 11.

What differs between the versions is asked of the module, never of its number. Networks are strongly typed where that
exists (10.0 and later; always in 11), so the graph alone decides the precision. Before, flags allow FP16 and INT8, and
every layer is pinned to the type that the graph gives it. Calibrators, bindings and ``max_workspace_size``, removed on
the way, are used nowhere.
"""

import json
import re
import time
import warnings
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

from edge_arseg.compiler.engines.contract import BuildSettings, BuiltEngine, EngineBuilder, Report
from edge_arseg.errors import BuildError, EnvironmentUnfitError, MemoryExhaustedError
from edge_arseg.runtime.engines.tensorrt.library import TensorRtLog, tensorrt_library, tensorrt_log
from edge_arseg.spec.manifest import Precision

_FAST = {
    Precision.FP16: ("FP16", "platform_has_fast_fp16"),
    Precision.INT8: ("INT8", "platform_has_fast_int8"),
    Precision.MIXED: ("INT8", "platform_has_fast_int8"),
}
_UNTYPED = ("CONSTANT", "SHAPE", "QUANTIZE", "DEQUANTIZE", "CAST", "IDENTITY")
"""Layers whose arithmetic is not a choice."""

_REQUESTED = re.compile(r"Requested size was (\d+)")

REPORT_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class LayerTypes:
    """One layer.

    Attributes:
        name: of the layer; the ONNX parser takes it from the node.
        kind: TensorRT's ``LayerType``, like ``CONVOLUTION``.
        inputs, outputs: names of its tensors.
        dtypes: TensorRT's types of the outputs, like ``HALF``.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    dtypes: tuple[str, ...]


class TensorRtBuilder(EngineBuilder):
    """Builds with the installed TensorRT, or with a module of the same shape."""

    library = "tensorrt"

    def __init__(self, module: ModuleType | None = None):
        """Take the module ``tensorrt``, or the one given.

        Raises:
            EnvironmentUnfitError: this Python has no TensorRT.
        """
        self._trt: Any = module or tensorrt_library()
        self.version = self._trt.__version__

    @property
    def strongly_typed(self) -> bool:
        """Whether the graph's own types are the engine's."""
        return hasattr(self._trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED")

    def flags(self, settings: BuildSettings) -> tuple[str, ...]:
        """See ``EngineBuilder``."""
        flags = [f"workspace={settings.workspace_bytes >> 20}MiB", "no-tf32"]
        if settings.optimization_level is not None:
            flags.append(f"level={settings.optimization_level}")
        if self.strongly_typed:
            flags.append("strongly-typed")
        return tuple(sorted(flags))

    def build(
        self, graph: bytes, precision: Precision, settings: BuildSettings, timing_cache: bytes, report: Report
    ) -> BuiltEngine:
        """See ``EngineBuilder``."""
        log = tensorrt_log(self._trt)
        with warnings.catch_warnings(), log.keeping_warnings() as said:
            warnings.simplefilter("ignore", DeprecationWarning)  # each version deprecates what the oldest one needs
            built = self._build(log, graph, precision, settings, timing_cache, report)
        return replace(built, warnings=tuple(said))

    def _build(
        self,
        log: TensorRtLog,
        graph: bytes,
        precision: Precision,
        settings: BuildSettings,
        timing_cache: bytes,
        report: Report,
    ) -> BuiltEngine:
        report("starting TensorRT")
        builder = self._builder(log)
        self._check_precision(builder, precision)
        report("reading the graph")
        network, parser = self._parsed(builder, graph, log)
        config = builder.create_builder_config()
        cache = self._configure(config, settings, timing_cache, report)
        if not self.strongly_typed:
            self._weaken(config, network, precision)
        report("building")
        plan = builder.build_serialized_network(network, config)
        if plan is None:
            raise self._failure(log, settings)
        del parser  # it holds the weights that the network refers to
        learnt = bytes(cache.serialize()) if cache is not None else b""
        return BuiltEngine(bytes(plan), learnt, self._layers(log, plan))

    def layers_from_graph(self, graph: bytes) -> list[LayerTypes]:
        """Parse a graph and return the layers of its network; nothing is built.

        Raises:
            BuildError, EnvironmentUnfitError: see ``build``.
        """
        log = tensorrt_log(self._trt)
        with log.keeping_warnings():
            builder = self._builder(log)
            network, parser = self._parsed(builder, graph, log)
            found = [_layer_types(network.get_layer(i)) for i in range(network.num_layers)]
        del parser
        return found

    def _parsed(self, builder: Any, graph: bytes, log: TensorRtLog) -> tuple[Any, Any]:
        """Return the network, and the parser, which must outlive it."""
        network = builder.create_network(self._creation_flags())
        parser = self._trt.OnnxParser(network, log)
        if not parser.parse(graph):
            faults = [_text(parser.get_error(i)) for i in range(parser.num_errors)]
            raise BuildError(
                f"TensorRT {self.version} cannot read this graph: {'; '.join(faults[:3]) or log.why()}; "
                "export it again with `edge-arseg export`"
            )
        return network, parser

    def _builder(self, log: TensorRtLog) -> Any:
        try:
            return self._trt.Builder(log)
        except TypeError as error:  # the bindings' way to say that the library returned nothing
            raise EnvironmentUnfitError(
                f"TensorRT {self.version} finds no GPU to build on ({log.why()}); engines are built on the board that "
                "runs them. See `edge-arseg doctor`; with --no-engines compile stops at the bundle"
            ) from error

    def _check_precision(self, builder: Any, precision: Precision) -> None:
        flag, attribute = _FAST.get(precision, ("", ""))
        if flag and getattr(builder, attribute, True) is False:  # gone in 11, where every GPU has both
            raise BuildError(
                f"this GPU does not support {flag} ({attribute} is false) and the graph is {precision.value}; "
                "compile the float32 bundle again with --hr fp32 --lr fp32 --fuse fp32"
            )

    def _creation_flags(self) -> int:
        kinds, flags = self._trt.NetworkDefinitionCreationFlag, 0
        for name in ("EXPLICIT_BATCH", "STRONGLY_TYPED"):
            if hasattr(kinds, name):
                flags |= 1 << int(getattr(kinds, name))
        return flags

    def _configure(self, config: Any, settings: BuildSettings, timing_cache: bytes, report: Report) -> Any:
        """Set up the configuration; return the timing cache, which must live until the plan is built."""
        trt = self._trt
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, settings.workspace_bytes)
        config.clear_flag(trt.BuilderFlag.TF32)  # where the graph says float32, 10 bits of mantissa are not meant
        config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
        if settings.optimization_level is not None and hasattr(type(config), "builder_optimization_level"):
            config.builder_optimization_level = settings.optimization_level
        if hasattr(trt, "IProgressMonitor") and hasattr(type(config), "progress_monitor"):
            config.progress_monitor = _monitor(trt, report)
        cache = config.create_timing_cache(timing_cache)
        if cache is None or not config.set_timing_cache(cache, False):  # of another GPU or version: start anew
            cache = config.create_timing_cache(b"")
            if cache is not None:
                config.set_timing_cache(cache, False)
        return cache

    def _weaken(self, config: Any, network: Any, precision: Precision) -> None:
        """Before strong typing: allow what the graph uses, and pin every layer to the type that the graph gives it.

        A layer behind a dequantization is left alone: pinned, it would not be fused to an INT8 one.
        """
        trt = self._trt
        if precision is Precision.FP32:
            return
        allowed = {Precision.FP16: ("FP16",), Precision.INT8: ("INT8", "FP16"), Precision.MIXED: ("INT8", "FP16")}
        for name in (*allowed[precision], "OBEY_PRECISION_CONSTRAINTS"):
            config.set_flag(getattr(trt.BuilderFlag, name))
        layers = [network.get_layer(i) for i in range(network.num_layers)]
        dequantized = {
            layer.get_output(0).name for layer in layers if layer.type.name == "DEQUANTIZE" and layer.num_outputs
        }
        for layer in layers:
            inputs = [layer.get_input(i) for i in range(layer.num_inputs)]
            if layer.type.name in _UNTYPED or any(t is not None and t.name in dequantized for t in inputs):
                continue
            outputs = [layer.get_output(i) for i in range(layer.num_outputs)]
            if outputs and all(output.dtype.name in ("FLOAT", "HALF") for output in outputs):
                layer.precision = outputs[0].dtype
                for i, output in enumerate(outputs):
                    layer.set_output_type(i, output.dtype)

    def _layers(self, log: TensorRtLog, plan: Any) -> str:
        """Describe the engine in TensorRT's own JSON; nothing where it cannot be loaded, as without a GPU."""
        trt = self._trt
        try:
            engine = trt.Runtime(log).deserialize_cuda_engine(plan)
            if engine is None:
                return ""
            text = engine.create_engine_inspector().get_engine_information(trt.LayerInformationFormat.JSON)
            json.loads(text)
        except (TypeError, ValueError, RuntimeError, AttributeError, NotImplementedError):
            return ""
        return text

    def _failure(self, log: TensorRtLog, settings: BuildSettings) -> Exception:
        why = log.why()
        lower = why.lower()
        # its own limit is "out of memory" too: it asks for a little more than it may have, never for what it needs
        beyond = any(int(size) > settings.workspace_bytes for size in _REQUESTED.findall(why))
        if beyond or "workspace" in lower:
            allowed = settings.workspace_bytes >> 20
            return MemoryExhaustedError(
                f"TensorRT {self.version} needs more scratch memory for this graph than the {allowed} MiB that it may "
                f"take ({why}); allow twice as much, and again until it is enough: --workspace {2 * allowed}. If it is "
                "the fuse graph and the bundle has a fusion kernel for this GPU, nothing needs this engine: leave it "
                "out with --graph hr --graph lr --graph head"
            )
        if "out of memory" in lower or "outofmemory" in lower or "insufficient memory" in lower:
            return MemoryExhaustedError(
                f"TensorRT {self.version} ran out of memory ({why}); stop the desktop (sudo systemctl isolate "
                "multi-user.target) and other programs, or give it less scratch memory: --workspace 256"
            )
        return BuildError(
            f"TensorRT {self.version} cannot build this graph ({why}); "
            "check the bundle with `edge-arseg verify`, and try --hr fp32 --lr fp32 --fuse fp32"
        )


def _monitor(trt: Any, report: Report) -> Any:
    """Return a progress monitor that reports at most once a second."""

    class Monitor(trt.IProgressMonitor):
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self._steps: dict[str, int] = {}
            self._told = 0.0

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            self._steps[phase_name] = num_steps
            self._tell(phase_name)

        def step_complete(self, phase_name: str, step: int) -> bool:
            self._tell(f"{phase_name}, {step + 1} of {self._steps.get(phase_name, '?')}")
            return True

        def phase_finish(self, phase_name: str) -> None:
            self._steps.pop(phase_name, None)

        def _tell(self, text: str) -> None:
            if time.monotonic() - self._told >= REPORT_EVERY_S:
                self._told = time.monotonic()
                report(text)

    return Monitor()


def _text(error: Any) -> str:
    return str(error.desc() if hasattr(error, "desc") else error).strip()


def _layer_types(layer: Any) -> LayerTypes:
    """Read a layer of a network."""
    inputs = [tensor for i in range(layer.num_inputs) if (tensor := layer.get_input(i)) is not None]
    outputs = [layer.get_output(i) for i in range(layer.num_outputs)]
    return LayerTypes(
        layer.name,
        layer.type.name,
        tuple(tensor.name for tensor in inputs),
        tuple(tensor.name for tensor in outputs),
        tuple(tensor.dtype.name for tensor in outputs),
    )
