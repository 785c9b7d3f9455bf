"""Fusing an LR feature with the keyframe's feature, and decoding the result.

Two ways that give the same class map: the ``fuse`` graph in one engine, or a fusion kernel and what decodes behind it:
on the CPU a decode kernel, on the GPU (``gpu_fusion``) the ``head`` graph. Which one is a matter of speed and of what
is installed.
"""

from abc import ABC, abstractmethod

import numpy as np

from edge_arseg.errors import EnvironmentUnfitError, OptionError
from edge_arseg.native.library import kernels_available
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.engines.contract import Buffer, Engine
from edge_arseg.runtime.head import KernelDecoder
from edge_arseg.runtime.stages import StageClock
from edge_arseg.spec import tensor as names
from edge_arseg.spec.manifest import Role

CHOICES = ("auto", "kernel", "graph")


class Fusion(ABC):
    """Keyframe feature, flow and LR feature to a class map."""

    name: str

    @abstractmethod
    def class_map(self, key_feature: Buffer, flow: np.ndarray, lr_feature: Buffer, clock: StageClock) -> np.ndarray:
        """Fuse and decode.

        Args:
            key_feature: of the HR engine on the keyframe.
            flow: ``[Hg, Wg, 2] float32``, contiguous (``MotionField.flow``).
            lr_feature: of the LR engine on this frame.
            clock: gets the stage ``fuse`` and, where decoding is apart, ``head``.

        Returns:
            ``[H, W] uint8``, a buffer that the next call overwrites.
        """


class GraphFusion(Fusion):
    """The ``fuse`` graph."""

    name = "graph"

    def __init__(self, engine: Engine):
        self._engine = engine

    def class_map(self, key_feature: Buffer, flow: np.ndarray, lr_feature: Buffer, clock: StageClock) -> np.ndarray:
        """See ``Fusion``."""
        with clock.stage("fuse"):
            feeds = {names.KEY_FEATURE: key_feature, names.FLOW: flow, names.LR_FEATURE: lr_feature}
            return self._engine.run(feeds)[names.CLASS_MAP]


PART_BYTES = 24 << 20
"""A fused feature larger than this is made and decoded in parts of at most this size, where the decoder can do that."""


class KernelFusion(Fusion):
    """The Numba kernels for fusing and decoding.

    The published psp18 has a feature of the size of the frame: 177 MB at 720x960. It never exists as a whole: some rows
    are fused, decoded, and overwritten by the next.
    """

    name = "kernel"

    def __init__(self, bundle: Bundle, *, threads: int | None = None):
        """Compile the kernels for the bundle's shapes.

        Raises:
            EnvironmentUnfitError: Numba is not installed.
        """
        from edge_arseg.runtime.kernels.numba_fuse import FusionKernel, FusionShapes

        inputs = bundle.manifest.graphs[Role.FUSE].inputs
        key, lr, flow = (inputs[name].shape for name in (names.KEY_FEATURE, names.LR_FEATURE, names.FLOW))
        shapes = FusionShapes(key[1], key[2:], lr[2:], flow[:2], bundle.manifest.height)  # type: ignore[arg-type]
        self._kernel = FusionKernel(shapes, bundle.fusion_weights(), threads)
        self._decoder = KernelDecoder(bundle, Role.HEAD, threads=threads)
        _, channels, height, width = key
        count = -(-4 * channels * height * width // PART_BYTES) if self._decoder.divisible else 1
        rows = -(-height // count)
        self._parts = [(first, min(first + rows, height)) for first in range(0, height, rows)]
        memory = np.zeros(channels * rows * width, np.float32)
        self._fused = [
            memory[: channels * (last - first) * width].reshape(1, channels, last - first, width)
            for first, last in self._parts
        ]

    def class_map(self, key_feature: Buffer, flow: np.ndarray, lr_feature: Buffer, clock: StageClock) -> np.ndarray:
        """See ``Fusion``."""
        for rows, fused in zip(self._parts, self._fused, strict=True):
            with clock.stage("fuse"):
                self._kernel.run(key_feature, flow, lr_feature, fused, rows)
            with clock.stage("head"):
                class_map = self._decoder.class_map(fused, rows if len(self._parts) > 1 else None)
        return class_map


def fusion_choice(wanted: str, place: str = "host", feature_type: str = "float32") -> str:
    """Return ``kernel`` or ``graph``: as wanted, or for ``auto`` the kernel where there is one.

    For features on the GPU (``cuda``) ``auto`` stays as it is: whether the bundle has a kernel for this GPU shows when
    it is opened.

    Args:
        wanted: one of ``CHOICES``.
        place: where the engines keep features (``Engine.feature_place``); a kernel reads them there.
        feature_type: of the features in the bundle.

    Raises:
        OptionError: no such choice.
        EnvironmentUnfitError: the kernel is wanted, and Numba is not installed or the features are out of its reach.
    """
    if wanted not in CHOICES:
        raise OptionError(f"fusion {wanted!r} seen, expected one of {', '.join(CHOICES)}")
    if place == "cuda":
        return wanted
    if place != "host":
        if wanted == "kernel":
            raise EnvironmentUnfitError(
                f"--fusion kernel: this backend keeps features on the GPU ({place}), where no kernel reads them; "
                "run with --fusion graph, or with --backend tensorrt, which has one"
            )
        return "graph"
    if feature_type != "float32":
        if wanted == "kernel":
            raise EnvironmentUnfitError(
                f"--fusion kernel: the kernel on the CPU reads float32, this bundle's features are {feature_type}, as "
                "TensorRT wants them; run with --fusion graph, or quantize with --fuse fp32"
            )
        return "graph"
    installed = kernels_available()
    if wanted == "kernel" and not installed:
        raise EnvironmentUnfitError("--fusion kernel needs Numba: pip install 'edge-arseg[cpu]', or --fusion graph")
    if wanted == "auto":
        return "kernel" if installed else "graph"
    return wanted
