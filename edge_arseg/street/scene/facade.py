"""The fronts of the houses along one side of the street, and the end walls that show beside a gap."""

from dataclasses import dataclass

import numpy as np

from edge_arseg.street.canvas import Canvas, Color, noise
from edge_arseg.street.layout import BUILDING, FENCE, PERIOD, ROOF, TEXELS_PER_METRE, TREE
from edge_arseg.street.texture import Texture, texture_from_rgba

_ROWS_PER_METRE = 24
_WALLS: tuple[Color, ...] = (
    (168, 96, 78), (196, 178, 148), (176, 160, 142), (142, 88, 72), (206, 194, 172),
    (150, 146, 144), (188, 146, 106), (126, 132, 140), (210, 184, 140), (158, 120, 96),
)  # fmt: skip
_AWNINGS: tuple[Color, ...] = ((150, 40, 44), (38, 84, 66), (40, 62, 112), (190, 130, 40), (90, 90, 96))


@dataclass(frozen=True, slots=True)
class House:
    """One house: where it stands along the street (metres, 0 to ``PERIOD``), its height and the colour of its wall."""

    start: float
    end: float
    height: float
    color: Color


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the street.

    Attributes:
        houses: in the order along the street.
        texture: u along the street, v down from ``ROOF``; clear where there is nothing.
        labels: ``[rows, columns] uint8``, the class of every texel of the unreduced picture.
        end_walls: for each house, the picture of the wall that faces the camera, or ``None`` where it is never seen.
    """

    houses: tuple[House, ...]
    texture: Texture
    labels: np.ndarray
    end_walls: tuple[Texture | None, ...]


def houses_from_seed(rng: np.random.Generator) -> tuple[House, ...]:
    """Line up houses with a few gaps over one period."""
    houses: list[House] = []
    position = 0.0
    before: Color | None = None
    while position < PERIOD - 7:
        if houses and rng.random() < 0.3:
            position += float(rng.integers(4, 8))
        width = float(rng.integers(8, 17))
        end = position + width
        if end > PERIOD - 7:
            end = PERIOD - (0 if rng.random() < 0.5 else 5)
        if end - position < 5:
            break
        height = 3.6 + 3.0 * int(rng.integers(1, 5)) + float(rng.uniform(-0.4, 0.8))
        color = before
        while color == before:
            color = _WALLS[int(rng.integers(len(_WALLS)))]
        before = color
        assert color is not None
        houses.append(House(position, end, min(height, ROOF - 1.2), color))
        position = end
    return tuple(houses)


def side_from_houses(houses: tuple[House, ...], light: float, rng: np.random.Generator) -> Side:
    """Paint one side; ``light`` scales every colour (1 in the sun, less in the shade)."""
    canvas = Canvas((0.0, PERIOD), (0.0, ROOF), (TEXELS_PER_METRE, _ROWS_PER_METRE))
    labels = np.full(canvas.rgba.shape[:2], BUILDING, np.uint8)
    free = 0.0
    for house in houses:
        if house.start > free:
            _paint_gap(canvas, labels, free, house.start, rng)
        _paint_house(canvas, house, rng)
        free = house.end
    if free < PERIOD:
        _paint_gap(canvas, labels, free, PERIOD, rng)
    grain = noise(labels.shape, (2, 2), rng) * 0.035 + noise(labels.shape, (96, 64), rng, 4) * 0.05
    canvas.shade(light * (1 + grain))
    texture = texture_from_rgba(canvas.rgba, wrap_u=True, levels=(6, 7))
    walls: list[Texture | None] = []
    for index, house in enumerate(houses):
        earlier = houses[index - 1]
        seen = earlier.end % PERIOD != house.start or earlier.height < house.height
        walls.append(_end_wall(house, light, rng) if seen else None)
    return Side(houses, texture, labels, tuple(walls))


def _mixed(color: Color, other: Color, share: float) -> Color:
    return tuple(a + (b - a) * share for a, b in zip(color, other, strict=True))  # type: ignore[return-value]


def _paint_house(canvas: Canvas, house: House, rng: np.random.Generator) -> None:
    start, end, top = house.start, house.end, house.height
    canvas.rect(start, end, 0, top, house.color)
    if rng.random() < 0.6:  # courses of brick
        rows, columns = canvas.span(start, end, 0, top)
        courses = np.where(np.arange(rows.stop - rows.start) % 5 == 0, 0.9, 1.0)
        canvas.rgba[rows, columns, :3] *= courses[:, None, None].astype(np.float32)
    light, dark = _mixed(house.color, (255, 255, 255), 0.45), _mixed(house.color, (40, 36, 34), 0.5)
    floors = max(1, round((top - 3.9) / 3.0))
    bays = max(2, int((end - start - 1.0) / rng.uniform(2.2, 3.1)))
    pitch = (end - start) / bays
    wide, tall = min(pitch * 0.5, float(rng.uniform(0.9, 1.5))), float(rng.uniform(1.3, 1.8))
    balcony = rng.random() < 0.3
    for floor in range(floors):
        sill = 3.9 + 3.0 * floor + 0.35
        if sill + tall > top - 0.5:
            break
        for bay in range(bays):
            centre = start + (bay + 0.5) * pitch
            _paint_window(canvas, centre - wide / 2, centre + wide / 2, sill, sill + tall, light, rng)
            if balcony and bay % 2 == 0:
                canvas.rect(centre - wide * 0.8, centre + wide * 0.8, sill - 0.3, sill - 0.15, light)
                canvas.rect(centre - wide * 0.8, centre + wide * 0.8, sill - 0.15, sill + 0.55, dark, 0.6)
    _paint_ground_floor(canvas, house, light, dark, rng)
    canvas.rect(start, end, top - 0.35, top, light)
    canvas.rect(start, end, top - 0.47, top - 0.35, dark)
    canvas.rect(start, start + 0.1, 0, top, dark, 0.6)
    canvas.rect(end - 0.1, end, 0, top, light, 0.3)
    if rng.random() < 0.6:  # a roof behind the cornice, with a chimney
        canvas.rect(start + 0.3, end - 0.3, top, top + 0.7, (92, 70, 64))
        chimney = float(rng.uniform(start + 1, end - 2))
        canvas.rect(chimney, chimney + 0.8, top + 0.7, top + 1.15, (120, 84, 72))


def _paint_window(
    canvas: Canvas, x0: float, x1: float, y0: float, y1: float, frame: Color, rng: np.random.Generator
) -> None:
    canvas.rect(x0 - 0.12, x1 + 0.12, y0 - 0.18, y0 - 0.04, frame)
    canvas.rect(x0 - 0.08, x1 + 0.08, y0 - 0.06, y1 + 0.12, frame)
    glass = _mixed((44, 54, 66), (120, 140, 160), float(rng.uniform(0, 0.55)))
    canvas.rect(x0, x1, y0, y1, glass)
    canvas.rect(x0, x1, y0 + (y1 - y0) * 0.55, y1, (190, 205, 220), float(rng.uniform(0.05, 0.35)))  # the sky in it
    if rng.random() < 0.35:
        canvas.rect(x0, x1, y0 + (y1 - y0) * float(rng.uniform(0.3, 0.7)), y1, (214, 208, 190), 0.8)  # a blind
    middle = (x0 + x1) / 2
    canvas.rect(middle - 0.04, middle + 0.04, y0, y1, frame)
    canvas.rect(x0, x1, y0 + (y1 - y0) * 0.6, y0 + (y1 - y0) * 0.6 + 0.07, frame)


def _paint_ground_floor(canvas: Canvas, house: House, light: Color, dark: Color, rng: np.random.Generator) -> None:
    start, end = house.start, house.end
    if rng.random() < 0.55:  # shops
        trim = _AWNINGS[int(rng.integers(len(_AWNINGS)))]
        canvas.rect(start + 0.2, end - 0.2, 0, 3.5, _mixed(dark, (60, 60, 60), 0.5))
        canvas.rect(start + 0.2, end - 0.2, 2.9, 3.5, trim)
        position = start + 0.5
        for letter in range(int((end - start) * 1.4)):  # lettering, unreadable
            if rng.random() < 0.7:
                canvas.rect(
                    start + 1 + letter * 0.5, start + 1.3 + letter * 0.5, 3.08, 3.32, (236, 228, 206), 0.9
                ) if start + 1.5 + letter * 0.5 < end - 0.6 else None
        while position + 2.4 < end:
            width = float(rng.uniform(1.8, 3.0))
            width = min(width, end - 0.4 - position)
            canvas.rect(position, position + width, 0.45, 2.75, (58, 66, 74))
            canvas.rect(position + 0.1, position + width - 0.1, 0.9, 2.65, (150, 156, 150), 0.45)
            for _ in range(5):  # goods
                x = position + float(rng.uniform(0.15, width - 0.5))
                goods = tuple(float(channel) for channel in rng.uniform(60, 220, 3))
                canvas.rect(x, x + 0.3, 0.6, 0.6 + float(rng.uniform(0.3, 1.2)), goods, 0.7)  # type: ignore[arg-type]
            position += width + 0.25
            if position + 1.2 < end and rng.random() < 0.6:
                canvas.rect(position, position + 0.95, 0.05, 2.6, (70, 52, 42))
                canvas.rect(position + 0.12, position + 0.83, 1.0, 2.45, (96, 108, 116))
                position += 1.15
        if rng.random() < 0.6:
            rows, columns = canvas.span(start + 0.3, end - 0.3, 2.35, 2.95)
            stripes = (np.arange(columns.stop - columns.start) // 8 % 2)[None, :, None]
            white = np.array([232, 228, 220, 1], np.float32)
            canvas.rgba[rows, columns] = np.where(stripes == 1, white, np.array([*trim, 1], np.float32))
        return
    canvas.rect(start, end, 0, 0.7, dark)  # a flat: plinth, door, windows
    bays = max(2, int((end - start) / 2.8))
    pitch = (end - start) / bays
    door = int(rng.integers(bays))
    for bay in range(bays):
        centre = start + (bay + 0.5) * pitch
        if bay == door:
            canvas.rect(centre - 0.7, centre + 0.7, 0, 2.75, light)
            color = _AWNINGS[int(rng.integers(len(_AWNINGS)))]
            canvas.rect(centre - 0.52, centre + 0.52, 0.1, 2.2, color)
            canvas.rect(centre - 0.4, centre + 0.4, 1.3, 2.0, _mixed(color, (0, 0, 0), 0.3))
            canvas.rect(centre - 0.52, centre + 0.52, 2.28, 2.62, (120, 136, 150))
        else:
            _paint_window(canvas, centre - 0.6, centre + 0.6, 1.15, 2.75, light, rng)


def _paint_gap(canvas: Canvas, labels: np.ndarray, start: float, end: float, rng: np.random.Generator) -> None:
    """Fill a gap between houses with trees behind a fence."""
    rows, columns = canvas.span(start, end, 0, 7)
    height, width = rows.stop - rows.start, columns.stop - columns.start
    leaves = noise((height, width), (20, 16), rng, 4)
    edge = noise((1, width), (1, 24), rng, 3)[0] * 20 + height * 0.3
    inside = np.clip((np.arange(height)[:, None] - edge[None, :]) / 3 + leaves, 0, 1)
    tone = (0.62 + 0.16 * leaves) * np.linspace(1.15, 0.55, height, dtype=np.float32)[:, None]
    colour = np.stack([tone * 92, tone * 122, tone * 56, np.ones_like(tone)], -1)
    canvas.rgba[rows, columns] = np.clip(colour, 0, 255) * inside[..., None]
    labels[rows, columns] = TREE
    canvas.rect(start, end, 0, 0.35, (120, 112, 104))  # a low wall with rails on it
    canvas.rect(start, end, 1.5, 1.58, (52, 56, 58))
    bars, columns = canvas.span(start, end, 0.35, 1.7)
    canvas.rgba[bars, columns.start : columns.stop : 4] = (52, 56, 58, 1)
    fence, columns = canvas.span(start, end, 0, 1.7)
    labels[fence, columns] = FENCE


def _end_wall(house: House, light: float, rng: np.random.Generator) -> Texture:
    canvas = Canvas((0.0, 9.0), (0.0, house.height), 12)
    canvas.rect(0, 9, 0, house.height, _mixed(house.color, (150, 140, 130), 0.4))
    for floor in range(1, int(house.height / 3.0)):
        if rng.random() < 0.5:
            _paint_window(canvas, 3.0, 4.0, 3.0 * floor + 1, 3.0 * floor + 2.4, (170, 164, 156), rng)
    canvas.shade(light * 0.8 * (1 + 0.05 * noise(canvas.rgba.shape[:2], (24, 24), rng, 4)))
    return texture_from_rgba(canvas.rgba, levels=(5, 5))
