"""Confusion and IoU in plain loops."""

import math

import numpy as np


def slow_confusion(predicted, labels, classes):
    counts = np.zeros((classes, classes), np.int64)
    for seen, wanted in zip(predicted.reshape(-1), labels.reshape(-1), strict=True):
        if wanted < classes:
            counts[wanted, seen] += 1
    return counts


def slow_iou(counts, c):
    union = sum(counts[c, k] + counts[k, c] for k in range(len(counts))) - counts[c, c]
    return counts[c, c] / union if union else math.nan
