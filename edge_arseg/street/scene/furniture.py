"""Pictures of what stands on the sidewalk: trees, lamp posts, signs, railings; and the soft shadows on the ground."""

from functools import lru_cache
from typing import Final

import numpy as np

from edge_arseg.street.canvas import Canvas, noise
from edge_arseg.street.texture import Texture, texture_from_rgba

TREE_SIZE: Final = (5.2, 7.2)
LAMP_SIZE: Final = (2.4, 6.6)
PLATE_SIZE: Final = (0.8, 0.8)
RAILING_SIZE: Final = (8.0, 1.1)
TREES: Final = 5
PLATES: Final = 6


@lru_cache(maxsize=TREES)
def tree(look: int) -> Texture:
    """Return a tree, ``TREE_SIZE`` metres, standing at the middle of the lower edge."""
    rng = np.random.default_rng([77, look])
    half = TREE_SIZE[0] / 2
    canvas = Canvas((-half, half), (0.0, TREE_SIZE[1]), 44)
    bark = (92, 76, 62)
    canvas.polygon([(-0.17, 0.03), (-0.11, 3.6), (0.11, 3.6), (0.17, 0.03)], bark)
    canvas.polygon([(0.02, 0.03), (0.02, 3.6), (0.11, 3.6), (0.17, 0.03)], (64, 52, 44))
    for _ in range(5):
        canvas.line([(0, 2.4), (float(rng.uniform(-1.3, 1.3)), float(rng.uniform(3.6, 4.8)))], 0.06, bark)
    tint = ((96, 132, 54), (112, 136, 62), (82, 120, 62), (128, 138, 58), (90, 126, 70))[look]
    centre, spread = 4.7, (1.75, 1.75)
    lobes = rng.uniform(0, 2 * np.pi, 2)
    count = 300
    for index in range(count):  # from the shaded inside to the lit outside
        share = index / count
        angle, radius = rng.uniform(0, 2 * np.pi), np.sqrt(rng.uniform(0, 1))
        radius *= 0.92 + 0.13 * np.sin(3 * angle + lobes[0]) + 0.09 * np.sin(5 * angle + lobes[1])
        x, y = spread[0] * radius * np.cos(angle), spread[1] * radius * np.sin(angle)
        size = float(rng.uniform(0.16, 0.42)) * (1.25 - 0.6 * share)
        lit = 0.42 + 0.62 * share + 0.16 * y / spread[1] + 0.10 * x / spread[0] + float(rng.normal(0, 0.06))
        color = tuple(min(255.0, max(0.0, channel * lit)) for channel in tint)
        canvas.ellipse(float(x), centre + float(y), size, size * 0.85, color, 0.92)
    leaves = noise(canvas.rgba.shape[:2], (6, 6), rng, 2)
    rows = np.arange(canvas.rgba.shape[0])[:, None] / 44
    crown = rows < TREE_SIZE[1] - 2.9
    canvas.shade(np.where(crown, 1 + 0.13 * leaves, 1 + 0.05 * leaves))
    holes = np.clip(1.6 + noise(canvas.rgba.shape[:2], (14, 14), rng, 3) * 0.95, 0, 1)
    canvas.clear(np.where(crown, holes, 1.0).astype(np.float32))
    return texture_from_rgba(canvas.rgba, edge=True)


@lru_cache(maxsize=2)
def lamp(arm_right: bool) -> Texture:
    """Return a lamp post, ``LAMP_SIZE``, standing at the middle of the lower edge, its arm to one side."""
    half = LAMP_SIZE[0] / 2
    canvas = Canvas((-half, half), (0.0, LAMP_SIZE[1]), 40)
    steel, shade = (132, 136, 138), (92, 96, 98)
    side = 1 if arm_right else -1
    canvas.polygon([(-0.13, 0.03), (-0.11, 1.0), (0.11, 1.0), (0.13, 0.03)], shade)
    canvas.polygon([(-0.09, 0.9), (-0.065, 6.0), (0.065, 6.0), (0.09, 0.9)], steel)
    canvas.polygon([(0.02, 0.9), (0.01, 6.0), (0.065, 6.0), (0.09, 0.9)], shade)
    canvas.line([(0, 5.95), (side * 0.25, 6.25), (side * 0.95, 6.36)], 0.05, steel)
    canvas.polygon(
        [(side * 0.8 - 0.22, 6.26), (side * 0.8 - 0.2, 6.42), (side * 0.8 + 0.2, 6.42), (side * 0.8 + 0.22, 6.26)],
        shade,
    )
    canvas.rect(side * 0.8 - 0.18, side * 0.8 + 0.18, 6.24, 6.3, (240, 236, 214))
    return texture_from_rgba(canvas.rgba, edge=True)


@lru_cache(maxsize=1)
def post() -> Texture:
    """Return the thin post of a sign, 0.3 by 2.6 metres."""
    canvas = Canvas((-0.15, 0.15), (0.0, 2.6), 64)
    canvas.rect(-0.05, 0.05, 0.03, 2.55, (140, 142, 142))
    canvas.rect(0.01, 0.05, 0.03, 2.55, (96, 98, 100))
    return texture_from_rgba(canvas.rgba, edge=True)


@lru_cache(maxsize=PLATES)
def plate(look: int) -> Texture:
    """Return the plate of a sign, ``PLATE_SIZE``."""
    canvas = Canvas((-0.4, 0.4), (-0.4, 0.4), 80)
    white, red, blue = (244, 244, 240), (204, 30, 38), (24, 82, 168)
    if look == 0:
        canvas.ellipse(0, 0, 0.37, 0.37, red)
        canvas.rect(-0.26, 0.26, -0.07, 0.07, white)
    elif look == 1:
        canvas.ellipse(0, 0, 0.37, 0.37, red)
        canvas.ellipse(0, 0, 0.29, 0.29, white)
        canvas.line(
            [(-0.11, 0.12), (0.02, 0.12), (-0.06, 0.0), (0.02, -0.06), (-0.04, -0.14), (-0.13, -0.12)],
            0.03,
            (20, 20, 20),
        )
        canvas.ellipse(0.12, 0, 0.085, 0.14, (20, 20, 20))
        canvas.ellipse(0.12, 0, 0.035, 0.09, white)
    elif look == 2:
        canvas.polygon([(-0.37, -0.32), (0, 0.36), (0.37, -0.32)], red)
        canvas.polygon([(-0.26, -0.25), (0, 0.22), (0.26, -0.25)], white)
        canvas.line([(0, 0.1), (0, -0.07)], 0.035, (20, 20, 20))
        canvas.ellipse(0, -0.17, 0.04, 0.04, (20, 20, 20))
    elif look == 3:
        canvas.rect(-0.36, 0.36, -0.36, 0.36, blue)
        canvas.polygon([(-0.25, -0.22), (0, 0.27), (0.25, -0.22)], white)
        canvas.line([(-0.07, -0.18), (0, 0.0), (0.07, -0.18)], 0.03, (20, 20, 20))
        canvas.ellipse(0, 0.07, 0.04, 0.04, (20, 20, 20))
    elif look == 4:
        canvas.rect(-0.3, 0.3, -0.37, 0.37, blue)
        canvas.line([(-0.1, -0.22), (-0.1, 0.22), (0.08, 0.22), (0.12, 0.12), (0.06, 0.02), (-0.1, 0.02)], 0.045, white)
    else:
        canvas.polygon([(-0.37, 0), (0, 0.37), (0.37, 0), (0, -0.37)], white)
        canvas.polygon([(-0.29, 0), (0, 0.29), (0.29, 0), (0, -0.29)], (244, 196, 40))
    return texture_from_rgba(canvas.rgba, edge=True)


@lru_cache(maxsize=1)
def railing() -> Texture:
    """Return a railing of bars, ``RAILING_SIZE``."""
    canvas = Canvas((0.0, RAILING_SIZE[0]), (0.0, RAILING_SIZE[1]), 40)
    steel = (74, 88, 84)
    for x in np.arange(0.1, 7.95, 0.16).tolist():
        canvas.rect(x, x + 0.05, 0.15, 1.0, steel)
    for x in (0.05, 2.0, 4.0, 6.0, 7.85):
        canvas.rect(x, x + 0.1, 0.03, 1.06, (58, 70, 66))
    canvas.rect(0.03, 7.97, 0.97, 1.04, (92, 108, 102))
    canvas.rect(0.03, 7.97, 0.12, 0.18, steel)
    return texture_from_rgba(canvas.rgba, edge=True)


@lru_cache(maxsize=1)
def railing_outline() -> Texture:
    """Return what the label of a railing covers: all of it, as people label fences, bars and what is between."""
    canvas = Canvas((0.0, RAILING_SIZE[0]), (0.0, RAILING_SIZE[1]), 20)
    canvas.rect(0.05, 7.95, 0.0, 1.05, (0, 0, 0))
    return texture_from_rgba(canvas.rgba, edge=True)


@lru_cache(maxsize=2)
def shadow(square: bool) -> Texture:
    """Return a soft dark patch for the ground: under a car (``square``) or a tree."""
    rows, columns = 64, 48
    y = (np.arange(rows, dtype=np.float32)[:, None] + 0.5) / rows * 2 - 1
    x = (np.arange(columns, dtype=np.float32)[None, :] + 0.5) / columns * 2 - 1
    distance = np.maximum(abs(x), abs(y)) if square else np.hypot(x, y)
    alpha = np.clip((1 - distance) / (0.3 if square else 0.5), 0, 1) * (0.62 if square else 0.4)
    if not square:
        alpha = alpha * np.clip(0.9 + 0.35 * noise((rows, columns), (8, 8), np.random.default_rng(5), 2), 0, 1)
    rgba = np.zeros((rows, columns, 4), np.float32)
    rgba[..., :3] = np.array([14, 16, 22], np.float32) * alpha[..., None]
    rgba[..., 3] = alpha
    return texture_from_rgba(rgba, edge=True)
