"""The fusion contract: a keyframe's feature, the flow and an LR feature in, a class map out.

A way of fusing is one file in this folder with one subclass, and one line in ``opening``. All ways give the same class
map; which one is taken is a matter of speed and of what is installed.
"""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import ClassVar, TypeVar

import numpy as np

from edge_arseg.errors import OptionError
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.engines.contract import Buffer, EngineOptions
from edge_arseg.runtime.stages import StageClock

F = TypeVar("F", bound="Fusion")


class Fusion(ABC):
    """Keyframe feature, flow and LR feature to a class map; owns the engines and the memory that it needs.

    Attributes:
        name: ``kernel`` or ``graph``, for labels.
    """

    name: ClassVar[str]

    @classmethod
    def unavailable(cls, bundle: Bundle) -> str | None:
        """Return why this way cannot be taken for a bundle, with what to type; ``None`` where it can.

        For what can be told without touching a device; ``open`` finds out the rest.
        """
        return None

    @classmethod
    @abstractmethod
    def open(cls: type[F], bundle: Bundle, options: EngineOptions) -> F:
        """Open it, and no engine beyond what it needs.

        Args:
            bundle: checked, with a ``fuse`` graph.
            options: backend and threads.

        Raises:
            BuildError, EnvironmentUnfitError: not available here: the next way is taken, unless this one was named.
            BundleError: a graph or weights contradict the manifest.
        """

    def new_key(self) -> None:  # noqa: B027 - a way of fusing may keep nothing of a keyframe
        """Be told that the feature of the next call is another keyframe's, also where it is in the same place.

        What a way of fusing prepares of a keyframe's feature, it may keep until then.
        """

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

    def twin(self: F) -> F:
        """Return another one with buffers of its own, for another stream; large weights are shared.

        Raises:
            OptionError: this way has none.
        """
        raise OptionError(f"fusion by {self.name} serves one stream; open one pipeline for each stream")

    @abstractmethod
    def close(self) -> None:
        """Free what it holds; calling it twice is allowed."""

    def __enter__(self: F) -> F:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
