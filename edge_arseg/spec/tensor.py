"""Names, types and shapes of the tensors that enter and leave a graph."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

DType = Literal["uint8", "int8", "float16", "float32", "int32", "int64"]

FRAME = "frame"
"""Graph input: ``[H, W, 3] uint8`` RGB."""
FLOW = "flow"
"""Graph input: ``MotionField.flow``."""
KEY_FEATURE = "key_feature"
"""Graph input: the ``FEATURE`` that the HR branch made of the keyframe."""
FEATURE = "feature"
"""Graph output of the HR branch: ``[1, C, h, w]``."""
LR_FEATURE = "lr_feature"
"""Output of ``lr``, input of ``fuse``: ``[1, C, h', w']``."""
FUSED_FEATURE = "fused_feature"
"""Output of ``fuse``, input of ``head``: ``[1, C, h, w]``."""
CLASS_MAP = "class_map"
"""Graph output: ``[H, W] uint8`` class indices."""
FEATURES = (FEATURE, LR_FEATURE, FUSED_FEATURE)
"""Outputs that stay where an engine makes them: only other engines and kernels of the same backend read them."""
FEATURES_OF_GRAPHS = (*FEATURES, KEY_FEATURE)
"""All features that enter or leave graphs."""
LOGITS = "logits"
"""Debug output: ``[1, classes, H, W] float32`` scores before the argmax."""


MAX_SIDE = 2**31 - 1
MAX_BYTES = 2**40
"""Bounds of a shape: a larger one was never exported, and sizes computed from it would overflow."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """Type and static shape of one tensor.

    Raises:
        ValueError: a side that is no number from 0 to ``MAX_SIDE``, or more than ``MAX_BYTES`` in all.
    """

    dtype: DType
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        if strange := [side for side in self.shape if not isinstance(side, int) or not 0 <= side <= MAX_SIDE]:
            raise ValueError(f"a side of {strange[0]!r} seen, expected a static shape with sides up to {MAX_SIDE}")
        if math.prod(self.shape) > MAX_BYTES:
            raise ValueError(f"a shape of {'x'.join(map(str, self.shape))} seen, too large for any memory")

    @property
    def nbytes(self) -> int:
        """Size of the tensor in bytes."""
        return int(np.prod(self.shape, dtype=np.int64)) * np.dtype(self.dtype).itemsize

    def __str__(self) -> str:
        return f"{self.dtype}[{', '.join(map(str, self.shape))}]"


def spec_of(array: NDArray[Any]) -> TensorSpec:
    """Return the spec that ``array`` has."""
    return TensorSpec(str(array.dtype), tuple(array.shape))  # type: ignore[arg-type]
