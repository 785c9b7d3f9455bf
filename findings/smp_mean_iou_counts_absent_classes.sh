#!/usr/bin/env bash
# segmentation_models_pytorch 0.6.0: smp.metrics.iou_score with reduction="macro" gives every class that is in no picture, neither
# in the labels nor in the prediction, an IoU of 1. A mean IoU of 0.60 is told as 0.78 where 5 of 11 classes do not occur.
#
# The benchmarks leave such classes out of the mean. Here their 0/0 is replaced by zero_division=1.0, which is right for one
# binary mask that should be empty and is. In a short clip, a validation batch or a data set with few of the classes it names,
# a large part of the mean is ones, and the worse the network, the more it gains: one that gives every pixel the same
# class has 0.47 where it should have 0.03. "macro-imagewise" does so in every picture. "micro" is no mean over classes: it is
# dominated by road and sky.
#
# get_stats leaves the labels out that are to be ignored, rightly.
# A way round: zero_division=float("nan") and reduction="none", summed over all pictures first, and then the mean of what is not
# nan. The pooled mIoU of edge_arseg's `eval` sums over all frames and leaves absent classes out, as the benchmarks do.
#
# Seen below: two pictures with 6 of 11 classes. One network is wrong in a share of the pixels, the other one gives class 0
# everywhere. The file of the metrics is loaded alone, which needs no torchvision.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check torch==2.13.0 numpy==2.4.6 2>/dev/null
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check --no-deps segmentation-models-pytorch==0.6.0 2>/dev/null
cat > "$folder/seen.py" <<'PY'
import importlib.util
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

package = importlib.util.find_spec("segmentation_models_pytorch")
path = Path(package.submodule_search_locations[0], "metrics", "functional.py")
module = importlib.util.spec_from_file_location("functional", path)
metrics = importlib.util.module_from_spec(module)
module.loader.exec_module(metrics)

CLASSES, USED = 11, 6
random = np.random.default_rng(0)
labels = random.integers(0, USED, (2, 64, 64))


wrong = random.random(labels.shape) < 0.3
noisy = np.where(wrong, random.integers(0, USED, labels.shape), labels)


def by_hand(predicted):
    counts = np.bincount((labels * CLASSES + predicted).ravel(), minlength=CLASSES**2).reshape(CLASSES, CLASSES)
    common, together = np.diag(counts), counts.sum(0) + counts.sum(1) - np.diag(counts)
    return float((common[together > 0] / together[together > 0]).mean())


def by_smp(predicted, reduction):
    stats = metrics.get_stats(
        torch.from_numpy(predicted), torch.from_numpy(labels), mode="multiclass", num_classes=CLASSES, ignore_index=255
    )
    return float(metrics.iou_score(*stats, reduction=reduction))


print("segmentation_models_pytorch", version("segmentation_models_pytorch"))
absent = (CLASSES - USED) / CLASSES
for name, predicted in (("30 % of the pixels wrong", noisy), ("class 0 everywhere", np.zeros_like(labels))):
    right = by_hand(predicted)
    macro, by_picture, micro = (by_smp(predicted, how) for how in ("macro", "macro-imagewise", "micro"))
    print(f"{name}: by hand {right:.2f}; macro {macro:.2f}, macro-imagewise {by_picture:.2f}, micro {micro:.2f}")
    assert right < 0.62, "the measurement itself is off"
    assert abs(macro - (right * (1 - absent) + absent)) < 0.001, "the behaviour has changed"
    assert by_picture > right + 0.15, "the behaviour has changed"
PY
"$folder/venv/bin/python" "$folder/seen.py"
