"""Opening the fusion that was asked for, where the features are, with the engine that it needs."""

import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING

from edge_arseg.errors import BuildError, UnfitError
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.engines.opening import engines_from_bundle
from edge_arseg.runtime.engines.options import EngineOptions
from edge_arseg.runtime.fusion.contract import Fusion, GraphFusion, KernelFusion
from edge_arseg.spec.manifest import Role

if TYPE_CHECKING:
    from edge_arseg.runtime.fusion.gpu_fusion import GpuFusion

_log = logging.getLogger(__name__)


def fusion_from_bundle(bundle: Bundle, stack: ExitStack, choice: str, place: str, options: EngineOptions) -> Fusion:
    """Open a fusion and no engine beyond what it needs: ``fuse`` for the graph, ``head`` for the kernel on the GPU.

    Args:
        bundle: checked.
        stack: closes it.
        choice: what ``fusion_choice`` returned.
        place: where the engines keep features.
        options: backend and threads.

    Raises:
        EnvironmentUnfitError: a library, or shared memory of the GPU, is missing.
        BundleError: the kernel does not write what the ``head`` graph takes, or a graph contradicts the manifest.
        BuildError: there is no kernel for this GPU, or an engine cannot be opened.
    """
    if place == "cuda" and choice != "graph":
        try:
            return _gpu_fusion(bundle, stack, options)
        except (BuildError, UnfitError) as error:
            if choice == "kernel":
                raise
            _log.warning("fusion on the GPU by the `fuse` graph, which is slower than the kernel: %s", error)
    elif choice == "kernel":
        return KernelFusion(bundle, threads=options.threads)
    engines = engines_from_bundle(bundle, [Role.FUSE], backend=options.backend, threads=options.threads)
    return GraphFusion(stack.enter_context(engines)[Role.FUSE])


def _gpu_fusion(bundle: Bundle, stack: ExitStack, options: EngineOptions) -> "GpuFusion":
    # a CPU does without all that belongs to a GPU
    from edge_arseg.runtime.device.cuda import borrow_device, return_device
    from edge_arseg.runtime.fusion.gpu_fusion import GpuFusion
    from edge_arseg.runtime.kernels.cuda.image import kernel_for_gpu

    device = borrow_device()
    try:
        kernel_for_gpu(bundle, device.facts.compute_capability)  # asked before an engine is opened
    finally:
        return_device()
    with ExitStack() as opened:
        engines = engines_from_bundle(bundle, [Role.HEAD], backend=options.backend, threads=options.threads)
        fusion = GpuFusion(bundle, opened.enter_context(engines)[Role.HEAD])
        opened.callback(fusion.close)
        stack.enter_context(opened.pop_all())
    return fusion
