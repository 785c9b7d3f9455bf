"""The ground: carriageway with its markings, kerbs, paved sidewalks, and the shadow of the houses on it."""

from dataclasses import dataclass

import numpy as np

from edge_arseg.street.canvas import Canvas, noise
from edge_arseg.street.layout import FACADE, KERB, LANE, PERIOD, ROAD, SIDEWALK, TEXELS_PER_METRE
from edge_arseg.street.scene.facade import House
from edge_arseg.street.texture import Texture, texture_from_rgba

HALF_WIDTH = 10.0
COLUMNS_PER_METRE = 32


@dataclass(frozen=True, slots=True)
class Ground:
    """The ground.

    Attributes:
        texture: u to the right from ``-HALF_WIDTH``, v *along* the street (row 0 at z = 0).
        labels: ``[rows, columns] uint8``, the class of every texel of the unreduced picture.
    """

    texture: Texture
    labels: np.ndarray


def ground_from_houses(shading: tuple[House, ...], rng: np.random.Generator) -> Ground:
    """Paint the ground; the houses on the right, ``shading``, stand between it and the sun."""
    canvas = Canvas((-HALF_WIDTH, HALF_WIDTH), (0.0, PERIOD), (COLUMNS_PER_METRE, TEXELS_PER_METRE))
    shape = canvas.rgba.shape[:2]
    canvas.rect(-HALF_WIDTH, HALF_WIDTH, 0, PERIOD, (104, 103, 106))
    _paint_asphalt(canvas, rng)
    _paint_markings(canvas)
    for side in (-1, 1):
        _paint_sidewalk(canvas, side, rng)
    grain = noise(shape, (1, 2), rng) * 0.05 + noise(shape, (24, 40), rng, 4) * 0.035
    shadow = _shadow(shading, shape)
    canvas.shade((1 + grain) * (1 - 0.42 * shadow))
    canvas.rgba[..., 2] = np.minimum(255, canvas.rgba[..., 2] * (1 + 0.10 * shadow))  # the sky lights the shade
    labels = np.full(shape, SIDEWALK, np.uint8)
    labels[:, canvas.span(-KERB, KERB, 0, 1)[1]] = ROAD
    # Drawn with y up, stored with row 0 at z = 0.
    texture = texture_from_rgba(canvas.rgba[::-1], wrap_v=True, levels=(8, 6))
    return Ground(texture, labels[::-1])


def _paint_asphalt(canvas: Canvas, rng: np.random.Generator) -> None:
    for _ in range(26):  # mended places
        x, z = float(rng.uniform(-4.6, 4.0)), float(rng.uniform(0, PERIOD - 6))
        tone = float(rng.uniform(76, 122))
        canvas.rect(x, x + float(rng.uniform(0.6, 2.0)), z, z + float(rng.uniform(1, 6)), (tone, tone, tone + 3), 0.7)
    for lane in (-LANE / 2, LANE / 2):  # wheel tracks
        for track in (-0.75, 0.75):
            canvas.rect(lane + track - 0.25, lane + track + 0.25, 0, PERIOD, (86, 85, 88), 0.35)
    for _ in range(40):  # cracks
        x, z = float(rng.uniform(-5, 5)), float(rng.uniform(2, PERIOD - 8))
        steps = rng.normal(0, 0.35, (7, 2)).cumsum(0) + np.array([0, 0.7]) * np.arange(7)[:, None]
        canvas.line([(x + dx, z + dz) for dx, dz in steps.tolist()], 0.025, (62, 61, 64), 0.7)
    for _ in range(9):  # manholes and gullies
        x, z = float(rng.uniform(-3, 3)), float(rng.uniform(2, PERIOD - 2))
        canvas.ellipse(x, z, 0.42, 0.42, (66, 64, 64))
        canvas.ellipse(x, z, 0.33, 0.33, (88, 84, 80))
    for z in np.arange(5, PERIOD, 16.0).tolist():
        for x in (-KERB + 0.05, KERB - 0.5):
            canvas.rect(x, x + 0.45, z, z + 0.6, (44, 44, 46))


def _paint_markings(canvas: Canvas) -> None:
    white = (224, 222, 214)
    for z in np.arange(0, PERIOD, 8.0).tolist():
        canvas.rect(-0.08, 0.08, z, z + 4.0, white, 0.9)
    for side in (-1, 1):
        canvas.rect(side * LANE - 0.06, side * LANE + 0.06, 0, PERIOD, white, 0.8)
        for z in np.arange(0, PERIOD, 6.4).tolist():  # bays of the parked cars
            canvas.rect(min(side * LANE, side * KERB), max(side * LANE, side * KERB), z, z + 0.12, white, 0.7)
    for z in (40.0, 104.0):  # crossings
        canvas.rect(-KERB + 0.1, KERB - 0.1, z, z + 3.2, (92, 91, 94))
        for x in np.arange(-4.75, 4.6, 1.0).tolist():
            canvas.rect(x, x + 0.5, z, z + 3.2, white, 0.92)
        canvas.rect(0.1, LANE - 0.1, z - 1.6, z - 1.2, white, 0.9)
        canvas.rect(-LANE + 0.1, -0.1, z + 4.4, z + 4.8, white, 0.9)


def _paint_sidewalk(canvas: Canvas, side: int, rng: np.random.Generator) -> None:
    inner, outer = sorted((side * KERB, side * HALF_WIDTH))
    canvas.rect(inner, outer, 0, PERIOD, (168, 160, 150))
    rows, columns = canvas.span(inner, outer, 0, PERIOD)
    height, width = rows.stop - rows.start, columns.stop - columns.start
    slab_v, slab_u = 12, 24  # 0.75 m each way
    tone = rng.normal(1, 0.055, (-(-height // slab_v), -(-width // slab_u))).astype(np.float32)
    tone = tone.repeat(slab_v, 0)[:height].repeat(slab_u, 1)[:, :width]
    tone[::slab_v] *= 0.82
    tone[:, ::slab_u] *= 0.82
    canvas.rgba[rows, columns, :3] *= tone[..., None]
    kerb_in, kerb_out = sorted((side * KERB, side * (KERB + 0.22)))
    canvas.rect(kerb_in, kerb_out, 0, PERIOD, (196, 192, 184))
    gutter_in, gutter_out = sorted((side * (KERB - 0.14), side * KERB))
    canvas.rect(gutter_in, gutter_out, 0, PERIOD, (70, 69, 70))
    for z in np.arange(0, PERIOD, 1.0).tolist():
        canvas.rect(kerb_in, kerb_out, z, z + 0.06, (150, 146, 140))


def _shadow(houses: tuple[House, ...], shape: tuple[int, int]) -> np.ndarray:
    """Return how much of the sun is hidden, ``[rows, columns]`` of 0 to 1, row 0 at the far end."""
    z = (np.arange(shape[0], dtype=np.float32) + 0.5) / TEXELS_PER_METRE
    reach = np.zeros(shape[0], np.float32)
    for house in houses:
        inside = ((z - house.start) % PERIOD) < house.end - house.start
        reach = np.where(inside, np.maximum(reach, house.height), reach)
    edge = FACADE - 0.52 * np.maximum(reach, 2.5)  # the sun stands to the right, about 62 degrees high
    soft = np.ones(5, np.float32) / 5
    edge = np.convolve(np.pad(edge, 2, mode="wrap"), soft, "valid")[::-1]
    x = (np.arange(shape[1], dtype=np.float32) + 0.5) / COLUMNS_PER_METRE - HALF_WIDTH
    return np.clip((x[None, :] - edge[:, None]) / 0.12 + 0.5, 0, 1)
