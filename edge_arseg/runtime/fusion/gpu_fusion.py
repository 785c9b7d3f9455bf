"""Fusing with the CUDA kernel between two engines that keep their features on the GPU."""

import numpy as np

from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.engines.contract import Buffer, Engine
from edge_arseg.runtime.fusion.contract import Fusion
from edge_arseg.runtime.fusion.gpu_kernel import GpuKernel
from edge_arseg.runtime.stages import StageClock
from edge_arseg.spec import tensor as names


class GpuFusion(Fusion):
    """The CUDA kernel, and the ``head`` graph behind it. Only the flow goes up and the class map comes down."""

    name = "kernel"

    def __init__(self, bundle: Bundle, head: Engine):
        """Load the kernel that was compiled with the bundle, and take its memory.

        Args:
            bundle: with a kernel for this GPU.
            head: the engine of that role, on the GPU; it says in what type features are. It stays the caller's.

        Raises:
            BuildError, BundleError, EnvironmentUnfitError: see ``GpuKernel``.
        """
        self._head = head
        self._kernel = GpuKernel(bundle, head.inputs[names.FUSED_FEATURE].dtype)

    def class_map(self, key_feature: Buffer, flow: np.ndarray, lr_feature: Buffer, clock: StageClock) -> np.ndarray:
        """See ``Fusion``."""
        with clock.stage("fuse"):
            fused = self._kernel.fuse(key_feature, flow, lr_feature)
        with clock.stage("head"):
            return self._head.run({names.FUSED_FEATURE: fused})[names.CLASS_MAP]

    def close(self) -> None:
        """Free what is on the GPU."""
        self._kernel.close()
