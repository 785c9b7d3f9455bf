"""The GPU fusion kernel: warp, depthwise convolutions, local attention and residual in one launch.

It replaces the ``fuse`` graph up to the fused feature, between the two engines and on their stream. The source is in
``source/``; ``compiler/kernels/build.py`` makes a cubin of it for one GPU architecture, and a board needs no compiler.
``docs/cuda_kernel.md`` says how it works and what it should reach.

::

    plan = plan_from_shapes(shapes, Storage.HALF, limits)
    with CudaFusion(device, plan, weights, image) as kernel:
        fused = kernel.run(key_feature, flow, lr_feature)

``CudaFusion`` is in ``kernel``, apart from what needs no pycuda.
"""

from edge_arseg.runtime.kernels.cuda.launch_plan import GpuLimits, LaunchPlan, Storage, plan_from_shapes

__all__ = ["GpuLimits", "LaunchPlan", "Storage", "plan_from_shapes"]
