"""Confusion matrices and the intersection over union that follows from them."""

import numpy as np
from numpy.typing import NDArray

from edge_arseg.errors import OptionError
from edge_arseg.spec.geometry.placement import NO_CLASS


def confusion_from_maps(predicted: NDArray[np.uint8], labels: NDArray[np.uint8], classes: int) -> NDArray[np.int64]:
    """Count the pixels of each labelled class by the class they were given.

    Args:
        predicted: ``[H, W] uint8``, every value below ``classes``, or 255 where the network did not see the picture:
            these pixels do not count either.
        labels: ``[H, W] uint8``. Pixels labelled ``classes`` or more, 255 among them, do not count.
        classes: how many there are.

    Returns:
        ``[classes, classes] int64``: rows are labels, columns are predictions. Matrices of several maps add up.

    Raises:
        OptionError: the shapes differ, or the class map holds a class that does not exist.
    """
    if predicted.shape != labels.shape:
        raise OptionError(f"a class map of {predicted.shape} against labels of {labels.shape}: expected the same shape")
    counted = labels < classes
    worst = int(predicted.max(initial=0))
    if worst == NO_CLASS:
        seen = predicted != NO_CLASS
        counted &= seen
        worst = int(predicted.max(where=seen, initial=0))
    if worst >= classes:
        raise OptionError(f"a class map with class {worst}: expected classes below {classes}")
    pairs = labels[counted].astype(np.intp) * classes + predicted[counted]
    return np.bincount(pairs, minlength=classes * classes).astype(np.int64).reshape(classes, classes)


def iou_from_confusion(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the intersection over union of each class, ``[classes] float64``, 0 to 1.

    ``nan`` where a class is neither labelled nor predicted: there is nothing to be right or wrong about.
    """
    hits = np.diagonal(confusion).astype(np.float64)
    union = confusion.sum(axis=1) + confusion.sum(axis=0) - hits
    return np.divide(hits, union, out=np.full(hits.shape, np.nan), where=union > 0)


def mean_or_nan(values: NDArray[np.float64]) -> float:
    """Return the mean of what is not ``nan``; ``nan`` where nothing is left."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")


def mean_iou(confusion: NDArray[np.int64]) -> float:
    """Return the mean over the classes that occur, 0 to 1; ``nan`` for an empty matrix."""
    return mean_or_nan(iou_from_confusion(confusion))
