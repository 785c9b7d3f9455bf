"""Pictures of people: walking, seen from behind or in front, and riding a bicycle."""

from functools import lru_cache
from math import cos, pi, sin
from typing import Final

import numpy as np

from edge_arseg.street.canvas import Canvas, Color
from edge_arseg.street.texture import Texture, texture_from_rgba

PERSON_SIZE: Final = (0.9, 1.85)
"""Width and height of a walking person's picture, metres."""
CYCLIST_SIZE: Final = (0.9, 1.95)
PHASES: Final = 8
LOOKS: Final = 8
_DENSITY = 64

_SKIN: tuple[Color, ...] = ((226, 184, 154), (198, 148, 112), (140, 96, 70), (98, 68, 52))
_TOPS: tuple[Color, ...] = (
    (178, 44, 52), (44, 84, 150), (226, 204, 92), (70, 128, 96), (228, 226, 220), (120, 72, 134), (216, 120, 56),
    (52, 56, 66),
)  # fmt: skip
_LEGS: tuple[Color, ...] = ((44, 52, 76), (58, 54, 52), (112, 98, 80), (34, 34, 40))
_HAIR: tuple[Color, ...] = ((48, 36, 28), (24, 22, 22), (128, 92, 52), (160, 156, 150))


def _darker(color: Color, factor: float) -> Color:
    return tuple(channel * factor for channel in color)  # type: ignore[return-value]


@lru_cache(maxsize=256)
def person(look: int, phase: int, away: bool) -> Texture:
    """Return a walking person, ``PERSON_SIZE``; ``phase`` is the eighth of the stride."""
    canvas = Canvas((-PERSON_SIZE[0] / 2, PERSON_SIZE[0] / 2), (-0.05, PERSON_SIZE[1] - 0.05), _DENSITY)
    swing = sin(2 * pi * phase / PHASES)
    top, legs, skin, hair = _TOPS[look % 8], _LEGS[look % 4], _SKIN[look * 3 % 4], _HAIR[look * 5 % 4]
    skirt = look in (2, 5)
    for side in (-1, 1):  # the raised foot is shorter: it is farther or nearer
        lift = max(0.0, side * swing) * 0.16
        tone = 1.0 if side * swing >= 0 else 0.8
        hip, knee, foot = (side * 0.09, 0.86), (side * 0.11, 0.48 + lift * 0.6), (side * 0.11, 0.08 + lift)
        canvas.line([hip, knee, foot], 0.085, _darker(skin if skirt else legs, tone))
        canvas.ellipse(foot[0], foot[1] - 0.03, 0.085, 0.06, (36, 30, 28))
    if skirt:
        canvas.polygon([(-0.3, 0.55), (-0.15, 1.0), (0.15, 1.0), (0.3, 0.55)], legs)
    for side in (-1, 1):
        reach = side * swing * 0.10
        canvas.line([(side * 0.2, 1.36), (side * 0.27, 1.1), (side * 0.25, 0.88 + reach)], 0.06, _darker(top, 0.85))
        canvas.ellipse(side * 0.25, 0.84 + reach, 0.055, 0.06, skin)
    canvas.polygon([(-0.18, 0.84), (-0.23, 1.36), (-0.12, 1.46), (0.12, 1.46), (0.23, 1.36), (0.18, 0.84)], top)
    canvas.polygon([(0.05, 0.84), (0.06, 1.46), (0.12, 1.46), (0.23, 1.36), (0.18, 0.84)], _darker(top, 0.8), 0.8)
    if look % 3 == 0 and away:
        canvas.polygon([(-0.15, 1.0), (-0.15, 1.38), (0.15, 1.38), (0.15, 1.0)], _darker(top, 0.5))
    canvas.line([(0, 1.44), (0, 1.52)], 0.055, _darker(skin, 0.85))
    canvas.ellipse(0, 1.63, 0.105, 0.13, skin)
    canvas.ellipse(0, 1.67 if away else 1.71, 0.115, 0.13 if away else 0.08, hair)
    return texture_from_rgba(canvas.rgba, edge=True)


@lru_cache(maxsize=128)
def cyclist(look: int, phase: int, away: bool) -> Texture:
    """Return a person on a bicycle, ``CYCLIST_SIZE``; ``phase`` is the eighth of a turn of the pedals."""
    canvas = Canvas((-CYCLIST_SIZE[0] / 2, CYCLIST_SIZE[0] / 2), (-0.05, CYCLIST_SIZE[1] - 0.05), _DENSITY)
    turn = 2 * pi * phase / PHASES
    top, legs, skin = _TOPS[(look + 3) % 8], _LEGS[look % 4], _SKIN[look % 4]
    canvas.ellipse(0, 0.34, 0.055, 0.34, (26, 26, 28))
    canvas.ellipse(0, 0.34, 0.02, 0.26, (120, 120, 122))
    canvas.line([(0, 0.4), (0, 0.98)], 0.03, _darker(_TOPS[look % 8], 0.7))
    canvas.line([(-0.28, 1.05), (0.28, 1.05)], 0.025, (40, 40, 42))
    for side in (-1, 1):
        pedal = 0.32 + 0.17 * cos(turn + (pi if side > 0 else 0))
        canvas.line([(side * 0.1, 0.98), (side * 0.17, 0.55 + pedal * 0.35), (side * 0.13, pedal)], 0.075, legs)
        canvas.ellipse(side * 0.13, pedal - 0.03, 0.07, 0.05, (228, 226, 222))
        canvas.line([(side * 0.2, 1.45), (side * 0.3, 1.25), (side * 0.26, 1.07)], 0.055, _darker(top, 0.85))
        canvas.ellipse(side * 0.26, 1.06, 0.05, 0.045, skin)
    canvas.polygon([(-0.17, 0.92), (-0.22, 1.42), (-0.1, 1.52), (0.1, 1.52), (0.22, 1.42), (0.17, 0.92)], top)
    canvas.polygon([(0.04, 0.92), (0.05, 1.52), (0.1, 1.52), (0.22, 1.42), (0.17, 0.92)], _darker(top, 0.8), 0.8)
    if away:
        canvas.rect(-0.04, 0.04, 0.72, 0.78, (220, 40, 36))
    else:
        canvas.ellipse(0, 0.88, 0.05, 0.05, (250, 246, 220))
    canvas.ellipse(0, 1.66, 0.1, 0.12, skin)
    helmet = ((224, 224, 220), (196, 48, 44), (52, 92, 150), (44, 44, 46))[look % 4]
    canvas.ellipse(0, 1.73, 0.12, 0.11, helmet)
    canvas.shade(1.0)
    return texture_from_rgba(canvas.rgba, edge=True)


def phase_at(distance_m: float, stride_m: float, offset: float) -> int:
    """Return the phase after walking or riding ``distance_m``; one turn takes ``stride_m``."""
    return int(np.floor((distance_m / stride_m + offset) * PHASES)) % PHASES
