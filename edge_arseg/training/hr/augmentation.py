"""Random views of labelled stills: geometry, light, and the marks of a video encoder."""

from fractions import Fraction

import av
import numpy as np
import torch
from torch.nn import functional as F

from edge_arseg.errors import EnvironmentUnfitError
from edge_arseg.evaluation.labels.files import IGNORED
from edge_arseg.installation import install_packages
from edge_arseg.training.hr.settings import StillAugmentation


def view_from_still(
    rgb: np.ndarray, label: np.ndarray, augmentation: StillAugmentation, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return a random view.

    Args:
        rgb: ``[H, W, 3] uint8``.
        label: ``[H, W] uint8``, 255 ignored.
        augmentation: how it is varied.
        random: all that is random is drawn from it, in a fixed order.

    Returns:
        ``[*crop, 3] uint8`` and ``[*crop] uint8``; what lies outside the still is black and ignored.
    """
    grid = _grid(rgb.shape[0], rgb.shape[1], augmentation, random)
    image = torch.from_numpy(rgb).permute(2, 0, 1)[None].float()
    image = F.grid_sample(image, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    shifted = torch.from_numpy(label)[None, None].float() - IGNORED  # so that what is outside, 0, means ignored
    outside_ignored = F.grid_sample(shifted, grid, mode="nearest", padding_mode="zeros", align_corners=False) + IGNORED
    image = _lit(image, augmentation.light, random)
    if random.random() < augmentation.blur:
        image = _blurred(image, random.uniform(0.4, 1.2))
    view = image[0].permute(1, 2, 0).round().clamp(0, 255).to(torch.uint8).numpy()
    if random.random() < augmentation.coded:
        view = coded(view, crf=int(random.integers(20, 38)))
    return view, outside_ignored[0, 0].to(torch.uint8).numpy()


def _grid(height: int, width: int, augmentation: StillAugmentation, random: np.random.Generator) -> torch.Tensor:
    """Sampling positions ``[1, *crop, 2]`` for ``grid_sample``."""
    rows, columns = augmentation.crop
    zoom = float(np.exp(random.uniform(np.log(augmentation.zoom[0]), np.log(augmentation.zoom[1]))))
    stretch = float(np.exp(random.uniform(-1, 1) * np.log(augmentation.stretch)))
    angle = float(np.deg2rad(random.uniform(-augmentation.turn, augmentation.turn)))
    flip = -1.0 if random.random() < 0.5 else 1.0
    centre_y = _centre(height, rows / zoom, random)
    centre_x = _centre(width, columns / zoom, random)
    y = (torch.arange(rows) + 0.5 - rows / 2)[:, None] / zoom
    x = (torch.arange(columns) + 0.5 - columns / 2)[None, :] * (flip * stretch / zoom)
    cos, sin = float(np.cos(angle)), float(np.sin(angle))
    at_x = centre_x + cos * x - sin * y
    at_y = centre_y + sin * x + cos * y
    return torch.stack((at_x * (2.0 / width) - 1.0, at_y * (2.0 / height) - 1.0), 2)[None].float()


def _lit(image: torch.Tensor, light: float, random: np.random.Generator) -> torch.Tensor:
    def factor(share: float) -> float:
        return float(1.0 + random.uniform(-share, share))

    mean = image.mean()
    image = (image - mean) * factor(light) + mean * factor(light)
    grey = image.mean(1, keepdim=True)
    image = grey + (image - grey) * factor(light)
    gains = torch.tensor([factor(light / 4) for _ in range(3)]).view(1, 3, 1, 1)
    image = (image * gains).clamp(0, 255)
    gamma = float(np.exp(random.uniform(-light, light)))
    return 255.0 * (image / 255.0) ** gamma


def _centre(length: int, seen: float, random: np.random.Generator) -> float:
    """Centre of a window of ``seen`` pixels along a side: inside the still where it fits, else it holds the still."""
    slack = (length - seen) / 2
    return float(length / 2 + random.uniform(-abs(slack), abs(slack)))


def _blurred(image: torch.Tensor, sigma: float) -> torch.Tensor:
    """Gaussian blur of ``[1, 3, H, W]``."""
    offsets = torch.arange(-3, 4).float()
    weights = torch.exp(-0.5 * (offsets / sigma) ** 2)
    weights = (weights / weights.sum()).repeat(3, 1)
    image = F.conv2d(F.pad(image, (3, 3, 0, 0), mode="reflect"), weights.view(3, 1, 1, 7), groups=3)
    return F.conv2d(F.pad(image, (0, 0, 3, 3), mode="reflect"), weights.view(3, 1, 7, 1), groups=3)


def coded(rgb: np.ndarray, *, crf: int) -> np.ndarray:
    """Encode one picture with x264 and decode it again.

    Args:
        rgb: ``[H, W, 3] uint8``, both sides even.
        crf: x264's constant rate factor, 0 to 51; more is coarser.

    Returns:
        ``[H, W, 3] uint8``.

    Raises:
        EnvironmentUnfitError: this build of FFmpeg has no x264.
    """
    try:
        encoder = av.CodecContext.create("libx264", "w")
    except ValueError as error:  # how PyAV says that it has no such encoder
        raise EnvironmentUnfitError(
            f"FFmpeg has no x264 here; install PyAV from its wheel: {install_packages('av', again=True)}"
        ) from error
    encoder.height, encoder.width = rgb.shape[:2]
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = Fraction(1, 25)
    encoder.thread_count = 1
    encoder.options = {"crf": str(crf), "preset": "veryfast", "tune": "zerolatency"}
    picture = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
    packets = [*encoder.encode(picture), *encoder.encode(None)]
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    frames = [frame for packet in packets for frame in decoder.decode(packet)]
    frames += decoder.decode(None)
    return frames[0].to_ndarray(format="rgb24")
