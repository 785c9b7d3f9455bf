"""What the LR branch and the fusion are before the first step: a fusion that is of use already.

From random weights attention finds nothing, and its value path disturbs the LR feature; thousands of steps pass
before fusion pays. Here query and key compare the two features from the start: each channel is centred and scaled by
its spread, so that their product is a correlation over channels, and one factor sets how sharply attention picks. The
value is a share of the keyframe's feature, and the LR branch gives the rest. The classifier is linear, so the fused
feature gives the mean of what the two branches say, weighted by the share.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edge_arseg.errors import OptionError
from edge_arseg.network.backbone import Backbone
from edge_arseg.network.creff import Creff
from edge_arseg.network.layers import resize
from edge_arseg.network.network import Network
from edge_arseg.network.warp import flows_at_feature, warp
from edge_arseg.spec.frame import Branch
from edge_arseg.spec.model import lr_size
from edge_arseg.training.lr.ablation import FUSION_CHOICES
from edge_arseg.training.lr.augmentation import view_from_pair
from edge_arseg.training.lr.fst import PairBatch
from edge_arseg.training.lr.pairs import LrPairs, spread_pairs
from edge_arseg.training.lr.settings import MOST_LOCALITY, MOST_SHARPNESS, FusionStart, LrSettings, LrStart
from edge_arseg.training.lr.views import batch_from_views

MEASURED_PAIRS = 8


def start_network(network: Network, pairs: LrPairs, settings: LrSettings, start: LrStart) -> None:
    """Bring a network to the start of a run, in ``eval`` mode.

    Args:
        network: with a trained HR branch.
        pairs: to measure features on.
        settings: of the run.
        start: see ``LrStart``. The classifier is the HR branch's.

    Raises:
        OptionError: see ``start_fusion`` and ``give_window``; or ``start`` names an LR branch that was never trained.
    """
    if start is not LrStart.HR and Branch.LR not in network.trained:
        raise OptionError(
            f"--start {start.value}: the LR branch of this model was never trained, only its HR branch; type --start hr"
        )
    if settings.window is not None:
        give_window(network, settings.window)
    network.eval()
    if start is LrStart.HR:
        network.lr.load_state_dict(network.hr.state_dict())
    network.lr_head.load_state_dict(network.hr_head.state_dict())
    if start is LrStart.ALL or not FUSION_CHOICES[settings.fusion].uses_keyframe:
        return
    random = np.random.default_rng(settings.seed)
    views = [view_from_pair(pair, settings.augmentation, random) for pair in spread_pairs(pairs.source, MEASURED_PAIRS)]
    device = next(network.parameters()).device
    batches = [batch_from_views(views[i : i + 2]).to(device) for i in range(0, len(views), 2)]
    start_fusion(network, batches, settings.lr_scale, settings.start)


def keep_teacher(network: Network, weights: Mapping[str, Tensor]) -> None:
    """Give a network the HR branch that a run has begun with: its file may hold a better one by now, which would score
    and label by another keyframe's feature than the LR branch was trained on.

    Args:
        network: of the run's model.
        weights: of the run so far; none where it begins. Those that do not fit are told when the run is continued.
    """
    own = network.state_dict()
    kept = {key: value for key, value in weights.items() if key.startswith(("hr.", "hr_head."))}
    if all(key in own and own[key].shape == value.shape for key, value in kept.items()):
        network.load_state_dict(kept, strict=False)


@torch.no_grad()
def give_window(network: Network, window: int) -> None:
    """Give the fusion a window of another size; the places that both have keep their position bias.

    Places that are new are worth as little as the least of the old ones.

    Raises:
        OptionError: there is no such window.
    """
    old = network.creff
    if window == old.window:
        return
    new = Creff(old.query.in_channels, window=window).to(old.position_bias.device)
    bias = old.position_bias.view(1, 1, old.window, old.window)
    margin = (window - old.window) // 2
    kept = F.pad(bias, (margin,) * 4, value=float(bias.min()))
    new.load_state_dict({**old.state_dict(), "position_bias": kept.flatten()})
    network.creff, network.model = new, replace(network.model, window=window)


@torch.no_grad()
def start_fusion(network: Network, batches: Sequence[PairBatch], lr_scale: float, start: FusionStart) -> None:
    """Set CReFF's weights, and scale the LR branch's output by ``1 - share``.

    Args:
        network: with an LR branch that is trained, or has the HR branch's weights. Left in ``eval`` mode.
        batches: a few pairs to measure the features on.
        lr_scale: size of the LR branch's image.
        start: where to start.

    Raises:
        OptionError: share, sharpness or locality is out of range, or the LR branch's output cannot be scaled by its
            last normalisation.
    """
    ranges = ((start.sharpness, MOST_SHARPNESS), (start.locality, MOST_LOCALITY))
    if not 0.0 <= (start.share or 0.0) < 1.0 or not all(0.0 <= value <= most for value, most in ranges):
        raise OptionError(
            f"{start} seen, expected a share from 0 to below 1, a sharpness from 0 to {MOST_SHARPNESS:g}, and a "
            f"locality from 0 to {MOST_LOCALITY:g}"
        )
    network.eval()
    first = network.images_from_frames(batches[0].frames)
    size = lr_size(first.shape[2], first.shape[3], lr_scale)
    share = _share_given(network.lr, start.share, resize(first, size, align_corners=True))
    pairs = [_features(network, batch, lr_scale) for batch in batches]
    compare(network.creff.key, *channel_statistics([warped for warped, _ in pairs]))
    compare(network.creff.query, *channel_statistics([lr for _, lr in pairs]))
    spread = sum(similarity_spread(network.creff, warped, lr) for warped, lr in pairs) / len(pairs)
    factor = (start.sharpness / max(spread, 1e-6)) ** 0.5
    for conv in (network.creff.key, network.creff.query):
        conv.weight.mul_(factor)
        _bias(conv).mul_(factor)
    pass_through(network.creff.value, share)
    prefer_near(network.creff, start.locality)


def channel_statistics(features: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel of ``[N, C, h, w]`` features; a channel that never varies has 1."""
    values = torch.cat([feature.transpose(0, 1).flatten(1) for feature in features], 1)
    spread = values.std(1)
    return values.mean(1), torch.where(spread > 1e-4 * spread.max(), spread, 1.0)


def compare(conv: nn.Conv2d, mean: Tensor, spread: Tensor) -> None:
    """Make a depthwise convolution give ``(x - mean) / spread`` of each channel."""
    pass_through(conv, 1.0)
    conv.weight.div_(spread.view(-1, 1, 1, 1))
    _bias(conv).copy_(-mean / spread)


def pass_through(conv: nn.Conv2d, factor: float) -> None:
    """Make a depthwise convolution give ``factor * x``."""
    conv.weight.zero_()
    conv.weight[:, 0, conv.weight.shape[2] // 2, conv.weight.shape[3] // 2] = factor
    _bias(conv).zero_()


def prefer_near(creff: Creff, locality: float) -> None:
    """Set the position bias to ``-locality`` times the distance from the centre of the window, in pixels."""
    steps = torch.arange(creff.window) - creff.window // 2
    creff.position_bias.copy_(-locality * torch.hypot(steps[:, None].float(), steps[None, :].float()).flatten())


def similarity_spread(creff: Creff, warped: Tensor, lr: Tensor) -> float:
    """Mean over pixels of the standard deviation of similarities within the window, away from the border."""
    query, key, reach = creff.query(lr), creff.key(warped), creff.window // 2
    height, width = query.shape[2:]
    padded = F.pad(key, (reach,) * 4)
    similarity = torch.stack(
        [
            (query * padded[:, :, y : y + height, x : x + width]).sum(1)
            for y in range(creff.window)
            for x in range(creff.window)
        ]
    )
    inner = similarity[:, :, reach : height - reach, reach : width - reach]
    return float((inner if inner.numel() else similarity).std(0).mean())


def _share_given(backbone: Backbone, share: float | None, image: Tensor) -> float:
    """Scale the output of a branch to leave ``share`` to the keyframe, and return the share."""
    if share is not None:
        scale_output(backbone, 1.0 - share, image)
        return share
    try:
        scale_output(backbone, 0.5, image)
    except OptionError:
        return 0.0
    return 0.5


@torch.no_grad()
def scale_output(backbone: Backbone, factor: float, image: Tensor) -> None:
    """Scale a backbone's output by scaling its last normalisation; what follows that must be linear or a (leaky) ReLU.

    Raises:
        OptionError: that does not scale the output of ``image [N, 3, h, w]`` by ``factor``; nothing is changed then.
    """
    ran: list[nn.BatchNorm2d] = []
    hooks = [
        module.register_forward_hook(lambda module, *_: ran.append(module))
        for module in backbone.modules()
        if isinstance(module, nn.BatchNorm2d)
    ]
    before = backbone(image)
    for hook in hooks:
        hook.remove()
    if factor == 1.0:
        return
    if ran and ran[-1].affine:
        last = (ran[-1].weight.clone(), ran[-1].bias.clone())
        ran[-1].weight.mul_(factor)
        ran[-1].bias.mul_(factor)
    error = float((backbone(image) - factor * before).abs().max() / before.abs().max().clamp(min=1e-12))
    if not error < 1e-4:
        if ran and ran[-1].affine:
            ran[-1].weight.copy_(last[0])
            ran[-1].bias.copy_(last[1])
        raise OptionError(
            f"{type(backbone).__name__}: its output cannot be scaled by its last batch normalisation (off by "
            f"{error:.2g}); start with the whole LR feature: --share 0"
        )


def _features(network: Network, batch: PairBatch, lr_scale: float) -> tuple[Tensor, Tensor]:
    """Warped keyframe features and enlarged LR features, ``[N, C, h, w]`` each."""
    key_feature = network.hr(network.images_from_frames(batch.keyframes))
    frames = network.images_from_frames(batch.frames)
    height, width = frames.shape[2:]
    size = (key_feature.shape[2], key_feature.shape[3])
    lr = network.lr(resize(frames, lr_size(height, width, lr_scale), align_corners=True))
    flows = flows_at_feature(batch.flows, feature_size=size, frame_height=height)
    return warp(key_feature, flows), resize(lr, size, align_corners=True)


def _bias(conv: nn.Conv2d) -> Tensor:
    assert conv.bias is not None
    return conv.bias
