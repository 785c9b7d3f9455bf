"""Files of arrays in a bundle: weights that kernels read in place of graphs, with their shapes, and golden frames."""

import io
from dataclasses import MISSING, dataclass, field, fields
from math import isqrt
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_arseg.errors import BundleError, OptionError
from edge_arseg.spec import tensor as names
from edge_arseg.spec.manifest import Manifest, Role
from edge_arseg.spec.model import WINDOW, WINDOWS

TAPS = 3
"""Side of the depthwise convolutions."""
UNSEEN = -1e30
"""Position bias of a place that takes no part: its exponential is 0 beside that of any other."""


@dataclass(frozen=True, slots=True)
class FusionWeights:
    """Weights of CReFF, float32: three depthwise 3x3 convolutions, and what a place in the window is worth by itself.

    Attributes:
        query_weight: ``[C, 1, 3, 3]``, applied to the upsampled LR feature.
        query_bias: ``[C]``.
        key_weight: ``[C, 1, 3, 3]``, applied to the warped keyframe feature.
        key_bias: ``[C]``.
        value_weight: ``[C, 1, 3, 3]``, applied to the warped keyframe feature.
        value_bias: ``[C]``.
        position_bias: ``[window^2]``, added to the similarities of a window's places, row by row, those outside the
            image too (relative position bias, Liu et al. 2021, equation 4). 49 zeros, as published checkpoints have
            it, when it is not given.
    """

    query_weight: NDArray[np.float32]
    query_bias: NDArray[np.float32]
    key_weight: NDArray[np.float32]
    key_bias: NDArray[np.float32]
    value_weight: NDArray[np.float32]
    value_bias: NDArray[np.float32]
    position_bias: NDArray[np.float32] = field(default_factory=lambda: np.zeros(WINDOW**2, np.float32))

    @property
    def window(self) -> int:
        """Side of the attention's window, one of ``WINDOWS``."""
        return isqrt(self.position_bias.size)

    def position_bias_in(self, window: int) -> NDArray[np.float32]:
        """Return the position bias for a window that is as large or larger, ``[window^2]``.

        A kernel for that window then computes what one for this window computes: the places around it weigh nothing.
        """
        margin = (window - self.window) // 2
        square = self.position_bias.reshape(self.window, self.window).astype(np.float32)
        return np.pad(square, margin, constant_values=np.float32(UNSEEN)).reshape(-1)

    def faults(self) -> list[str]:
        """Return what is not as described above, in words."""
        channels = self.query_bias.shape[0] if self.query_bias.ndim == 1 else 0
        side = self.window if self.window in WINDOWS else WINDOW
        wanted: dict[str, tuple[int, ...]] = {"position_bias": (side**2,)}
        for part in ("query", "key", "value"):
            wanted |= {f"{part}_weight": (channels, 1, TAPS, TAPS), f"{part}_bias": (channels,)}
        return [
            f"{name}: {array.dtype}{list(array.shape)} seen, float32{list(shape)} expected"
            for name, shape in wanted.items()
            if (array := getattr(self, name)).shape != shape or array.dtype != np.float32
        ]


@dataclass(frozen=True, slots=True)
class FusionShapes:
    """Static shapes of one fusion.

    Attributes:
        channels: ``C`` of all features, at least 1.
        feature: ``(h, w)`` of the keyframe feature and of the result, each at least 2 (the warp divides by
            ``h - 1`` and ``w - 1``).
        lr_feature: ``(h', w')`` of the LR feature.
        flow: ``(Hg, Wg)``, cells of the flow grid.
        frame_height: ``H`` of the frame in luma pixels; flow is scaled by ``h / H`` on both axes, as published
            checkpoints were trained.
        window: side of the attention's window, one of ``WINDOWS``.

    Raises:
        OptionError: a size is too small, or there is no such window.
    """

    channels: int
    feature: tuple[int, int]
    lr_feature: tuple[int, int]
    flow: tuple[int, int]
    frame_height: int
    window: int = WINDOW

    def __post_init__(self) -> None:
        least = {"channels": 1, "feature": 2, "lr_feature": 1, "flow": 1, "frame_height": 1}
        faults = []
        for name, smallest in least.items():
            value = getattr(self, name)
            if min(np.atleast_1d(value)) < smallest:
                faults.append(f"{name} is {value}, expected at least {smallest}")
        if self.window not in WINDOWS:
            faults.append(f"window is {self.window}, expected one of {', '.join(map(str, WINDOWS))}")
        if faults:
            raise OptionError("cannot fuse features of these shapes: " + "; ".join(faults))

    @classmethod
    def of(cls, manifest: Manifest) -> "FusionShapes":
        """Return the shapes of a bundle that has a ``fuse`` graph."""
        inputs = manifest.graphs[Role.FUSE].inputs
        key, lr, flow = (inputs[name].shape for name in (names.KEY_FEATURE, names.LR_FEATURE, names.FLOW))
        return cls(key[1], (key[2], key[3]), (lr[2], lr[3]), (flow[0], flow[1]), manifest.height, manifest.model.window)

    @property
    def attention_macs(self) -> int:
        """Multiply-accumulates of similarity and weighted sum: ``2 * C * h * w * window^2``."""
        return 2 * self.channels * self.feature[0] * self.feature[1] * self.window**2

    @property
    def depthwise_macs(self) -> int:
        """Multiply-accumulates of the three depthwise 3x3 convolutions: ``27 * C * h * w``."""
        return 3 * TAPS**2 * self.channels * self.feature[0] * self.feature[1]


@dataclass(frozen=True, slots=True)
class DecoderWeights:
    """Weights of the 1x1 convolution that turns a fused or an LR feature into scores, float32.

    Attributes:
        weight: ``[classes, C]``.
        bias: ``[classes]``.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]

    def faults(self) -> list[str]:
        """Return what is not as described above, in words."""
        faults = []
        if self.weight.ndim != 2 or self.weight.dtype != np.float32:
            faults.append(f"weight: {self.weight.dtype}{list(self.weight.shape)} seen, float32[classes, C] expected")
        elif self.bias.shape != self.weight.shape[:1] or self.bias.dtype != np.float32:
            faults.append(f"bias: {self.bias.dtype}{list(self.bias.shape)} seen, float32[{len(self.weight)}] expected")
        return faults


@dataclass(frozen=True, slots=True)
class GoldenFrames:
    """``T`` frames of one GOP; the first is the keyframe.

    Attributes:
        frames: ``[T, H, W, 3] uint8`` RGB.
        flows: ``[T, Hg, Wg, 2] float32``, to the first frame, luma pixels (``MotionField.flow``).
        distances: ``[T] int64``, frames since the keyframe.
        hr_maps: ``[T, H, W] uint8``, each frame through the HR branch.
        ar_maps: ``[T, H, W] uint8``: HR for the keyframe, LR branch and fusion for the others. Of a bundle with the HR
            branch alone ``[0, H, W]``.
        lr_maps: ``[T, H, W] uint8``, each frame through the LR branch alone; ``[0, H, W]`` likewise.
    """

    frames: NDArray[np.uint8]
    flows: NDArray[np.float32]
    distances: NDArray[np.int64]
    hr_maps: NDArray[np.uint8]
    ar_maps: NDArray[np.uint8]
    lr_maps: NDArray[np.uint8]

    def faults(self) -> list[str]:
        """Return what is not as described above, in words."""
        if self.frames.ndim != 4 or self.frames.shape[3] != 3 or self.frames.dtype != np.uint8 or not len(self.frames):
            return [
                f"frames: {self.frames.dtype}{list(self.frames.shape)} seen, uint8[frames, rows, columns, 3] expected"
            ]
        faults = []
        for name in ("hr_maps", "ar_maps", "lr_maps"):
            maps = getattr(self, name)
            count = len(self.frames) if name == "hr_maps" or len(maps) else 0
            if maps.shape != (count, *self.frames.shape[1:3]) or maps.dtype != np.uint8:
                faults.append(
                    f"{name}: {maps.dtype}{list(maps.shape)} seen, uint8{list(self.frames.shape[:3])} expected"
                )
        if self.distances.shape != self.frames.shape[:1] or self.distances.dtype != np.int64:
            faults.append(
                f"distances: {self.distances.dtype}{list(self.distances.shape)} seen, one int64 a frame expected"
            )
        flows = self.flows
        if flows.ndim != 4 or len(flows) != len(self.frames) or flows.shape[3] != 2 or flows.dtype != np.float32:
            faults.append(f"flows: {flows.dtype}{list(flows.shape)} seen, float32[frames, rows, columns, 2] expected")
        return faults


class ArrayRecord(Protocol):
    """A dataclass whose fields are arrays."""

    def faults(self) -> list[str]:
        """Return what is wrong with types and shapes, in words."""


T = TypeVar("T", bound=ArrayRecord)


def bytes_from_arrays(value: Any) -> bytes:
    """Return a dataclass whose fields are arrays as the content of an ``.npz`` file."""
    file = io.BytesIO()
    np.savez_compressed(file, **{field.name: getattr(value, field.name) for field in fields(value)})
    return file.getvalue()


def arrays_from_bytes(kind: type[T], content: bytes, *, where: str) -> T:
    """Read what ``bytes_from_arrays`` wrote of a ``kind``; nothing in it is unpickled.

    Raises:
        BundleError: not such a file, or arrays are missing or of another type or shape.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            needed = [f.name for f in fields(kind) if f.default_factory is MISSING or f.name in arrays]  # type: ignore[arg-type]
            value = kind(**{name: arrays[name] for name in needed})
        if faults := value.faults():
            raise ValueError("; ".join(faults))
        return value
    except Exception as error:  # zip, zlib, numpy and key errors: whatever a damaged file can cause
        raise BundleError(
            f"{where}: not a file of {kind.__name__} ({error or type(error).__name__}); export the bundle again"
        ) from error
