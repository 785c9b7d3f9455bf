"""AR-Seg as one torch module: two branches, CReFF between them, a head for each kind of feature."""

import torch
from torch import Tensor, nn

from edge_arseg.errors import OptionError
from edge_arseg.network.backbones.registry import backbone_from_name
from edge_arseg.network.creff import Creff
from edge_arseg.network.head import Head
from edge_arseg.network.layers import resize
from edge_arseg.network.warp import flow_at_feature, warp
from edge_arseg.spec.frame import Branch
from edge_arseg.spec.model import Model, lr_scale_fault, lr_size

MINIMUM_IMAGE = 8
"""Smallest side of an LR image; below it the deepest stages of the published backbones see nothing but padding."""


class Network(nn.Module):
    """AR-Seg for frames of any size.

    The branches hold separate weights. ``hr_head`` and ``lr_head`` are one head in a trained model (the paper's
    shared decoder); they are kept apart because the HR and the AR file each bring one.

    Attributes:
        model: what it is.
        trained: the branches whose weights come from training, as far as it is known; a file that does not say, and a
            published checkpoint, count as trained throughout. ``LR`` stands for the fusion too.
        lr_scale: size of the LR image over that of the frame that the LR branch was trained with; ``None`` where that
            is not known, or the branch was not trained.
    """

    def __init__(self, model: Model):
        super().__init__()
        self.model = model
        self.trained: tuple[Branch, ...] = (Branch.HR, Branch.LR)
        self.lr_scale: float | None = None
        self.hr = backbone_from_name(model.backbone)
        self.lr = backbone_from_name(model.backbone)
        channels, classes = self.hr.channels, len(model.classes)
        self.creff = Creff(channels, window=model.window)
        self.hr_head = self._head(channels, classes)
        self.lr_head = self._head(channels, classes)

    def _head(self, channels: int, classes: int) -> Head:
        return Head(channels, classes, upscale=self.hr.upscale, log_probabilities=self.hr.log_probabilities)

    def image_from_frame(self, frame: Tensor) -> Tensor:
        """Normalise a frame: ``[H, W, 3] uint8`` RGB to ``[1, 3, H, W] float32``."""
        return self._normalised(_planes(frame))

    def images_from_frames(self, frames: Tensor) -> Tensor:
        """Normalise a batch of frames: ``[N, H, W, 3] uint8`` RGB to ``[N, 3, H, W] float32``."""
        return self._normalised(frames.float().permute(0, 3, 1, 2))

    def lr_image_from_frame(self, frame: Tensor, lr_scale: float) -> Tensor:
        """Resize bilinearly (``align_corners=True``, no antialiasing) to the LR branch's size, and normalise.

        The reference does it the other way round. A resize's weights sum to one, so the result is the same up to the
        rounding of float32, and a quarter of the pixels is normalised.
        """
        planes = _planes(frame)
        size = lr_size(planes.shape[2], planes.shape[3], lr_scale)
        return self._normalised(resize(planes, size, align_corners=True))

    def _normalised(self, planes: Tensor) -> Tensor:
        """``(x / 255 - mean) / std`` of planes ``[N, 3, H, W]``, in two operations."""
        mean = torch.tensor(self.model.normalisation.mean, device=planes.device).view(1, 3, 1, 1)
        std = torch.tensor(self.model.normalisation.std, device=planes.device).view(1, 3, 1, 1)
        return (planes - 255.0 * mean) / (255.0 * std)

    def fuse(self, key_feature: Tensor, flow: Tensor, lr_feature: Tensor, frame_height: int) -> Tensor:
        """Fuse the LR feature with the keyframe's feature, moved by the flow.

        Args:
            key_feature: ``[1, C, h, w]``, HR branch on the keyframe.
            flow: ``[Hg, Wg, 2] float32``, luma pixels, x then y, this frame to the keyframe.
            lr_feature: ``[1, C, h', w']``, LR branch on this frame.
            frame_height: rows of the frame that the flow is measured in.

        Returns:
            ``[1, C, h, w]``.
        """
        size = (key_feature.shape[2], key_feature.shape[3])
        return self.creff(
            warp(key_feature, flow_at_feature(flow, feature_size=size, frame_height=frame_height)), lr_feature
        )

    def head_difference(self) -> float:
        """Return the largest difference between the weights of the two heads; 0 in a trained model."""
        pairs = zip(self.hr_head.parameters(), self.lr_head.parameters(), strict=True)
        return max(float((hr - lr).detach().abs().max()) for hr, lr in pairs)

    def hr_logits(self, frame: Tensor) -> Tensor:
        """Logits ``[1, classes, H, W]`` of a frame through the HR branch."""
        image = self.image_from_frame(frame)
        size = _size(image)
        return self.hr_head(self.hr(image), size, size)

    def lr_logits(self, frame: Tensor, lr_scale: float) -> Tensor:
        """Logits ``[1, classes, H, W]`` of a frame through the LR branch alone."""
        image = self.lr_image_from_frame(frame, lr_scale)
        return self.lr_head(self.lr(image), _size(image), (frame.shape[0], frame.shape[1]))

    def ar_logits(self, keyframe: Tensor, frame: Tensor, flow: Tensor, lr_scale: float) -> Tensor:
        """Logits ``[1, classes, H, W]`` of a frame between keyframes: LR branch, warp, CReFF, shared head."""
        key_feature = self.hr(self.image_from_frame(keyframe))
        lr_feature = self.lr(self.lr_image_from_frame(frame, lr_scale))
        fused = self.fuse(key_feature, flow, lr_feature, frame.shape[0])
        return self.lr_head(fused, None, (frame.shape[0], frame.shape[1]))


def _planes(frame: Tensor) -> Tensor:
    """``[H, W, 3] uint8`` to ``[1, 3, H, W] float32``.

    The cast comes first: TensorRT accepts uint8 only at a graph's border and nothing but a cast behind it.
    """
    return frame.float().permute(2, 0, 1)[None]


def check_sizes(network: Network, *, height: int, width: int, lr_scale: float) -> None:
    """Refuse frame sizes that the network cannot work on.

    Raises:
        OptionError: the LR scale is outside (0, 1], the LR image is smaller than 8x8, or the feature is too small
            for the warp's normalisation, which divides by size - 1.
    """
    if fault := lr_scale_fault(lr_scale):
        raise OptionError(f"{fault}, like --lr-scale 0.5")
    small = lr_size(height, width, lr_scale)
    need = _smallest_side(network, lr_scale)
    advice = f"try --size {max(height, need)}x{max(width, need)}"
    if min(small) < MINIMUM_IMAGE:
        raise OptionError(
            f"size {height}x{width} at LR scale {lr_scale:g} gives the LR branch an image of {small[0]}x{small[1]}, "
            f"expected at least {MINIMUM_IMAGE}x{MINIMUM_IMAGE}; {advice}"
        )
    feature = network.hr.feature_size(height, width)
    if min(feature) < 2:
        raise OptionError(
            f"size {height}x{width} gives a feature of {feature[0]}x{feature[1]}, expected at least 2x2; {advice}"
        )


def _smallest_side(network: Network, lr_scale: float) -> int:
    """Return the smallest side that passes both checks, so that a size that is suggested is not refused again."""
    start = int(MINIMUM_IMAGE / lr_scale)
    for side in range(start, start + 4 * max(MINIMUM_IMAGE, network.hr.stride)):
        if int(side * lr_scale) >= MINIMUM_IMAGE and min(network.hr.feature_size(side, side)) >= 2:
            return side
    return start


def _size(image: Tensor) -> tuple[int, int]:
    return image.shape[2], image.shape[3]
