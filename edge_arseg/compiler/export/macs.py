"""Counting a network's multiply-accumulates with torch's flop counter, on shapes alone."""

from collections.abc import Callable

import torch
from torch.utils.flop_counter import FlopCounterMode

from edge_arseg.errors import ExportError
from edge_arseg.network.network import Network, check_sizes
from edge_arseg.spec.model import Cost, Model, lr_size


def cost_from_model(model: Model, *, height: int, width: int, lr_scale: float) -> Cost:
    """Count both branches and the fusion for frames of ``height x width``.

    Convolutions, matrix products and the local attention (similarity and weighting, ``2 C h w window^2``) count;
    resizing, warping, normalisation and activations do not, as in the paper.

    Raises:
        OptionError: the sizes are too small for the network (see ``check_sizes``).
        ExportError: the backbone has shapes that depend on the picture.
    """
    with torch.device("meta"):
        network = Network(model).eval()
        network.hr, network.lr = network.hr.deployed(), network.lr.deployed()
        check_sizes(network, height=height, width=width, lr_scale=lr_scale)
        image = torch.empty(1, 3, height, width)
        lr_image = torch.empty(1, 3, *lr_size(height, width, lr_scale))
        feature = torch.empty(1, network.hr.channels, *network.hr.feature_size(height, width))
        lr_feature = torch.empty(1, network.lr.channels, *network.lr.feature_size(*lr_image.shape[2:]))
    return Cost(
        hr_macs=_macs(lambda: network.hr_head.classifier(network.hr(image))),
        lr_macs=_macs(lambda: network.lr(lr_image)),
        fuse_macs=_macs(lambda: network.lr_head.classifier(network.creff(feature, lr_feature))),
    )


def _macs(call: Callable[[], object]) -> int:
    counter = FlopCounterMode(display=False)
    try:
        with counter, torch.inference_mode():
            call()
    except RuntimeError as error:  # NotImplementedError too
        raise ExportError(
            f"the cost of the backbone cannot be counted from shapes alone ({str(error).splitlines()[0][:200]}). "
            "Use operations whose shapes do not depend on the picture; see docs/backbones.md"
        ) from error
    return counter.get_total_flops() // 2
