"""mIoU on the part of the training data that is held back."""

from collections.abc import Sequence

import numpy as np
import torch

from edge_arseg.evaluation.confusion import confusion_from_maps, mean_iou
from edge_arseg.network.network import Network
from edge_arseg.training.hr.stills import Still


@torch.inference_mode()
def hr_miou(network: Network, stills: Sequence[Still], device: torch.device) -> float:
    """Score the HR branch, in ``eval`` mode, on whole stills; mIoU in per cent, pooled over all of them."""
    classes = len(network.model.classes)
    total = np.zeros((classes, classes), np.int64)
    for still in stills:
        logits = network.hr_logits(torch.from_numpy(still.rgb).to(device))
        class_map = logits[0].argmax(0).to(torch.uint8).cpu().numpy()
        total += confusion_from_maps(class_map, still.label, classes)
    return 100.0 * mean_iou(total)
