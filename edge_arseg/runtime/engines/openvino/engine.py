"""Engines on OpenVINO, for CPUs of x86 boards and PCs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from edge_arseg.errors import BuildError, EnvironmentUnfitError, MemoryExhaustedError
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.device.cores import usable_cores
from edge_arseg.runtime.engines.contract import Buffer, Engine, LayerTime
from edge_arseg.runtime.engines.openvino.cache import cache_settings
from edge_arseg.runtime.engines.openvino.counters import openvino_layers
from edge_arseg.runtime.engines.openvino.library import CompiledGraph, OpenVino, OpenVinoError, Request, openvino
from edge_arseg.spec import tensor as names
from edge_arseg.spec.manifest import Role


class OpenVinoEngine(Engine):
    """One graph on OpenVINO's CPU device, reading and writing numpy arrays where they are."""

    opens_together: ClassVar[bool] = True
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
        library = openvino()
        settings = self._settings(threads)
        try:
            self._check_cpu(library)
            facts = {
                "version": library.version,
                "cpu": library.of_cpu("FULL_DEVICE_NAME"),
                "able": library.of_cpu("OPTIMIZATION_CAPABILITIES"),
                **settings,
            }
            with cache_settings(Path(path), facts=facts) as cached:
                graph = library.compiled(path, {**settings, **cached})
        except OpenVinoError as error:
            raise BuildError(
                f"{path}: OpenVINO {library.version} cannot load this graph ({error}); "
                "check the bundle with `edge-arseg verify`"
            ) from error
        super().__init__(Path(path).stem, graph.inputs, graph.outputs)
        self._bind(graph)

    def twin(self) -> "OpenVinoEngine":
        """See ``Engine``: requests of one model share its weights."""
        if self._request is None:
            raise self._closed_error()
        twin = object.__new__(type(self))
        Engine.__init__(twin, self.name, self.inputs, self.outputs)
        twin._bind(self._request.graph)
        return twin

    def _bind(self, graph: CompiledGraph) -> None:
        self._request: Request | None = graph.request()
        self._results = {name: np.zeros(spec.shape, spec.dtype) for name, spec in self.outputs.items()}
        for name, array in self._results.items():
            self._request.bind(name, array)

    @classmethod
    def layer_times(
        cls, bundle: Bundle, role: Role, frame: NDArray[np.uint8], *, threads: int | None, runs: int
    ) -> tuple[LayerTime, ...]:
        """See ``Engine``."""
        cls._check_cpu(openvino())
        return openvino_layers(bundle.graph_path(role), cls._settings(threads), {names.FRAME: frame}, runs)

    @classmethod
    def _settings(cls, threads: int | None) -> dict[str, Any]:
        return {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,
            "INFERENCE_NUM_THREADS": threads or usable_cores(),
            # unasked, a CPU with AMX computes in bfloat16, whatever the graph says
            "INFERENCE_PRECISION_HINT": cls.precision,
            # the kernels between two runs want the same cores
            "ENABLE_CPU_PINNING": "NO",
        }

    def _run(self, feeds: Mapping[str, Buffer]) -> Mapping[str, Buffer]:
        if self._request is None:
            raise self._closed_error()
        try:
            for name, array in feeds.items():
                self._request.bind(name, array)
            self._request.run()
        except OpenVinoError as error:
            if "alloc" in str(error).lower():
                raise MemoryExhaustedError(
                    f"engine {self.name!r}: not enough memory ({error}); export at a smaller --size"
                ) from error
            raise BuildError(f"engine {self.name!r} failed in OpenVINO: {error}") from error
        return self._results

    def close(self) -> None:
        """Free the model; its output arrays stay valid."""
        self._request = None

    @classmethod
    def _check_cpu(cls, library: OpenVino) -> None:
        """Refuse a CPU that lacks what the engine is for."""


class Bf16OpenVinoEngine(OpenVinoEngine):
    """The same in bfloat16, on CPUs that compute in it (AMX, AVX512-BF16): 8 bits of mantissa where float32 has 24."""

    precision = "bf16"

    @classmethod
    def _check_cpu(cls, library: OpenVino) -> None:
        able = library.of_cpu("OPTIMIZATION_CAPABILITIES").split()
        if "BF16" not in able:
            raise EnvironmentUnfitError(
                f"this CPU does not compute in bfloat16 (OpenVINO lists {', '.join(able)}); take --backend openvino"
            )
