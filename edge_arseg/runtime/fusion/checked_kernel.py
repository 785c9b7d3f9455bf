"""The CUDA fusion kernel of a bundle, checked between engines of any library."""

from contextlib import ExitStack
from types import TracebackType

import numpy as np

from edge_arseg.errors import BuildError
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.device.cuda import DeviceArray
from edge_arseg.runtime.fusion.cuda import LoadedKernel
from edge_arseg.spec import tensor as names
from edge_arseg.spec.manifest import Role


class CheckedKernel:
    """The CUDA fusion kernel that ``run`` would launch on this GPU, between arrays of the host, whatever made them.

    Features go up and come down here, so it tells no times.

    Attributes:
        file: of the kernel, in the bundle.
    """

    def __init__(self, bundle: Bundle):
        """Load the kernel.

        Raises:
            BuildError: the bundle holds no kernel, or none for this GPU.
            BundleError, EnvironmentUnfitError: see ``LoadedKernel``.
        """
        if bundle.manifest.hr_only:
            raise BuildError("the bundle has the HR branch alone: nothing is fused")
        if not bundle.manifest.kernels:
            raise BuildError("the bundle holds none; edge-arseg compile puts one in, where nvcc or NVRTC is")
        graphs = bundle.manifest.graphs
        self._there: dict[str, tuple[np.ndarray, DeviceArray]] = {}
        with ExitStack() as opened:
            kernel = opened.enter_context(LoadedKernel(bundle))
            self._kernel, self.file = kernel, kernel.entry.file
            for name in (names.KEY_FEATURE, names.LR_FEATURE):
                spec = graphs[Role.FUSE].inputs[name]
                pinned = kernel.device.call(kernel.device.pinned, spec)
                array: DeviceArray = kernel.device.call(kernel.device.allocate, spec)
                opened.callback(kernel.device.call, array.free)
                self._there[name] = pinned, array
            self._opened = opened.pop_all()

    def fuse(self, key_feature: np.ndarray, flow: np.ndarray, lr_feature: np.ndarray) -> np.ndarray:
        """Return a copy of the fused feature ``[1, C, h, w]``; for the arguments see ``CudaFusion.run``."""
        fused = self._kernel.fuse(
            self._up(names.KEY_FEATURE, key_feature), flow, self._up(names.LR_FEATURE, lr_feature)
        )
        return np.array(fused)

    def close(self) -> None:
        """Free what is on the GPU; calling it twice is allowed."""
        self._opened.close()

    def __enter__(self) -> "CheckedKernel":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _up(self, name: str, feature: np.ndarray) -> DeviceArray:
        pinned, array = self._there[name]
        np.copyto(pinned, feature)
        self._kernel.device.call(self._kernel.device.upload, pinned, array)
        return array
