"""What is infinitely far: the sky, its clouds, and the skyline at the end of the street."""

from dataclasses import dataclass

import numpy as np

from edge_arseg.street.canvas import noise
from edge_arseg.street.layout import BUILDING, SKY, TREE
from edge_arseg.street.texture import Texture, texture_from_rgba

REACH_U = 1.5
"""The panorama covers dx / dz from minus this to this."""
LOW, HIGH = -0.06, 1.3
"""... and dy / dz from the first to the second."""
HAZE = (204, 212, 220)


@dataclass(frozen=True, slots=True)
class Panorama:
    """The far picture: ``texture`` (opaque; row 0 at ``HIGH``) and its ``labels`` ``[rows, columns] uint8``."""

    texture: Texture
    labels: np.ndarray


def panorama_from_seed(rng: np.random.Generator) -> Panorama:
    """Paint the panorama."""
    rows, columns = 512, 1024
    elevation = np.linspace(HIGH, LOW, rows, dtype=np.float32)[:, None]
    share = np.clip(elevation / HIGH, 0, 1) ** 0.55
    zenith, horizon = np.array([92, 142, 205], np.float32), np.array([214, 224, 232], np.float32)
    picture = horizon + (zenith - horizon) * share[..., None]
    picture = np.broadcast_to(picture, (rows, columns, 3)).copy()
    bumps = noise((rows, columns), (64, 160), rng, 6)
    clouds = np.clip((bumps - 0.15) * 0.9, 0, 1) * np.clip(elevation / 0.25, 0, 1)
    white = 250 - 22 * np.clip(noise((rows, columns), (48, 96), rng, 4), 0, 1.5)
    picture += (white[..., None] - picture) * (0.85 * clouds)[..., None]
    labels = np.full((rows, columns), SKY, np.uint8)
    towers = np.repeat(rng.uniform(0.005, 0.055, 64), 16)
    trees = 0.022 + 0.009 * noise((1, columns), (1, 32), rng, 4)[0]
    towers[rng.permutation(64).repeat(16) % 3 == 0] = 0
    for outline, color, label in ((towers, (176, 182, 192), BUILDING), (trees, (128, 146, 132), TREE)):
        inside = elevation < outline[None, :]
        picture[inside] = np.array(color, np.float32)
        labels[inside] = label
    windows = (np.arange(rows)[:, None] % 5 < 2) & (np.arange(columns)[None, :] % 4 < 2) & (labels == BUILDING)
    picture[windows] -= 14
    rgba = np.concatenate([np.clip(picture, 0, 255), np.ones((rows, columns, 1), np.float32)], -1)
    return Panorama(texture_from_rgba(rgba, levels=(2, 2)), labels)
