"""Random views of a pair: a keyframe, a later frame, and the motion between them, changed alike."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from edge_arseg.evaluation.labels.files import IGNORED
from edge_arseg.training.lr.settings import PairAugmentation
from edge_arseg.training.pairs.pair import BLOCK, Pair


@dataclass(frozen=True, slots=True)
class PairView:
    """A pair as the network is trained on it.

    Attributes:
        keyframe: ``[H, W, 3] uint8``, RGB; ``frame`` likewise.
        flow: ``[ceil(H / 4), ceil(W / 4), 2] float32``, pixels of the view, x then y, frame to keyframe.
        label: of the frame, ``[H, W] uint8``, 255 ignored.
    """

    keyframe: np.ndarray
    frame: np.ndarray
    flow: np.ndarray
    label: np.ndarray


@dataclass(frozen=True, slots=True)
class ViewGeometry:
    """Where a view looks: pixel ``p`` of the view shows ``centre + mirror * (p + 0.5 - size / 2) / zoom`` of the frame.

    Attributes:
        size: rows and columns of the view.
        centre: of the window, rows then columns of the frame, pixel edges at integers.
        zoom: above 1, the view shows less than the frame, larger.
        mirrored: left and right change places.
    """

    size: tuple[int, int]
    centre: tuple[float, float]
    zoom: float = 1.0
    mirrored: bool = False

    def positions(self, cell: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns of the frame, pixel edges at integers, that the centres of the view's cells show."""
        mirror = -1.0 if self.mirrored else 1.0
        rows, columns = (np.arange(-(-side // cell), dtype=np.float64) for side in self.size)
        y = self.centre[0] + ((rows + 0.5) * cell - self.size[0] / 2) / self.zoom
        x = self.centre[1] + mirror * ((columns + 0.5) * cell - self.size[1] / 2) / self.zoom
        return y, x

    def image(self, picture: np.ndarray) -> Tensor:
        """Resample ``[H, W, 3] uint8`` bilinearly to ``[3, *size] float32``; black outside."""
        y, x = self.positions(1)
        y, x = y * (2.0 / picture.shape[0]) - 1.0, x * (2.0 / picture.shape[1]) - 1.0
        grid = torch.from_numpy(np.stack(np.broadcast_arrays(x[None, :], y[:, None]), 2))
        values = torch.from_numpy(picture).permute(2, 0, 1)[None].float()
        return F.grid_sample(values, grid[None].float(), mode="bilinear", padding_mode="zeros", align_corners=False)[0]

    def label(self, label: np.ndarray) -> np.ndarray:
        """Take the nearest of ``[H, W] uint8`` to ``[*size] uint8``; ignored outside."""
        values, inside = self._nearest(label, 1)
        return np.where(inside, values, np.uint8(IGNORED))

    def flow(self, flow: np.ndarray) -> np.ndarray:
        """Take the nearest cell's vector, in pixels of the view; 0 outside. ``[Hg, Wg, 2] float32``."""
        values, inside = self._nearest(flow, BLOCK)
        factor = np.array([-self.zoom if self.mirrored else self.zoom, self.zoom], np.float32)
        return np.where(inside[..., None], values * factor, np.float32(0.0))

    def _nearest(self, field: np.ndarray, cell: int) -> tuple[np.ndarray, np.ndarray]:
        """Cells of ``field`` that the view's cells show, and ``[rows, columns] bool``, which of them lie inside."""
        y, x = (np.floor(axis / cell).astype(np.int64) for axis in self.positions(cell))
        inside = ((y >= 0) & (y < field.shape[0]))[:, None] & ((x >= 0) & (x < field.shape[1]))[None, :]
        return field[y.clip(0, field.shape[0] - 1)[:, None], x.clip(0, field.shape[1] - 1)[None, :]], inside


def view_from_pair(pair: Pair, augmentation: PairAugmentation, random: np.random.Generator) -> PairView:
    """Return a random view of ``pair``; all that is random is drawn from ``random``, in a fixed order."""
    geometry = drawn_geometry(pair.frame.shape[0], pair.frame.shape[1], augmentation, random)
    common = random.uniform(-augmentation.light, augmentation.light, 6)
    lights = [np.exp(common + random.uniform(-augmentation.drift, augmentation.drift, 6)) for _ in range(2)]
    return PairView(
        rounded(lit(geometry.image(pair.keyframe), lights[0])),
        rounded(lit(geometry.image(pair.frame), lights[1])),
        geometry.flow(pair.flow),
        geometry.label(pair.label),
    )


def drawn_geometry(
    height: int, width: int, augmentation: PairAugmentation, random: np.random.Generator
) -> ViewGeometry:
    """Draw where a view of ``height x width`` frames looks."""
    size = augmentation.size or (height, width)
    mirrored = bool(random.random() < augmentation.mirrored)
    if random.random() < augmentation.unchanged and size == (height, width):
        return ViewGeometry(size, (height / 2, width / 2), 1.0, mirrored)
    zoom = math.exp(random.uniform(math.log(augmentation.zoom[0]), math.log(augmentation.zoom[1])))
    centre = tuple(
        frame / 2 + random.uniform(-1, 1) * abs(frame - side / zoom) / 2
        for frame, side in zip((height, width), size, strict=True)
    )
    return ViewGeometry(size, (centre[0], centre[1]), zoom, mirrored)


def lit(image: Tensor, factors: np.ndarray) -> Tensor:
    """Change the light of ``[3, H, W]`` RGB 0 to 255.

    Args:
        image: what to change.
        factors: ``[6]``, all 1 for no change: brightness, contrast, saturation, and red, green and blue, the last
            three to the power of a quarter.
    """
    brightness, contrast, saturation = (float(factor) for factor in factors[:3])
    gains = torch.tensor(factors[3:] ** 0.25, dtype=torch.float32).view(3, 1, 1)
    mean = image.mean()
    image = (image - mean) * contrast + mean * brightness
    grey = image.mean(0, keepdim=True)
    return ((grey + (image - grey) * saturation) * gains).clamp(0, 255)


def rounded(image: Tensor) -> np.ndarray:
    """``[3, H, W]`` 0 to 255 as ``[H, W, 3] uint8``."""
    return image.round().permute(1, 2, 0).to(torch.uint8).numpy()
