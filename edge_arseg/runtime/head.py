"""Decoding a fused or an LR feature to a class map: the ``head`` graphs in an engine, or a kernel in their place."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, TypeVar

import numpy as np

from edge_arseg.installation import install_extra
from edge_arseg.native.library import kernels_available
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.engines.contract import Buffer, Engine, EngineOptions
from edge_arseg.runtime.engines.opening import engines_from_bundle
from edge_arseg.spec import tensor as names
from edge_arseg.spec.manifest import Manifest, Role

if TYPE_CHECKING:
    from edge_arseg.runtime.kernels.numba_head import DecodeShapes

H = TypeVar("H", bound="Head")


class Head(ABC):
    """Feature to class map; chosen as a ``Fusion`` is."""

    name: ClassVar[str]

    @classmethod
    def unavailable(cls, bundle: Bundle) -> str | None:
        """See ``Fusion.unavailable``."""
        return None

    @classmethod
    @abstractmethod
    def open(cls: type[H], bundle: Bundle, options: EngineOptions) -> H:
        """Open the head of LR features; see ``Fusion.open``."""

    @abstractmethod
    def twin(self: H) -> H:
        """Return another one for another stream; see ``Fusion.twin``."""

    @abstractmethod
    def class_map(self, feature: Buffer) -> np.ndarray:
        """Decode ``[1, C, h, w] float32`` to ``[H, W] uint8``, a buffer that the next call overwrites."""

    @abstractmethod
    def close(self) -> None:
        """Free what it holds; calling it twice is allowed."""

    def __enter__(self: H) -> H:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class GraphHead(Head):
    """The ``head`` or the ``lr_head`` graph."""

    name = "graph"

    def __init__(self, engine: Engine):
        """Take over the engine of the graph."""
        self._engine = engine
        (self._input,) = engine.inputs

    @classmethod
    def open(cls, bundle: Bundle, options: EngineOptions) -> "GraphHead":
        """See ``Head``."""
        engines = engines_from_bundle(bundle, [Role.LR_HEAD], backend=options.backend, threads=options.threads)
        return cls(engines[Role.LR_HEAD])

    def twin(self) -> "GraphHead":
        """See ``Head``."""
        return GraphHead(self._engine.twin())

    def class_map(self, feature: Buffer) -> np.ndarray:
        """See ``Head``."""
        return self._engine.run({self._input: feature})[names.CLASS_MAP]

    def close(self) -> None:
        """See ``Head``."""
        self._engine.close()


class KernelHead(Head):
    """The kernel on the CPU with the bundle's classifier."""

    name = "kernel"

    def __init__(self, bundle: Bundle, role: Role, *, threads: int | None = None):
        """Load the kernel for the shapes of ``Role.HEAD`` (a fused feature) or ``Role.LR_HEAD`` (an LR feature).

        Raises:
            EnvironmentUnfitError: none is shipped for this CPU, and Numba is not installed.
            BundleError: the classifier cannot be read.
            OptionError: the classifier does not fit the feature.
        """
        from edge_arseg.runtime.kernels.numba_head import DecodeKernel

        self._of = bundle, role, threads
        weights, shapes = bundle.decoder_weights(), decode_shapes(bundle.manifest, role)
        self._kernel = DecodeKernel(shapes, weights.weight, weights.bias, threads)
        self._class_map = np.zeros(shapes.frame, np.uint8)

    @classmethod
    def unavailable(cls, bundle: Bundle) -> str | None:
        """See ``Head``."""
        return cpu_kernels_unavailable(bundle)

    @classmethod
    def open(cls, bundle: Bundle, options: EngineOptions) -> "KernelHead":
        """See ``Head``; no engine is needed."""
        return cls(bundle, Role.LR_HEAD, threads=options.threads)

    def twin(self) -> "KernelHead":
        """See ``Head``; the classifier is small."""
        bundle, role, threads = self._of
        return KernelHead(bundle, role, threads=threads)

    @property
    def divisible(self) -> bool:
        """Whether parts can be decoded; see ``DecodeKernel``."""
        return self._kernel.divisible

    def class_map(self, feature: Buffer, rows: tuple[int, int] | None = None) -> np.ndarray:
        """Decode all, or ``rows`` from a feature that holds only these; return the whole class map.

        See ``Head``, and ``DecodeKernel.run`` for ``rows``.
        """
        first, last = rows or (0, len(self._class_map))
        self._kernel.run(feature, self._class_map[first:last], rows)
        return self._class_map

    def close(self) -> None:
        """See ``Head``; nothing is held but memory."""


def decode_shapes(manifest: Manifest, role: Role) -> "DecodeShapes":
    """Return the sizes of the head of ``Role.HEAD`` (a fused feature) or ``Role.LR_HEAD`` (an LR feature)."""
    from edge_arseg.runtime.kernels.numba_head import DecodeShapes

    ((_, channels, height, width),) = (spec.shape for spec in manifest.graphs[role].inputs.values())
    image = (manifest.lr_height, manifest.lr_width) if role is Role.LR_HEAD else None
    frame = (manifest.height, manifest.width)
    return DecodeShapes(channels, (height, width), frame, manifest.decoder.upscale, image)


def cpu_kernels_unavailable(bundle: Bundle) -> str | None:
    """Return why the kernels on the CPU cannot take a bundle's features, with what to type; ``None`` where they can."""
    feature_type = bundle.manifest.graphs[Role.FUSE].inputs[names.KEY_FEATURE].dtype
    if feature_type != "float32":
        return (
            f"the kernel on the CPU reads float32, this bundle's features are {feature_type}, as TensorRT wants them; "
            "run with --fusion graph, or quantize with --fuse fp32"
        )
    if not kernels_available():
        return f"no kernels are shipped for this CPU; type {install_extra('cpu')}, or use --fusion graph"
    return None
