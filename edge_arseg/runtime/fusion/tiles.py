"""Fusing and decoding in one kernel, on CPUs with AMX."""

from typing import ClassVar, TypeVar

import numpy as np

from edge_arseg.native.features import compiled_features
from edge_arseg.native.library import TILES
from edge_arseg.native.tiles import tiles_allowed
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.engines.contract import Buffer, EngineOptions
from edge_arseg.runtime.fusion.contract import Fusion
from edge_arseg.runtime.head import cpu_kernels_unavailable, decode_shapes
from edge_arseg.runtime.stages import StageClock
from edge_arseg.spec.manifest import Role
from edge_arseg.spec.weights import FusionShapes

T = TypeVar("T", bound="TileFusion")

MOST_BYTES = 64 << 20
"""Largest keyframe feature, which is kept a second time; a larger one is fused in parts by the other kernels."""


class TileFusion(Fusion):
    """The kernel that fuses and decodes. Both are in the stage ``fuse``."""

    name = "kernel"
    terms: ClassVar[int] = 2
    """bfloat16 terms of a number; two are as exact as float32."""

    def __init__(self, bundle: Bundle, *, threads: int | None = None):
        """Load the kernel for the bundle's shapes, or compile it."""
        from edge_arseg.runtime.kernels.numba_tiles import TileKernel

        self._bundle, self._threads = bundle, threads
        shapes = FusionShapes.of(bundle.manifest)
        decode = decode_shapes(bundle.manifest, Role.HEAD)
        self._kernel = TileKernel(
            shapes, bundle.fusion_weights(), decode, bundle.decoder_weights(), threads, terms=self.terms
        )
        self._class_map = np.zeros(decode.frame, np.uint8)
        self._same_key = False

    @classmethod
    def unavailable(cls, bundle: Bundle) -> str | None:
        """See ``Fusion``."""
        shapes = FusionShapes.of(bundle.manifest)
        if 4 * shapes.channels * shapes.feature[0] * shapes.feature[1] > MOST_BYTES:
            return f"features of more than {MOST_BYTES >> 20} MB are fused in parts"
        if reason := cpu_kernels_unavailable(bundle):
            return reason
        if not tiles_allowed():
            return "this CPU has no AMX with bfloat16"
        return None if set(TILES) <= compiled_features() else "the kernels are compiled without AMX"

    @classmethod
    def open(cls, bundle: Bundle, options: EngineOptions) -> "TileFusion":
        """See ``Fusion``; no engine is needed."""
        return cls(bundle, threads=options.threads)

    def twin(self: T) -> T:
        """See ``Fusion``; the keyframe is each one's own."""
        return type(self)(self._bundle, threads=self._threads)

    def new_key(self) -> None:
        """See ``Fusion``."""
        self._same_key = False

    def class_map(self, key_feature: Buffer, flow: np.ndarray, lr_feature: Buffer, clock: StageClock) -> np.ndarray:
        """See ``Fusion``."""
        with clock.stage("fuse"):
            self._kernel.run(key_feature, flow, lr_feature, self._class_map, same_key=self._same_key)
        self._same_key = True
        return self._class_map

    def close(self) -> None:
        """See ``Fusion``; nothing is held but memory."""


class ShortTileFusion(TileFusion):
    """The same kernel with numbers of one term, which is bfloat16: for features of branches in int8.

    Those hold eight bits of a number, and so does bfloat16.
    """

    name = "kernel-bf16"
    terms = 1

    @classmethod
    def unavailable(cls, bundle: Bundle) -> str | None:
        """See ``Fusion``."""
        precision = bundle.manifest.graphs[Role.LR].precision
        if precision != "int8":
            return (
                f"it is for int8 branches, and this bundle's LR branch is in {precision.value}; run with --fusion auto"
            )
        return super().unavailable(bundle)
