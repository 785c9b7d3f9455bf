"""The path of a camera through a street."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class CameraPath:
    """Where a camera is in each frame of a clip, seen from where the still was taken.

    Attributes:
        position_m: ``[N, 3]``, right, down, ahead.
        rotation: ``[N, 3, 3]``, turns directions of the moved camera into those of the still's.
        exposure: ``[N]``, factor on the brightness.
        drift: ``[N]``, how far objects have gone on their own, 0 where the still was taken.
    """

    position_m: np.ndarray
    rotation: np.ndarray
    exposure: np.ndarray
    drift: np.ndarray


def path_from_seed(
    rng: np.random.Generator, *, count: int = 12, rate: float = 15.0, room_m: float = np.inf
) -> CameraPath:
    """Draw a drive of ``count`` frames: mostly straight ahead at changing speed, with turns, stops and vibration.

    The still lies somewhere in the first third of the clip: going back from it shows what it does not hold.

    Args:
        rng: draws.
        count: frames.
        rate: frames a second.
        room_m: distance to what stands ahead; the drive ends at half of it.
    """
    time = np.arange(count) / rate
    here = rng.uniform(0, 0.35) * time[-1]
    kind = rng.random()
    if kind < 0.1:
        speed = 0.0
    elif kind < 0.15:
        speed = -rng.uniform(0.5, 3.0)
    else:
        speed = rng.uniform(1.5, 11.0)
    acceleration = rng.normal(0, 1.5)
    turning = rng.normal(0, 0.16) if rng.random() < 0.2 else rng.normal(0, 0.035)
    turning *= min(1.0, abs(speed) / 3)  # a standing car does not turn

    since = time - here
    ahead = speed * since + (acceleration * since**2 / 2 if speed else 0)
    ahead *= min(1.0, 0.5 * room_m / max(ahead.max(), 1e-6))
    heading = rng.normal(0, 0.03)  # the camera need not look where it goes
    bearing = heading + turning * since / 2
    liveliness = 0.25 + 0.75 * min(1.0, abs(speed) / 6)
    position = np.stack(
        [ahead * np.sin(bearing), 0.015 * liveliness * _sway(rng, since), ahead * np.cos(bearing)], axis=1
    )
    yaw = turning * since + np.radians(0.12) * liveliness * _sway(rng, since)
    pitch = np.radians(0.25) * liveliness * _sway(rng, since)
    roll = np.radians(0.35) * liveliness * _sway(rng, since) + rng.normal(0, 0.01) * since
    exposure = 1 + 0.05 * rng.normal() + rng.normal(0, 0.06) * since
    return CameraPath(position, _rotations(yaw, pitch, roll), np.clip(exposure, 0.75, 1.3), since)


def _sway(rng: np.random.Generator, time: np.ndarray) -> np.ndarray:
    """Two random sines of 0.7 to 3 Hz, 0 at time 0."""
    total = np.zeros(len(time))
    for _ in range(2):
        omega, phase, size = 2 * np.pi * rng.uniform(0.7, 3), rng.uniform(0, 2 * np.pi), rng.normal()
        total += size * (np.sin(omega * time + phase) - np.sin(phase))
    return total


def _rotations(yaw: np.ndarray, pitch: np.ndarray, roll: np.ndarray) -> np.ndarray:
    zero, one = np.zeros(len(yaw)), np.ones(len(yaw))
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    around_y = np.array([[cy, zero, sy], [zero, one, zero], [-sy, zero, cy]])
    around_x = np.array([[one, zero, zero], [zero, cp, -sp], [zero, sp, cp]])
    around_z = np.array([[cr, -sr, zero], [sr, cr, zero], [zero, zero, one]])
    a, b, c = (turn.transpose(2, 0, 1) for turn in (around_y, around_x, around_z))
    return a @ b @ c
