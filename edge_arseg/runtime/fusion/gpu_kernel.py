"""The CUDA fusion kernel of a bundle, loaded on the GPU that all engines share."""

from contextlib import ExitStack

import numpy as np

from edge_arseg.errors import BundleError
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.device.cuda import DeviceArray, borrow_device, return_device
from edge_arseg.runtime.kernels.cuda.image import kernel_for_gpu
from edge_arseg.runtime.kernels.cuda.kernel import CudaFusion, limits_of_device
from edge_arseg.runtime.kernels.cuda.launch_plan import Storage, plan_from_shapes
from edge_arseg.spec import tensor as names
from edge_arseg.spec.manifest import Role
from edge_arseg.spec.tensor import TensorSpec
from edge_arseg.spec.weights import FusionShapes

_STORAGE = {"float16": Storage.HALF, "float32": Storage.MIXED}


class GpuKernel:
    """The kernel with all its memory: features are on the GPU, the flow comes from the host.

    Attributes:
        device: the shared GPU.
        entry: what the manifest says of the kernel.
    """

    def __init__(self, bundle: Bundle, feature_type: str):
        """Load the kernel that was compiled with the bundle, and take its memory.

        Args:
            bundle: with a kernel for this GPU.
            feature_type: of the features that the engines make, and of the one that the head takes.

        Raises:
            BuildError: the bundle holds no kernel for this GPU.
            BundleError: features are of a type that the kernel does not write.
            EnvironmentUnfitError: no pycuda or GPU, or a GPU with too little shared memory.
        """
        fuse = bundle.manifest.graphs[Role.FUSE].inputs
        key, lr, flow = (fuse[name].shape for name in (names.KEY_FEATURE, names.LR_FEATURE, names.FLOW))
        shapes = FusionShapes(key[1], key[2:], lr[2:], flow[:2], bundle.manifest.height)  # type: ignore[arg-type]
        if feature_type not in _STORAGE:
            raise BundleError(
                f"{bundle.path}: the head takes features of {feature_type}, the fusion kernel writes "
                f"{' or '.join(_STORAGE)}; run with --fusion graph"
            )
        with ExitStack() as opened:
            self.device = borrow_device()
            opened.callback(return_device)
            self.entry = kernel_for_gpu(bundle, self.device.facts.compute_capability)
            image = (bundle.path / self.entry.file).read_bytes()  # ``read_bundle`` has checked its digest
            plan = plan_from_shapes(shapes, _STORAGE[feature_type], self.device.call(limits_of_device, self.device))
            self._kernel = self.device.call(CudaFusion, self.device, plan, bundle.fusion_weights(), image)
            opened.callback(self.device.call, self._kernel.close)
            spec = TensorSpec("float32", tuple(flow))
            self._pinned: np.ndarray = self.device.call(self.device.pinned, spec)
            self._flow: DeviceArray = self.device.call(self.device.allocate, spec)
            opened.callback(self.device.call, self._flow.free)
            self._opened = opened.pop_all()

    def fuse(self, key_feature: DeviceArray, flow: np.ndarray, lr_feature: DeviceArray) -> DeviceArray:
        """Fuse and wait for it; see ``CudaFusion.run``. The next call overwrites the result."""
        return self.device.call(self._fuse, key_feature, flow, lr_feature)

    def close(self) -> None:
        """Free what is on the GPU; calling it twice is allowed."""
        self._opened.close()

    def _fuse(self, key_feature: DeviceArray, flow: np.ndarray, lr_feature: DeviceArray) -> DeviceArray:
        np.copyto(self._pinned, flow)
        self.device.upload(self._pinned, self._flow)
        fused = self._kernel.run(key_feature, self._flow, lr_feature)
        self.device.wait()  # the time belongs to this stage
        return fused
