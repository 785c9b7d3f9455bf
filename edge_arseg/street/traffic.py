"""Who is where: the camera's path, and every object in view of it at a moment. A pure function of seed and time."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import atan, ceil, cos, floor, pi, sin

import numpy as np

from edge_arseg.street.layout import BICYCLIST, CAMERA_X, CAMERA_Y, FENCE, KERB, LANE
from edge_arseg.street.quad import (
    Quad,
    car_quads,
    car_shadow,
    cyclist_quad,
    lamp_quad,
    person_quad,
    railing_quad,
    round_shadow,
    sign_quads,
    tree_quad,
)
from edge_arseg.street.scene import cars, furniture, people

SIGHT_M = 130.0
_SPEED = 8.0
_SIDEWALK, _RAILING, _PARKED, _RIDING, _LANES = range(5)
"""Painting order. The camera drives in the middle, so nothing farther aside hides what is nearer to the middle."""


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the camera is (metres) and where it looks (radians; yaw to the right, pitch up, roll clockwise)."""

    x: float
    y: float
    z: float
    yaw: float
    pitch: float
    roll: float


@lru_cache(maxsize=16)
def _phases(seed: int) -> tuple[float, ...]:
    return tuple(np.random.default_rng([seed, 1]).uniform(0, 2 * pi, 10).tolist())


def pose_at(seed: int, time_s: float) -> Pose:
    """Return the camera at a moment: driving forward at 5 to 11 m/s, steering gently, rocking a little."""
    p = _phases(seed)
    z = _SPEED * time_s + 2.6 * (sin(0.9 * time_s + p[0]) - sin(p[0])) + 60.0 * (seed % 7)
    speed = _SPEED + 2.6 * 0.9 * cos(0.9 * time_s + p[0])
    x = CAMERA_X + 0.42 * sin(0.55 * time_s + p[1]) + 0.16 * sin(1.3 * time_s + p[2])
    drift = 0.42 * 0.55 * cos(0.55 * time_s + p[1]) + 0.16 * 1.3 * cos(1.3 * time_s + p[2])
    return Pose(
        x=x,
        y=CAMERA_Y + 0.012 * sin(7.1 * time_s + p[3]) + 0.008 * sin(11.3 * time_s + p[4]),
        z=z,
        yaw=atan(drift / speed) + 0.05 * sin(0.37 * time_s + p[5]),
        pitch=-0.012 + 0.006 * sin(1.7 * time_s + p[6]) + 0.0015 * sin(8.3 * time_s + p[7]),
        roll=0.008 * sin(0.9 * time_s + p[8]) + 0.0015 * sin(6.1 * time_s + p[9]),
    )


@lru_cache(maxsize=8192)
def _dice(seed: int, kind: int, cell: int) -> tuple[float, ...]:
    """Return six numbers of 0 to 1 that belong to one cell of one kind of object."""
    return tuple(np.random.default_rng([seed, kind, cell + (1 << 30)]).random(6).tolist())


def _cells(
    seed: int, kind: int, spacing: float, start: float, end: float, shift: float = 0.0
) -> Iterator[tuple[float, tuple[float, ...]]]:
    """Yield the place and the dice of every cell between ``start`` and ``end``; ``shift`` moves all of them."""
    for cell in range(ceil((start - shift) / spacing), floor((end - shift) / spacing) + 1):
        yield cell * spacing + shift, _dice(seed, kind, cell)


def objects_at(seed: int, time_s: float) -> tuple[list[Quad], list[Quad]]:
    """Return the shadows and the upright objects in view at a moment, in painting order."""
    pose = pose_at(seed, time_s)
    shadows: list[Quad] = []
    groups: list[tuple[int, float, list[Quad]]] = []  # layer, distance, quads
    for x, z, paint, away, light in _cars_at(seed, time_s, pose):
        far = z > pose.z + 35
        groups.append((_PARKED if abs(x) > LANE else _LANES, -z, car_quads(x, z, paint, away, light, pose.x, far)))
        if not far:
            shadows.append(car_shadow(x, z))
    for quads, shade in (*_standing_at(seed, pose), *_walking_at(seed, time_s, pose), *_riding_at(seed, time_s, pose)):
        layer = _RIDING if quads[0].label == BICYCLIST else _RAILING if quads[0].label == FENCE else _SIDEWALK
        groups.append((layer, -quads[0].near, quads))
        if shade is not None and shade.near < pose.z + 35:
            shadows.append(shade)
    groups.sort(key=lambda group: group[:2])
    return shadows, [quad for _, _, group in groups for quad in group]


def _cars_at(seed: int, time_s: float, pose: Pose) -> Iterator[tuple[float, float, int, bool, float]]:
    paints = len(cars.PAINTS)
    for side in (-1, 1):
        for z, dice in _cells(seed, 20 + side, 6.4, pose.z - 6, pose.z + 95):
            if dice[0] < (0.55 if side < 0 else 0.45):
                x = side * (LANE + 1.0) + (dice[1] - 0.5) * 0.2
                yield x, z + 0.8 + dice[2] * 0.9, int(dice[3] * paints), side > 0, 1.0 if side < 0 else 0.78
    for z, dice in _cells(seed, 23, 34.0, pose.z - 6, pose.z + SIGHT_M, -9.5 * time_s):
        if dice[0] < 0.75:
            yield -1.55 + (dice[1] - 0.5) * 0.3, z + dice[2] * 18, int(dice[3] * paints), False, 1.0
    first = _dice(seed, 24, 0)
    ahead = 17.0 + 5.0 * sin(0.31 * time_s + 6 * first[0]) + 3.0 * sin(0.7 * time_s + 6 * first[1])
    yield 1.6 + 0.15 * sin(0.4 * time_s), pose.z + ahead, int(first[2] * paints), True, 0.95


def _standing_at(seed: int, pose: Pose) -> Iterator[tuple[list[Quad], Quad | None]]:
    near, far = pose.z + 1.0, pose.z + SIGHT_M
    for side in (-1, 1):
        for z, dice in _cells(seed, 30 + side, 12.8, near - 4, far):
            x, z = side * (KERB + 0.9 + 0.2 * dice[1]), z + 3 * dice[2]
            if dice[0] < 0.72:
                scale = 0.8 + 0.35 * dice[3]
                yield [tree_quad(x, z, int(dice[4] * furniture.TREES), scale)], round_shadow(x - 1.6, z, 1.9 * scale)
        for z, _ in _cells(seed, 33 + side, 25.6, near - 8, far):
            yield [lamp_quad(side * (KERB + 0.45), z + (8.0 if side > 0 else 20.8))], None
        for z, dice in _cells(seed, 36 + side, 19.2, near - 8, pose.z + 70):
            if dice[0] < 0.75:
                yield sign_quads(side * (KERB + 0.5), z + 6 * dice[1] + 1, int(dice[2] * furniture.PLATES)), None
        for z, dice in _cells(seed, 39 + side, 25.6, near - 9, pose.z + 60):
            if dice[0] < 0.6:
                yield [railing_quad(side, z + 10.5)], None


def _walking_at(seed: int, time_s: float, pose: Pose) -> Iterator[tuple[list[Quad], Quad | None]]:
    for lane, (x, speed) in enumerate(((-7.6, 1.3), (-6.9, -1.1), (6.8, 1.2), (7.7, -1.35))):
        for z, dice in _cells(seed, 50 + lane, 9.0, pose.z - 4, pose.z + 60, speed * time_s):
            if dice[0] < 0.5:
                z, x_now = z + 5 * dice[1], x + (dice[2] - 0.5) * 0.7
                if z < pose.z + 1.5:
                    continue
                phase = people.phase_at(abs(speed) * time_s, 1.45, dice[3])
                quads = [person_quad(x_now, z, int(dice[4] * people.LOOKS), phase, speed > 0)]
                if dice[5] < 0.25:  # in company
                    other = people.phase_at(abs(speed) * time_s, 1.38, dice[2])
                    quads.append(person_quad(x_now + 0.62, z - 0.1, int(dice[5] * 32), other, speed > 0))
                yield quads, round_shadow(x_now - 0.3, z, 0.4)


def _riding_at(seed: int, time_s: float, pose: Pose) -> Iterator[tuple[list[Quad], Quad | None]]:
    for lane, (x, speed) in enumerate(((2.95, 4.6), (-2.75, -4.8))):
        for z, dice in _cells(seed, 60 + lane, 26.0, pose.z - 10, pose.z + 95, speed * time_s):
            z += 12 * dice[1]
            if dice[0] < 0.8 and z > pose.z + 1.5:
                phase = people.phase_at(abs(speed) * time_s, 5.2, dice[2])
                quad = cyclist_quad(x + (dice[3] - 0.5) * 0.2, z, int(dice[4] * people.LOOKS), phase, speed > 0)
                yield [quad], round_shadow(x - 0.2, z, 0.5)
