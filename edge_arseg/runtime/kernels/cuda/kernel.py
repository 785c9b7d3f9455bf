"""The fusion kernel loaded on a GPU through pycuda, with its memory."""

from types import TracebackType
from typing import Any, Protocol

import numpy as np

from edge_arseg.errors import BuildError, OptionError
from edge_arseg.runtime.device.cuda import CudaDevice, DeviceArray
from edge_arseg.runtime.kernels.cuda.launch_plan import GpuLimits, LaunchPlan
from edge_arseg.runtime.kernels.cuda.weight_table import table_from_weights
from edge_arseg.spec.tensor import TensorSpec
from edge_arseg.spec.weights import FusionWeights


class OnDevice(Protocol):
    """An array in the GPU's memory, C-contiguous: what engines return (``DeviceArray``).

    Attributes:
        address: in the GPU's memory.
        spec: type and shape.
    """

    @property
    def address(self) -> int: ...  # noqa: D102

    @property
    def spec(self) -> TensorSpec: ...  # noqa: D102


class CudaFusion:
    """A fusion of fixed shapes and weights; all memory is taken when it is made.

    For the thread that owns the device's context: ``device.call(kernel.run, ...)``. What it computes is what
    ``numba_fuse.FusionKernel`` computes.

    Attributes:
        plan: how it is launched.
        fused: ``[1, C, h, w]`` of the plan's type: what ``run`` writes.
    """

    def __init__(self, device: CudaDevice, plan: LaunchPlan, weights: FusionWeights, image: bytes):
        """Load the kernel and take its memory.

        Args:
            device: with its context current in this thread.
            plan: how to launch.
            weights: of the convolutions and of places in the window.
            image: cubin for this GPU, or PTX, as ``compiler/kernels/build.py`` makes it.

        Raises:
            OptionError: weights and shapes do not fit together.
            BuildError: the image is not for this GPU, or is not the kernel.
        """
        self.plan = plan
        self._stream = device.stream
        table = table_from_weights(weights, plan.shapes.channels, plan.storage.chunk)
        driver = device.driver
        try:
            self._module: Any = driver.module_from_buffer(image)
            function = self._module.get_function(plan.entry)
        except driver.Error as error:
            raise BuildError(
                f"this GPU does not take the fusion kernel ({error}): it was compiled for another architecture, or by "
                "a CUDA newer than the driver; compile again on this machine: edge-arseg compile BUNDLE --force "
                "--no-engines; or run with --fusion graph"
            ) from error
        # More than 48 KiB has to be asked for by name.
        function.set_attribute(driver.function_attribute.MAX_DYNAMIC_SHARED_SIZE_BYTES, plan.shared_bytes)
        function.prepare(plan.argument_format)
        self._function: Any = function
        channels, feature = plan.shapes.channels, plan.storage.feature
        self._expected = {
            "key_feature": TensorSpec(feature, (1, channels, *plan.shapes.feature)),
            "flow": TensorSpec("float32", (*plan.shapes.flow, 2)),
            "lr_feature": TensorSpec(feature, (1, channels, *plan.shapes.lr_feature)),
        }
        self._weights = device.allocate(TensorSpec("float32", table.shape))
        self.fused: DeviceArray = device.allocate(self._expected["key_feature"])
        driver.memcpy_htod(self._weights.address, np.ascontiguousarray(table))

    def run(self, key_feature: OnDevice, flow: OnDevice, lr_feature: OnDevice) -> DeviceArray:
        """Enqueue one fusion on the device's stream.

        Args:
            key_feature: ``[1, C, h, w]`` of the plan's type, in CHW order as engines give it.
            flow: ``[Hg, Wg, 2] float32``, luma pixels, x then y, from the current frame to the keyframe.
            lr_feature: ``[1, C, h', w']`` of the plan's type.

        Returns:
            ``fused``; complete when the stream gets there, and overwritten by the next call.

        Raises:
            OptionError: an array has another shape or type.
        """
        arrays = {"key_feature": key_feature, "flow": flow, "lr_feature": lr_feature}
        faults = [
            f"{name}: {arrays[name].spec} seen, {wanted} expected"
            for name, wanted in self._expected.items()
            if arrays[name].spec != wanted
        ]
        if faults:
            raise OptionError("cannot fuse: " + "; ".join(faults))
        plan = self.plan
        self._function.prepared_async_call(
            plan.grid, (plan.threads, 1, 1), self._stream,
            self.fused.address, key_feature.address, flow.address, lr_feature.address, self._weights.address,
            *plan.numbers, shared_size=plan.shared_bytes,
        )  # fmt: skip
        return self.fused

    def close(self) -> None:
        """Give the memory back; calling it twice is allowed."""
        self._weights.free()
        self.fused.free()
        self._function = self._module = None

    def __enter__(self) -> "CudaFusion":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def limits_of_device(device: CudaDevice) -> GpuLimits:
    """Ask a GPU for its limits; in the device's thread."""
    driver = device.driver
    gpu, attribute = driver.Context.get_device(), driver.device_attribute
    return GpuLimits(
        gpu.get_attribute(attribute.MULTIPROCESSOR_COUNT),
        gpu.get_attribute(attribute.MAX_SHARED_MEMORY_PER_BLOCK_OPTIN),
        gpu.get_attribute(attribute.MAX_SHARED_MEMORY_PER_MULTIPROCESSOR),
        tensor_cores=tuple(gpu.compute_capability()) >= (7, 5),
    )
