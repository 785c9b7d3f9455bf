"""state_dicts as the published files hold them, made from our own network without any file.

The names come from our renaming tables, the training-only heads from the table below; that the result is the published
layout is asserted by ``tests/network/checkpoint/test_layouts.py`` with the digests of the authors' own models.
"""

import torch

from edge_arseg.network.checkpoint.published import BISE18, CREFF_RENAMES, LAYOUTS, PREFIX, published_key
from edge_arseg.network.network import Network
from edge_arseg.network.variants import VARIANTS
from edge_arseg.testing.networks import lived_in


def _conv(name, *shape, bias=False):
    return {f"{name}.weight": shape} | ({f"{name}.bias": shape[:1]} if bias else {})


def _norm(name, channels):
    shapes = dict.fromkeys(("weight", "bias", "running_mean", "running_var"), (channels,))
    return {f"{name}.{key}": shape for key, shape in shapes.items()} | {f"{name}.num_batches_tracked": ()}


def _training_only(variant, role, classes):
    """Names and shapes of the heads that only training uses."""
    if variant == "camvid-psp18":
        return _conv("classifier.0", 256, 256, bias=True) | _conv("classifier.2", classes, 256, bias=True)
    if variant == "cityscapes-psp18":
        return _conv("aux.0", 256, 256, 3, 3) | _norm("aux.1", 256) | _conv("aux.4", classes, 256, 1, 1, bias=True)
    return {
        key: shape
        for head in ("conv_out16", "conv_out32")
        for part in (
            _conv(f"{head}.conv.conv", 64, 128, 3, 3),
            _norm(f"{head}.conv.bn", 64),
            _conv(f"{head}.conv_out", classes, 64, 1, 1, bias=True),
        )
        for key, shape in part.items()
    }


def published_states(variant, *, seed=0):
    """``(HR state, AR state)`` of a variant, both complete, and the network whose weights they hold."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = lived_in(Network(VARIANTS[variant]))
    network.lr_head.load_state_dict(network.hr_head.state_dict())
    return _state(network, "hr"), _state(network, "ar"), network


def _state(network, role):
    variant, classes = network.model.name, len(network.model.classes)
    layout = next(layout for layout in LAYOUTS if layout.backbone == network.model.backbone)
    ours = network.state_dict()
    branch, head = ("hr.", "hr_head.classifier.") if role == "hr" else ("lr.", "lr_head.classifier.")
    state = {published_key(key[len(branch) :], layout.renames): ours[key] for key in ours if key.startswith(branch)}
    state |= {layout.head + key[len(head) :]: ours[key] for key in ours if key.startswith(head)}
    if role == "ar":
        creff = {key: value for key, value in network.creff.state_dict().items() if key != "position_bias"}
        state |= {published_key(key, CREFF_RENAMES): value for key, value in creff.items()}
    if role == "ar" or layout is BISE18:  # the plain PSPNet of Cityscapes has no second name for its head
        for second, first in layout.aliases:
            state |= {second + key[len(first) :]: state[key] for key in list(state) if key.startswith(first)}
    for key, shape in _training_only(variant, role, classes).items():
        whole = key.endswith("num_batches_tracked")
        state[key] = torch.zeros(shape, dtype=torch.int64 if whole else torch.float32)
    return {PREFIX + key: value for key, value in state.items()}
