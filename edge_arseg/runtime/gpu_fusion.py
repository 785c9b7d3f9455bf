"""Fusing with the CUDA kernel between two engines that keep their features on the GPU."""

import numpy as np

from edge_arseg.errors import BundleError
from edge_arseg.runtime.bundle import Bundle
from edge_arseg.runtime.cuda_device import DeviceArray, borrow_device, return_device
from edge_arseg.runtime.cuda_fusion.image import image_from_bundle
from edge_arseg.runtime.cuda_fusion.kernel import CudaFusion, limits_of_device
from edge_arseg.runtime.cuda_fusion.launch_plan import Storage, plan_from_shapes
from edge_arseg.runtime.engine import Buffer, Engine
from edge_arseg.runtime.fusion import Fusion
from edge_arseg.runtime.stages import StageClock
from edge_arseg.spec import tensor as names
from edge_arseg.spec.fusion import FusionShapes
from edge_arseg.spec.manifest import Role
from edge_arseg.spec.tensor import TensorSpec

_STORAGE = {"float16": Storage.HALF, "float32": Storage.MIXED}


class GpuFusion(Fusion):
    """The CUDA kernel, and the ``head`` graph behind it. Only the flow goes up and the class map comes down."""

    name = "kernel"

    def __init__(self, bundle: Bundle, head: Engine):
        """Load the kernel that was compiled with the bundle, and take its memory.

        Args:
            bundle: with a kernel for this GPU.
            head: the engine of that role, on the GPU; it says in what type features are. It stays the caller's.

        Raises:
            BuildError: the bundle holds no kernel for this GPU.
            BundleError: the head takes features of a type that the kernel does not write.
            EnvironmentUnfitError: no pycuda or GPU, or a GPU with too little shared memory.
        """
        self._head = head
        fuse = bundle.manifest.graphs[Role.FUSE].inputs
        key, lr, flow = (fuse[name].shape for name in (names.KEY_FEATURE, names.LR_FEATURE, names.FLOW))
        shapes = FusionShapes(key[1], key[2:], lr[2:], flow[:2], bundle.manifest.height)  # type: ignore[arg-type]
        wanted = head.inputs[names.FUSED_FEATURE].dtype
        if wanted not in _STORAGE:
            raise BundleError(
                f"{bundle.path}: the head takes features of {wanted}, the fusion kernel writes "
                f"{' or '.join(_STORAGE)}; run with --fusion graph"
            )
        self._device = borrow_device()
        try:
            image = image_from_bundle(bundle, self._device.facts.compute_capability)
            plan = plan_from_shapes(shapes, _STORAGE[wanted], self._device.call(limits_of_device, self._device))
            self._kernel = self._device.call(CudaFusion, self._device, plan, bundle.fusion_weights(), image)
            spec = TensorSpec("float32", tuple(flow))
            self._pinned: np.ndarray = self._device.call(self._device.pinned, spec)
            self._flow: DeviceArray = self._device.call(self._device.allocate, spec)
        except BaseException:
            return_device()
            raise

    def class_map(self, key_feature: Buffer, flow: np.ndarray, lr_feature: Buffer, clock: StageClock) -> np.ndarray:
        """See ``Fusion``."""
        with clock.stage("fuse"):
            fused = self._device.call(self._fuse, key_feature, flow, lr_feature)
        with clock.stage("head"):
            return self._head.run({names.FUSED_FEATURE: fused})[names.CLASS_MAP]

    def close(self) -> None:
        """Free what is on the GPU."""
        try:
            self._device.call(self._kernel.close)
            self._device.call(self._flow.free)
        finally:
            return_device()

    def _fuse(self, key_feature: DeviceArray, flow: np.ndarray, lr_feature: DeviceArray) -> DeviceArray:
        np.copyto(self._pinned, flow)
        self._device.upload(self._pinned, self._flow)
        fused = self._kernel.run(key_feature, self._flow, lr_feature)
        self._device.wait()  # the time belongs to this stage
        return fused
