"""How steady class maps are along dense optical flow: TC, as papers on video segmentation report it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_arseg.errors import EnvironmentUnfitError
from edge_arseg.evaluation.confusion import confusion_from_maps, mean_iou
from edge_arseg.installation import install_extra
from edge_arseg.spec.geometry.placement import NO_CLASS

_SLOPE, _SLACK = 0.01, 0.5
"""Terms of the check that flow forward and backward cancel: ``|f + b|^2 <= 0.01 (|f|^2 + |b|^2) + 0.5``."""


class FlowConsistency:
    """Compares each class map with the one before it, moved by dense optical flow.

    A pixel ``p`` of frame ``t`` comes from ``q = p + flow(p)`` of frame ``t - 1``, rounded to whole pixels. It counts
    where ``q`` lies in the picture and the flow from there leads back: what comes from behind something does not
    count. TC is the mean IoU of the moved maps, taken as labels, with the maps themselves, over a whole clip.

    The flow is found from the pictures alone, whatever moved the features, so it does not favour a source of motion
    vectors as ``Consistency`` may. It is DIS flow (Kroeger et al., 2016) of OpenCV; published figures that were taken
    with a network's flow do not compare with ours.

    Args:
        classes: how many there are.

    Raises:
        EnvironmentUnfitError: OpenCV is not installed.
    """

    def __init__(self, classes: int) -> None:
        try:
            import cv2
        except ImportError as error:
            raise EnvironmentUnfitError(
                f"--optical-flow needs OpenCV ({error}); type: {install_extra('flow')}"
            ) from error
        self._cv: Any = cv2
        self._flow: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._classes = classes
        self._confusion = np.zeros((classes, classes), np.int64)
        self.start()

    def start(self) -> None:
        """Forget the last frame, not the counts: the next frame is the first of a run."""
        self._last: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None = None

    def add(self, class_map: NDArray[np.uint8], rgb: NDArray[np.uint8]) -> None:
        """Take the next frame.

        Args:
            class_map: ``[H, W] uint8``; copied.
            rgb: ``[H, W, 3] uint8``, the picture that it was made of.
        """
        grey = self._cv.cvtColor(np.ascontiguousarray(rgb), self._cv.COLOR_RGB2GRAY)
        if self._last is not None:
            older, picture = self._last
            moved = older[self._origins(grey, picture)]
            moved[~self._seen] = NO_CLASS
            self._confusion += confusion_from_maps(class_map, moved, self._classes)
        self._last = class_map.copy(), grey

    @property
    def tc(self) -> float:
        """Mean IoU, 0 to 1; ``nan`` where no pixel was followed."""
        return mean_iou(self._confusion)

    def _origins(self, grey: NDArray[np.uint8], before: NDArray[np.uint8]) -> tuple[np.ndarray, np.ndarray]:
        """Return rows and columns that the pixels come from, clipped to the picture, and note which were seen there."""
        back, forth = self._flow.calc(grey, before, None), self._flow.calc(before, grey, None)
        height, width = grey.shape
        y, x = np.indices((height, width), sparse=True)
        column, row = (np.rint(axis + back[..., i]).astype(np.intp) for i, axis in enumerate((x, y)))
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        np.clip(column, 0, width - 1, out=column)
        np.clip(row, 0, height - 1, out=row)
        ahead = forth[row, column]
        apart = np.square(back + ahead).sum(axis=-1)
        self._seen = inside & (apart <= _SLOPE * (np.square(back) + np.square(ahead)).sum(axis=-1) + _SLACK)
        return row, column
