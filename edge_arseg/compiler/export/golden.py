"""Golden frames for a bundle: real frames, moved by the device's own motion, classified by the torch network."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from edge_arseg.compiler.export.settings import ExportSettings
from edge_arseg.errors import ExportError, OptionError
from edge_arseg.motion.accumulate import Accumulator
from edge_arseg.network.backbone import Backbone
from edge_arseg.network.network import Network
from edge_arseg.runtime.bundles.gate import QUANTIZED_AGREEMENT
from edge_arseg.spec.weights import GoldenFrames
from edge_arseg.storage.url import label_of
from edge_arseg.video.reader import open_video

DEFAULT_CLIP = "test://street"
FRAMES = 4
"""Golden frames in a bundle, at most: the keyframe, its neighbour, one in the middle of the GOP and its last."""


def golden_from_clip(
    network: Network, settings: ExportSettings, clip: str | Path, *, hr_only: bool = False
) -> GoldenFrames:
    """Run the first GOP of a clip through the torch network.

    Frames and vectors come from the device's reader and accumulator, so that what is compared later is the device flow.

    Args:
        network: in ``eval`` mode.
        settings: of the export.
        clip: any source that ``run`` accepts.
        hr_only: leave out the class maps of the LR branch and the fusion.

    Raises:
        SourceError: the clip cannot be read.
        OptionError: the clip is shorter than two frames, where the GOP is longer.
        ExportError: the backbone's feature has another shape than it promises.
    """
    wanted = golden_distances(settings.gop)
    frames, flows, distances = [], [], []
    with open_video(clip, size=settings.frame_size, fit=settings.fit) as reader:
        motion = Accumulator(settings.height, settings.width, block=settings.flow_block)
        for distance, frame in zip(range(settings.gop), reader, strict=False):
            field = motion.follow(frame)
            if distance == 0:
                motion.reset()
                field = motion.field(frame.source)
            if distance in wanted:
                frames.append(frame.rgb.copy())
                flows.append(field.flow.copy())
                distances.append(distance)
    if len(frames) < min(2, settings.gop):
        raise OptionError(f"{label_of(clip)}: {len(frames)} frame seen, expected at least 2; choose another --clip")
    maps = _class_maps(network, settings, frames, flows, hr_only=hr_only)
    return GoldenFrames(np.stack(frames), np.stack(flows), np.array(distances, np.int64), *maps)


def doubts_of_golden(golden: GoldenFrames, gop: int, classes: Sequence[str]) -> list[str]:
    """Return why it says little that a bundle gives these frames the expected classes.

    Args:
        golden: of the bundle.
        gop: frames from one keyframe to the next.
        classes: names, the first is class 0.
    """
    found = []
    maps = np.concatenate([golden.hr_maps, golden.ar_maps, golden.lr_maps])
    shares = np.array([np.bincount(one.ravel(), minlength=len(classes)) / one.size for one in maps]).min(axis=0)
    most = int(shares.argmax())
    if shares[most] >= QUANTIZED_AGREEMENT:
        found.append(
            f"every golden frame is {classes[most]} on {shares[most]:.1%} of its pixels or more: a bundle that answers "
            "nothing else would pass `verify` and the gate of `quantize`. Type --clip with frames of your own camera"
        )
    if lacking := [distance for distance in golden_distances(gop) if distance not in golden.distances]:
        found.append(
            f"the clip ends before distance {' and '.join(map(str, lacking))} from the keyframe, so frames that far "
            f"are not checked; type a --clip of {gop} frames or more"
        )
    return found


def golden_distances(gop: int) -> list[int]:
    """Distances from the keyframe that golden frames are taken at."""
    return sorted({0, min(1, gop - 1), gop // 2, gop - 1})


def _class_maps(
    network: Network, settings: ExportSettings, frames: list[np.ndarray], flows: list[np.ndarray], *, hr_only: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the HR, AR and LR class maps, each ``[T, H, W] uint8``."""
    hr_maps, ar_maps, lr_maps = [], [], []
    key_feature = None
    with torch.inference_mode():
        for frame, flow in zip(frames, flows, strict=True):
            rgb = torch.from_numpy(frame)
            feature = network.hr(network.image_from_frame(rgb))
            _check_feature(network.hr, feature, settings.frame_size)
            hr_maps.append(_winner(network.hr_head(feature, settings.frame_size, settings.frame_size)))
            if hr_only:
                continue
            lr_feature = network.lr(network.lr_image_from_frame(rgb, settings.lr_scale))
            _check_feature(network.lr, lr_feature, settings.lr_size)
            lr_maps.append(_winner(network.lr_head(lr_feature, settings.lr_size, settings.frame_size)))
            if key_feature is None:
                key_feature = feature
                ar_maps.append(hr_maps[0])
                continue
            fused = network.fuse(key_feature, torch.from_numpy(flow), lr_feature, settings.height)
            ar_maps.append(_winner(network.lr_head(fused, None, settings.frame_size)))
    none = np.zeros((0, *settings.frame_size), np.uint8)
    return np.stack(hr_maps), none if hr_only else np.stack(ar_maps), none if hr_only else np.stack(lr_maps)


def _check_feature(backbone: Backbone, feature: torch.Tensor, size: tuple[int, int]) -> None:
    """Refuse a backbone that breaks its promise: every other graph is written for the sizes that it names."""
    promised = (1, backbone.channels, *backbone.feature_size(*size))
    if tuple(feature.shape) != promised:
        raise ExportError(
            f"the backbone maps an image of {size[0]}x{size[1]} to a feature of {list(feature.shape)}; its channels "
            f"and feature_size promise {list(promised)}. See docs/backbones.md"
        )


def _winner(logits: torch.Tensor) -> np.ndarray:
    return logits.argmax(1)[0].to(torch.uint8).numpy()
