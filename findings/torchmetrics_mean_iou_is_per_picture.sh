#!/usr/bin/env bash
# torchmetrics 1.9.0: segmentation.MeanIoU is not the mIoU of Cityscapes, CamVid, VOC and ADE20K, and
# classification.MulticlassJaccardIndex of the same package is. Their order of two models can be the opposite one.
#
# The benchmarks sum intersections and unions over all pictures, and then divide once for each class. MeanIoU divides in each
# picture, over the classes that are in it, and takes the mean of that. Its page says "Mean Intersection over Union (mIoU) for
# semantic segmentation". So a small piece of a class that is missed in one picture counts as much as the class filling another
# picture. A class that is predicted by one pixel where it is not adds an IoU of 0. And MeanIoU has no label to ignore: 255,
# which the benchmarks have in their labels, raises "Class values must be smaller than num_classes".
#
# A way round: MulticlassJaccardIndex(classes, average="none", ignore_index=255), and the mean over the classes that occur; it
# gives 0 for those that do not. The pooled mIoU of edge_arseg's `eval` sums over all frames, as the benchmarks do.
#
# Seen below: two classes in four pictures; one model misses the small pieces, the other one a third of the large piece.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
    torch==2.13.0 torchmetrics==1.9.0 numpy==2.4.6 2>/dev/null
cat > "$folder/seen.py" <<'PY'
import torch
import torchmetrics
from torchmetrics.classification import MulticlassJaccardIndex
from torchmetrics.segmentation import MeanIoU

labels = torch.zeros(4, 10, 10, dtype=torch.int64)
labels[0, :9] = 1
labels[1:, 0, :2] = 1
misses_small, misses_large = labels.clone(), labels.clone()
misses_small[1:] = 0
misses_large[0, :3] = 0


def by_hand(predicted):
    both = [((predicted == one) & (labels == one)).sum() / ((predicted == one) | (labels == one)).sum() for one in (0, 1)]
    return float(sum(both) / 2)


print("torchmetrics", torchmetrics.__version__)
seen = {}
for name, predicted in (("misses small pieces", misses_small), ("misses a part of a large piece", misses_large)):
    jaccard, mean = MulticlassJaccardIndex(2), MeanIoU(num_classes=2, input_format="index")
    for number in range(4):
        for metric in (jaccard, mean):
            metric.update(predicted[number : number + 1], labels[number : number + 1])
    seen[name] = [round(float(value), 3) for value in (by_hand(predicted), jaccard.compute(), mean.compute())]
    print(f"{name}: by hand {seen[name][0]}, JaccardIndex {seen[name][1]}, MeanIoU {seen[name][2]}")
    assert seen[name][0] == seen[name][1], "the measurement itself is off"
small, large = seen.values()
assert small[0] > 0.9 and large[0] < 0.85, "the measurement itself is off"
assert small[2] < 0.65 and large[2] > 0.85, "the behaviour has changed"
ignored = labels.clone()
ignored[:, 9] = 255
try:
    MeanIoU(num_classes=2, input_format="index").update(labels, ignored)
    raise SystemExit("MeanIoU takes labels of 255 now")
except RuntimeError as error:
    print("MeanIoU, labels of 255:", str(error).split(".")[0])
assert float(MulticlassJaccardIndex(2, ignore_index=255)(labels, ignored)) == 1, "the measurement itself is off"
PY
"$folder/venv/bin/python" "$folder/seen.py"
