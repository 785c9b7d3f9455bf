"""Room for a result that is used while the next ones are made."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.spec.geometry.enlargement import Enlarger


class ResultCopy:
    """Copies what the next frame would overwrite; its arrays are used again.

    Attributes:
        result: the last one that was copied, until the next.
    """

    result: SegmentedFrame

    def __init__(self) -> None:
        self._arrays: dict[str, NDArray[Any]] = {}
        self._enlarger = Enlarger()

    def take(self, result: SegmentedFrame, source_map: NDArray[np.uint8] | None = None) -> None:
        """Copy a result.

        Args:
            result: that is copied. Its class map is enlarged when the copy is asked for it.
            source_map: what the copy's ``at_source`` returns instead, copied too, ``[H0, W0] uint8``.
        """
        frame, motion = result.frame, result.motion
        class_map = self._copied("class_map", result.class_map)
        if source_map is None:
            at_source = self._enlarger.later(class_map, frame.placement)
        else:
            given = self._copied("source_map", source_map)

            def at_source() -> NDArray[np.uint8]:
                return given

        picture = frame.picture
        self.result = replace(
            result,
            frame=replace(
                frame,
                # The picture is drawn on; without one the frame is.
                rgb=self._copied("rgb", frame.rgb) if picture is None else frame.rgb,
                picture=None if picture is None else self._copied("picture", picture),
                vectors=None,
                missed=(),
            ),
            class_map=class_map,
            motion=None if motion is None else replace(motion, flow=self._copied("flow", motion.flow)),
            source_map=at_source,
        )

    def _copied(self, name: str, array: NDArray[Any]) -> NDArray[Any]:
        room = self._arrays.get(name)
        if room is None or room.shape != array.shape or room.dtype != array.dtype:
            room = self._arrays[name] = np.empty(array.shape, array.dtype)
        np.copyto(room, array)
        return room
