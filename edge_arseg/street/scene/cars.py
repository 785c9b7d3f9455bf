"""Pictures of a car: tail, nose and flank, each split at the belt line so that the cabin can stand back."""

from functools import lru_cache
from typing import Final, Literal

from edge_arseg.street.canvas import Canvas, Color
from edge_arseg.street.texture import Texture, texture_from_rgba

LENGTH: Final = 4.2
WIDTH: Final = 1.8
HEIGHT: Final = 1.5
BELT: Final = 0.92
"""Height of the belt line; the cabin above it stands back on every side."""

PAINTS: Final[tuple[Color, ...]] = (
    (176, 34, 36), (38, 66, 128), (206, 208, 210), (46, 48, 52), (132, 138, 144), (224, 222, 214), (62, 104, 78),
    (196, 150, 52), (92, 112, 138),
)  # fmt: skip
_GLASS: Color = (40, 48, 56)
_TYRE: Color = (26, 26, 28)
_DENSITY = 56


def _scaled(color: Color, factor: float) -> Color:
    return tuple(min(255.0, channel * factor) for channel in color)  # type: ignore[return-value]


Part = Literal["body", "cabin", "whole"]
_SPANS: Final[dict[Part, tuple[float, float]]] = {
    "body": (-0.05, BELT + 0.09),
    "cabin": (BELT - 0.35, HEIGHT + 0.05),
    "whole": (-0.05, HEIGHT + 0.05),
}
"""Heights that the picture of each part reaches from and to; margins of 5 cm included."""


@lru_cache(maxsize=256)
def end(part: Part, paint: int, front: bool, light: float) -> Texture:
    """Return the tail (or nose, ``front``) of a car, ``WIDTH`` and a margin of 5 cm on each side."""
    color = _scaled(PAINTS[paint], light)
    canvas = Canvas((-WIDTH / 2 - 0.05, WIDTH / 2 + 0.05), _SPANS[part], _DENSITY)
    if part != "body":
        _draw_cabin_end(canvas, color, front, light)
    if part != "cabin":
        _draw_body_end(canvas, color, front, light)
    return texture_from_rgba(canvas.rgba, edge=True)


@lru_cache(maxsize=256)
def flank(part: Part, paint: int, light: float) -> Texture:
    """Return the flank of a car, tail on the left, ``LENGTH`` and a margin of 5 cm on each side."""
    color = _scaled(PAINTS[paint], light)
    canvas = Canvas((-0.05, LENGTH + 0.05), _SPANS[part], _DENSITY)
    if part != "body":
        _draw_cabin_flank(canvas, color, light)
    if part != "cabin":
        _draw_body_flank(canvas, color, light)
    return texture_from_rgba(canvas.rgba, edge=True)


def span(part: Part) -> tuple[float, float]:
    """Return top and bottom of the picture of a part, metres above the ground."""
    low, high = _SPANS[part]
    return high, low


def _draw_body_end(canvas: Canvas, color: Color, front: bool, light: float) -> None:
    half = WIDTH / 2
    for x in (-half + 0.22, half - 0.22):
        canvas.rect(x - 0.12, x + 0.12, 0.0, 0.5, _scaled(_TYRE, light))
    canvas.rect(-half + 0.15, half - 0.15, 0.16, 0.4, _scaled((22, 22, 24), light))
    low, high = BELT - 0.06, BELT + 0.04
    canvas.polygon(
        [(-half, 0.4), (-half + 0.02, low), (-half + 0.12, high), (half - 0.12, high), (half - 0.02, low), (half, 0.4)],
        color,
    )
    canvas.polygon([(-half, 0.4), (half, 0.4), (half - 0.06, 0.24), (-half + 0.06, 0.24)], _scaled(color, 0.72))
    canvas.rect(-half + 0.1, half - 0.1, BELT - 0.02, BELT + 0.02, _scaled(color, 1.25))
    canvas.rect(-half + 0.02, half - 0.02, 0.42, 0.47, _scaled((40, 40, 42), light))
    if front:
        canvas.polygon([(-0.5, 0.52), (-0.55, 0.7), (0.55, 0.7), (0.5, 0.52)], _scaled((24, 24, 26), light))
        for x in (-half + 0.28, half - 0.28):
            canvas.ellipse(x, 0.67, 0.2, 0.1, (246, 244, 228))
            canvas.ellipse(x, 0.67, 0.11, 0.07, (255, 255, 252))
    else:
        canvas.rect(-0.55, 0.55, 0.5, 0.8, _scaled(color, 0.88))
        for x in (-half + 0.2, half - 0.2):
            canvas.rect(x - 0.14, x + 0.14, 0.55, 0.8, _scaled((196, 30, 30), 0.55 + 0.45 * light))
            canvas.rect(x - 0.1, x + 0.1, 0.59, 0.65, (248, 170, 90))
    canvas.rect(-0.27, 0.27, 0.52, 0.63, _scaled((240, 240, 232), light))
    canvas.rect(-0.2, 0.2, 0.55, 0.6, (60, 60, 66))


def _draw_cabin_end(canvas: Canvas, color: Color, front: bool, light: float) -> None:
    canvas.polygon(
        [(-0.8, BELT - 0.3), (-0.78, BELT), (-0.58, HEIGHT), (0.58, HEIGHT), (0.78, BELT), (0.8, BELT - 0.3)], color
    )
    glass = _scaled(_GLASS, light)
    canvas.polygon([(-0.7, BELT + 0.06), (-0.54, HEIGHT - 0.1), (0.54, HEIGHT - 0.1), (0.7, BELT + 0.06)], glass)
    canvas.polygon(
        [(-0.6, BELT + 0.3), (-0.54, HEIGHT - 0.1), (0.2, HEIGHT - 0.1), (0.0, BELT + 0.3)], (150, 168, 184), 0.4
    )
    for x in (-0.33, 0.33):
        canvas.ellipse(x, BELT + 0.14, 0.15, 0.16, (22, 24, 28), 0.7)
    canvas.rect(-0.5, 0.5, HEIGHT - 0.05, HEIGHT, _scaled(color, 1.15))
    if not front:
        canvas.rect(-0.2, 0.2, BELT + 0.06, BELT + 0.1, (20, 20, 22))


def _draw_body_flank(canvas: Canvas, color: Color, light: float) -> None:
    canvas.polygon(
        [(0, 0.3), (0.02, 0.86), (0.1, BELT + 0.04), (3.1, BELT + 0.04), (4.0, 0.8), (LENGTH, 0.62), (LENGTH, 0.3)],
        color,
    )
    canvas.polygon([(0, 0.3), (0, 0.42), (LENGTH, 0.42), (LENGTH, 0.3), (4.1, 0.2), (0.1, 0.2)], _scaled(color, 0.7))
    canvas.rect(0.05, 4.05, 0.7, 0.73, _scaled(color, 1.22))
    for x in (1.25, 2.3, 3.2):
        canvas.rect(x, x + 0.03, 0.36, BELT, _scaled(color, 0.62))
    for x in (1.4, 2.45):
        canvas.rect(x, x + 0.2, 0.78, 0.82, _scaled(color, 0.5))
    canvas.rect(0.02, 0.16, 0.6, 0.8, (170, 30, 30))
    canvas.rect(LENGTH - 0.2, LENGTH - 0.04, 0.55, 0.64, (238, 236, 220))
    for x in (0.78, 3.38):
        canvas.ellipse(x, 0.36, 0.4, 0.4, _scaled((20, 20, 22), light))
        canvas.ellipse(x, 0.32, 0.32, 0.32, _scaled(_TYRE, light))
        canvas.ellipse(x, 0.32, 0.2, 0.2, _scaled((168, 170, 174), light))
        canvas.ellipse(x, 0.32, 0.08, 0.08, _scaled((90, 92, 96), light))


def _draw_cabin_flank(canvas: Canvas, color: Color, light: float) -> None:
    canvas.polygon(
        [
            (0.12, BELT - 0.1),
            (0.15, BELT),
            (0.75, HEIGHT - 0.03),
            (0.95, HEIGHT),
            (2.2, HEIGHT),
            (3.15, BELT),
            (3.2, BELT - 0.1),
        ],
        color,
    )
    glass = _scaled(_GLASS, light)
    canvas.polygon([(0.42, BELT + 0.05), (0.82, HEIGHT - 0.1), (1.4, HEIGHT - 0.08), (1.4, BELT + 0.05)], glass)
    canvas.polygon([(1.5, BELT + 0.05), (1.5, HEIGHT - 0.08), (2.12, HEIGHT - 0.1), (2.9, BELT + 0.05)], glass)
    canvas.polygon(
        [(0.7, BELT + 0.3), (0.82, HEIGHT - 0.1), (1.4, HEIGHT - 0.08), (1.4, BELT + 0.3)], (150, 168, 184), 0.35
    )
    canvas.polygon(
        [(1.5, BELT + 0.3), (1.5, HEIGHT - 0.08), (2.1, HEIGHT - 0.1), (2.45, BELT + 0.3)], (150, 168, 184), 0.35
    )
