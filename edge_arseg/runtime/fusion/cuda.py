"""Fusing with the CUDA kernel between two engines that keep their features on the GPU."""

from contextlib import ExitStack
from types import TracebackType

import numpy as np

from edge_arseg.errors import BundleError
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.device.cuda import DeviceArray, borrow_device, return_device
from edge_arseg.runtime.engines.contract import Buffer, Engine, EngineOptions
from edge_arseg.runtime.engines.opening import engines_from_bundle
from edge_arseg.runtime.fusion.contract import Fusion
from edge_arseg.runtime.kernels.cuda.image import kernel_for_gpu
from edge_arseg.runtime.kernels.cuda.kernel import CudaFusion, limits_of_device
from edge_arseg.runtime.kernels.cuda.launch_plan import Storage, plan_from_shapes
from edge_arseg.runtime.stages import StageClock
from edge_arseg.spec import tensor as names
from edge_arseg.spec.manifest import Role
from edge_arseg.spec.tensor import TensorSpec
from edge_arseg.spec.weights import FusionShapes

_STORAGE = {"float16": Storage.HALF, "float32": Storage.MIXED}


class LoadedKernel:
    """A bundle's kernel on the GPU that all engines share, with all its memory.

    Features are on the GPU, the flow comes from the host.

    Attributes:
        device: the shared GPU.
        entry: what the manifest says of the kernel.
    """

    def __init__(self, bundle: Bundle):
        """Load the kernel that was compiled with the bundle, and take its memory.

        Args:
            bundle: with a kernel for this GPU. Its ``head`` graph says in what type features are.

        Raises:
            BuildError: the bundle holds no kernel for this GPU.
            BundleError: features are of a type that the kernel does not write, or a file cannot be read.
            EnvironmentUnfitError: no pycuda or GPU, or a GPU with too little shared memory.
        """
        shapes = FusionShapes.of(bundle.manifest)
        feature_type = bundle.manifest.graphs[Role.HEAD].inputs[names.FUSED_FEATURE].dtype
        if feature_type not in _STORAGE:
            raise BundleError(
                f"{bundle.path}: the head takes features of {feature_type}, the fusion kernel writes "
                f"{' or '.join(_STORAGE)}; run with --fusion graph"
            )
        with ExitStack() as opened:
            self.device = borrow_device()
            opened.callback(return_device)
            self.entry = kernel_for_gpu(bundle, self.device.facts.compute_capability)
            image = bundle.content(self.entry.file)  # ``read_bundle`` has checked its digest
            plan = plan_from_shapes(shapes, _STORAGE[feature_type], self.device.call(limits_of_device, self.device))
            self._kernel = self.device.call(CudaFusion, self.device, plan, bundle.fusion_weights(), image)
            opened.callback(self.device.call, self._kernel.close)
            spec = TensorSpec("float32", (*shapes.flow, 2))
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

    def __enter__(self) -> "LoadedKernel":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _fuse(self, key_feature: DeviceArray, flow: np.ndarray, lr_feature: DeviceArray) -> DeviceArray:
        np.copyto(self._pinned, flow)
        self.device.upload(self._pinned, self._flow)
        fused = self._kernel.run(key_feature, self._flow, lr_feature)
        self.device.wait()  # the time belongs to this stage
        return fused


class CudaKernelFusion(Fusion):
    """The CUDA kernel, and the ``head`` graph behind it. Only the flow goes up and the class map comes down."""

    name = "kernel"

    def __init__(self, kernel: LoadedKernel, head: Engine):
        """Take over the kernel, and the engine of the ``head`` graph, on the GPU too."""
        self._kernel, self._head = kernel, head

    @classmethod
    def open(cls, bundle: Bundle, options: EngineOptions) -> "CudaKernelFusion":
        """See ``Fusion``. The kernel comes first: whether there is one is known before an engine is opened."""
        with ExitStack() as opened:
            kernel = opened.enter_context(LoadedKernel(bundle))
            engines = engines_from_bundle(bundle, [Role.HEAD], backend=options.backend, threads=options.threads)
            opened.pop_all()
        return cls(kernel, engines[Role.HEAD])

    def class_map(self, key_feature: Buffer, flow: np.ndarray, lr_feature: Buffer, clock: StageClock) -> np.ndarray:
        """See ``Fusion``."""
        with clock.stage("fuse"):
            fused = self._kernel.fuse(key_feature, flow, lr_feature)
        with clock.stage("head"):
            return self._head.run({names.FUSED_FEATURE: fused})[names.CLASS_MAP]

    def close(self) -> None:
        """See ``Fusion``."""
        with self._head, self._kernel:
            pass
