"""Decoding a fused or an LR feature to a class map: the ``head`` graphs in an engine, or a kernel in their place."""

from abc import ABC, abstractmethod

import numpy as np

from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.engines.contract import Buffer, Engine
from edge_arseg.spec import tensor as names
from edge_arseg.spec.manifest import Role


class Decoder(ABC):
    """Feature to class map."""

    name: str

    @abstractmethod
    def class_map(self, feature: Buffer) -> np.ndarray:
        """Decode ``[1, C, h, w] float32`` to ``[H, W] uint8``, a buffer that the next call overwrites."""


class GraphDecoder(Decoder):
    """The ``head`` or the ``lr_head`` graph."""

    name = "graph"

    def __init__(self, engine: Engine):
        self._engine = engine
        (self._input,) = engine.inputs

    def class_map(self, feature: Buffer) -> np.ndarray:
        """See ``Decoder``."""
        return self._engine.run({self._input: feature})[names.CLASS_MAP]


class KernelDecoder(Decoder):
    """The Numba kernel with the bundle's classifier."""

    name = "kernel"

    def __init__(self, bundle: Bundle, role: Role, *, threads: int | None = None):
        """Compile the kernel for the shapes of ``Role.HEAD`` (a fused feature) or ``Role.LR_HEAD`` (an LR feature).

        Raises:
            EnvironmentUnfitError: Numba is not installed.
            BundleError: the classifier cannot be read.
            OptionError: the classifier does not fit the feature.
        """
        from edge_arseg.runtime.kernels.numba_head import DecodeKernel, DecodeShapes

        manifest, weights = bundle.manifest, bundle.decoder_weights()
        ((_, channels, height, width),) = (spec.shape for spec in manifest.graphs[role].inputs.values())
        frame = (manifest.height, manifest.width)
        image = (manifest.lr_height, manifest.lr_width) if role is Role.LR_HEAD else None
        shapes = DecodeShapes(channels, (height, width), frame, manifest.decoder.upscale, image)
        self._kernel = DecodeKernel(shapes, weights.weight, weights.bias, threads)
        self._class_map = np.zeros(frame, np.uint8)

    @property
    def divisible(self) -> bool:
        """Whether parts can be decoded; see ``DecodeKernel``."""
        return self._kernel.divisible

    def class_map(self, feature: Buffer, rows: tuple[int, int] | None = None) -> np.ndarray:
        """Decode all, or ``rows`` from a feature that holds only these; return the whole class map.

        See ``Decoder``, and ``DecodeKernel.run`` for ``rows``.
        """
        first, last = rows or (0, len(self._class_map))
        self._kernel.run(feature, self._class_map[first:last], rows)
        return self._class_map
