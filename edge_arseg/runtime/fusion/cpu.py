"""Fusing with the kernel on the CPU, and decoding with the one behind it."""

import numpy as np

from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.engines.contract import Buffer, EngineOptions
from edge_arseg.runtime.fusion.contract import Fusion
from edge_arseg.runtime.head import KernelHead, cpu_kernels_unavailable
from edge_arseg.runtime.stages import StageClock
from edge_arseg.spec.manifest import Role
from edge_arseg.spec.weights import FusionShapes

PART_BYTES = 24 << 20
"""A fused feature larger than this is made and decoded in parts of at most this size, where the head can do that."""


class CpuKernelFusion(Fusion):
    """The kernels for fusing and decoding.

    The published psp18 has a feature of the size of the frame: 177 MB at 720x960. It never exists as a whole: some rows
    are fused, decoded, and overwritten by the next.
    """

    name = "kernel"

    def __init__(self, bundle: Bundle, *, threads: int | None = None):
        """Load the kernels for the bundle's shapes, or compile them.

        Raises:
            EnvironmentUnfitError: none are shipped for this CPU, and Numba is not installed.
        """
        from edge_arseg.runtime.kernels.numba_fuse import FusionKernel

        self._bundle, self._threads = bundle, threads
        shapes = FusionShapes.of(bundle.manifest)
        self._head = KernelHead(bundle, Role.HEAD, threads=threads)
        self._kernel = FusionKernel(shapes, bundle.fusion_weights(), threads)
        channels, (height, width) = shapes.channels, shapes.feature
        count = -(-4 * channels * height * width // PART_BYTES) if self._head.divisible else 1
        rows = -(-height // count)
        self._parts = [(first, min(first + rows, height)) for first in range(0, height, rows)]
        memory = np.zeros(channels * rows * width, np.float32)
        self._fused = [
            memory[: channels * (last - first) * width].reshape(1, channels, last - first, width)
            for first, last in self._parts
        ]

    @classmethod
    def unavailable(cls, bundle: Bundle) -> str | None:
        """See ``Fusion``."""
        return cpu_kernels_unavailable(bundle)

    @classmethod
    def open(cls, bundle: Bundle, options: EngineOptions) -> "CpuKernelFusion":
        """See ``Fusion``; no engine is needed."""
        return cls(bundle, threads=options.threads)

    def twin(self) -> "CpuKernelFusion":
        """See ``Fusion``; the weights of a kernel are small, some hundred kilobytes."""
        return CpuKernelFusion(self._bundle, threads=self._threads)

    def class_map(self, key_feature: Buffer, flow: np.ndarray, lr_feature: Buffer, clock: StageClock) -> np.ndarray:
        """See ``Fusion``."""
        for rows, fused in zip(self._parts, self._fused, strict=True):
            with clock.stage("fuse"):
                self._kernel.run(key_feature, flow, lr_feature, fused, rows)
            with clock.stage("head"):
                class_map = self._head.class_map(fused, rows if len(self._parts) > 1 else None)
        return class_map

    def close(self) -> None:
        """See ``Fusion``; nothing is held but memory."""
