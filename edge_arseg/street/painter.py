"""Casts a ray through every pixel and paints what it meets: sky, facades, ground, then the objects from far to near."""

from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np

from edge_arseg.street.layout import BUILDING, FACADE, PERIOD, ROOF, TEXELS_PER_METRE
from edge_arseg.street.quad import Quad
from edge_arseg.street.scene.facade import Side, houses_from_seed, side_from_houses
from edge_arseg.street.scene.road import COLUMNS_PER_METRE, HALF_WIDTH, Ground, ground_from_houses
from edge_arseg.street.scene.sky import HAZE, HIGH, LOW, REACH_U, Panorama, panorama_from_seed
from edge_arseg.street.texture import HALF_COVERED, Texture, hazed, lay_over, packed, rgb_from_packed
from edge_arseg.street.traffic import Pose

_HAZE = packed(HAZE)
_FAR_M = 500.0
_NEAR_M = 0.7
_PART = 1 << 15
_DEPTHS = 1024
_DEPTH_STEPS = 2  # entries of the depth tables per metre


@lru_cache(maxsize=2)
def _street(seed: int) -> tuple[Panorama, Ground, Side, Side]:
    """Paint the surfaces of one street; about a second, hence remembered."""
    rng = np.random.default_rng([seed, 0])
    panorama = panorama_from_seed(rng)
    left, right = houses_from_seed(rng), houses_from_seed(rng)
    return (
        panorama,
        ground_from_houses(right, rng),
        side_from_houses(left, 1.0, rng),
        side_from_houses(right, 0.66, rng),
    )


class Painter:
    """Paints one street at one size.

    Args:
        size: rows and columns of the picture.
        seed: which street.
    """

    def __init__(self, size: tuple[int, int], seed: int) -> None:
        self._size = size
        self._panorama, self._ground, self._left, self._right = _street(seed)
        rows, columns = size
        self._focal = 0.88 * max(columns, 1.2 * rows)
        self._u = ((np.arange(columns, dtype=np.float32) + 0.5 - columns / 2) / self._focal)[None, :]
        self._v = ((rows * 0.47 - np.arange(rows, dtype=np.float32) - 0.5) / self._focal)[:, None]
        depth = (np.arange(_DEPTHS, dtype=np.float32) + 0.5) / _DEPTH_STEPS
        self._haze = (256 * (1 - np.exp(-np.maximum(depth - 8, 0) / 210))).astype(np.uint64)
        wide, deep = depth / self._focal, depth * depth / self._focal
        ground, wall = self._ground.texture, self._left.texture
        self._ground_u = ground.levels(wide * COLUMNS_PER_METRE, 1)
        self._ground_v = ground.levels(deep / 1.45 * TEXELS_PER_METRE, 0)
        self._wall_u = wall.levels(deep / FACADE * TEXELS_PER_METRE, 1)
        self._wall_v = wall.levels(wide * 24, 0)

    def paint(self, pose: Pose, shadows: Iterable[Quad], objects: Iterable[Quad]) -> tuple[np.ndarray, np.ndarray]:
        """Return the picture, ``[H, W, 3] uint8`` RGB, and its labels, ``[H, W] uint8``."""
        self._pose = pose
        self._turn = _rotation(pose)
        rays = [row[0] * self._u + (row[1] * self._v + row[2]) for row in self._turn]
        self._rays = rays
        self._picture = np.empty(self._size, np.uint64)
        self._labels = np.empty(self._size, np.uint8)
        dx, dy, dz = rays
        # Every ray meets the facade plane of the side it points to, unless it meets the ground before.
        aside = np.where(dx > 0, np.float32(FACADE - pose.x), np.float32(-FACADE - pose.x))
        reach = aside / np.where(np.abs(dx) < 1e-6, np.float32(1e-6), dx)
        np.abs(reach, out=reach)
        height = reach * dy
        height += np.float32(pose.y)
        lower = height <= 0
        for where in _parts(~lower):
            self._paint_panorama(where)
        for side, x in ((self._left, -FACADE), (self._right, FACADE)):
            self._paint_end_walls(side, x)
        depth = reach * dz
        wall = (height > 0) & (height < ROOF) & (depth < _FAR_M)
        right = dx > 0
        for side, mask in ((self._left, wall & ~right), (self._right, wall & right)):
            for where in _parts(mask):
                self._paint_facade(side, where, depth, height)
        for where in _parts(lower):
            self._paint_ground(where)
        for quad in shadows:
            self._paint_quad(quad)
        for quad in objects:
            self._paint_quad(quad)
        return rgb_from_packed(self._picture), self._labels

    def _paint_panorama(self, where: np.ndarray) -> None:
        dx, dy, dz = (ray.ravel()[where] for ray in self._rays)
        texture, labels = self._panorama.texture, self._panorama.labels
        rows, columns = labels.shape
        u = (dx / dz + np.float32(REACH_U)) * np.float32(columns / (2 * REACH_U))
        v = (np.float32(HIGH) - dy / dz) * np.float32(rows / (HIGH - LOW))
        self._picture.ravel()[where] = texture.sample(u, v, 0, 0)
        row = np.clip(v, 0, rows - 1).astype(np.int32)
        self._labels.ravel()[where] = labels[row, np.clip(u, 0, columns - 1).astype(np.int32)]

    def _paint_facade(self, side: Side, where: np.ndarray, depth: np.ndarray, height: np.ndarray) -> None:
        depth, height = depth.ravel()[where], height.ravel()[where]
        at = np.minimum(depth * np.float32(_DEPTH_STEPS), np.float32(_DEPTHS - 1)).astype(np.int32)
        u = (depth + np.float32(self._pose.z % PERIOD)) * np.float32(TEXELS_PER_METRE)
        v = (np.float32(ROOF) - height) * np.float32(24)
        pixels = side.texture.sample(u, v, self._wall_u[at], self._wall_v[at])
        pixels = hazed(pixels, _HAZE, self._haze[at])
        flat = self._picture.ravel()
        below = flat[where]
        lay_over(below, pixels)
        flat[where] = below
        solid = pixels >= HALF_COVERED
        row = np.minimum(v[solid], side.labels.shape[0] - 1).astype(np.int32)
        column = u[solid].astype(np.int32) & (side.labels.shape[1] - 1)
        self._labels.ravel()[where[solid]] = side.labels[row, column]

    def _paint_ground(self, where: np.ndarray) -> None:
        dx, dy, dz = (ray.ravel()[where] for ray in self._rays)
        reach = np.float32(-self._pose.y) / dy
        depth = reach * dz
        at = np.minimum(depth * np.float32(_DEPTH_STEPS), np.float32(_DEPTHS - 1)).astype(np.int32)
        u = (reach * dx + np.float32(self._pose.x + HALF_WIDTH)) * np.float32(COLUMNS_PER_METRE)
        v = (depth + np.float32(self._pose.z % PERIOD)) * np.float32(TEXELS_PER_METRE)
        pixels = self._ground.texture.sample(u, v, self._ground_u[at], self._ground_v[at])
        self._picture.ravel()[where] = hazed(pixels, _HAZE, self._haze[at])
        labels = self._ground.labels
        column = np.clip(u, 0, labels.shape[1] - 1).astype(np.int32)
        row = v.astype(np.int32) & (labels.shape[0] - 1)
        self._labels.ravel()[where] = labels[row, column]

    def _paint_end_walls(self, side: Side, x: float) -> None:
        start = self._pose.z // PERIOD * PERIOD
        outer = 9.0 if x > 0 else -9.0
        for turn in (2, 1, 0):
            for house, texture in zip(reversed(side.houses), reversed(side.end_walls), strict=True):
                z = start + turn * PERIOD + house.start
                if texture is not None and z < self._pose.z + 160:
                    self._paint_quad(Quad("z", z, (x, x + outer), (house.height, 0.0), texture, BUILDING))

    def _paint_quad(self, quad: Quad) -> None:
        """Paint one rectangle over what is there."""
        pose, (rows, columns) = self._pose, self._box(quad)
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        dx, dy, dz = (ray[rows, columns] for ray in self._rays)
        if quad.axis == "z":
            reach = np.float32(quad.at - pose.z) / dz
            u, v = reach * dx + np.float32(pose.x - quad.u[0]), reach * dy + np.float32(pose.y - quad.v[0])
            depth = max(quad.at - pose.z, _NEAR_M)
            wide, tall = depth, depth
        elif quad.axis == "x":
            reach = np.float32(quad.at - pose.x) / np.where(np.abs(dx) < 1e-6, np.float32(1e-6), dx)
            np.copyto(reach, np.float32(1e6), where=reach <= 0)
            u, v = reach * dz + np.float32(pose.z - quad.u[0]), reach * dy + np.float32(pose.y - quad.v[0])
            depth = max(sum(quad.u) / 2 - pose.z, _NEAR_M)
            wide, tall = depth * depth / max(abs(quad.at - pose.x), 0.3), depth
        else:
            reach = np.float32(quad.at - pose.y) / np.minimum(dy, np.float32(-1e-6))
            u, v = reach * dx + np.float32(pose.x - quad.u[0]), reach * dz + np.float32(pose.z - quad.v[0])
            depth = max(sum(quad.v) / 2 - pose.z, _NEAR_M)
            wide, tall = depth, depth * depth / pose.y
        amount = self._haze[min(int(depth * _DEPTH_STEPS), _DEPTHS - 1)]
        pixels = self._sampled(quad.texture, quad, u, v, wide, tall)
        lay_over(self._picture[rows, columns], hazed(pixels, _HAZE, amount) if amount else pixels)
        if quad.label is not None:
            cover = pixels if quad.outline is None else self._sampled(quad.outline, quad, u, v, wide, tall)
            np.copyto(self._labels[rows, columns], np.uint8(quad.label), where=cover >= HALF_COVERED)

    def _sampled(
        self, texture: Texture, quad: Quad, u: np.ndarray, v: np.ndarray, wide: float, tall: float
    ) -> np.ndarray:
        """Sample ``u``, ``v`` metres from the picture's corner; a pixel is ``wide`` by ``tall`` / focal metres."""
        across = float(texture.width[0]) / (quad.u[1] - quad.u[0])
        down = float(texture.height[0]) / (quad.v[1] - quad.v[0])
        level_u = texture.level(wide / self._focal * abs(across), 1)
        level_v = texture.level(tall / self._focal * abs(down), 0)
        return texture.sample(u * np.float32(across), v * np.float32(down), level_u, level_v)

    def _box(self, quad: Quad) -> tuple[slice, slice]:
        """Return the rows and columns of the picture that the rectangle may touch."""
        pose, near = self._pose, self._pose.z + _NEAR_M
        if quad.axis == "z":
            zs, xs, ys = (quad.at, quad.at), quad.u, quad.v
        elif quad.axis == "x":
            zs, xs, ys = quad.u, (quad.at, quad.at), quad.v
        else:
            zs, xs, ys = quad.v, quad.u, (quad.at, quad.at)
        nothing = slice(0, 0), slice(0, 0)
        if max(zs) < near:
            return nothing
        zs = (max(zs[0], near), max(zs[1], near))
        turn, focal = self._turn, self._focal
        across, down = [], []
        for x in set(xs):
            for y in set(ys):
                for z in set(zs):
                    px, py, pz = x - pose.x, y - pose.y, z - pose.z
                    ahead = max(turn[0][2] * px + turn[1][2] * py + turn[2][2] * pz, 0.2)
                    across.append((turn[0][0] * px + turn[1][0] * py + turn[2][0] * pz) / ahead)
                    down.append((turn[0][1] * px + turn[1][1] * py + turn[2][1] * pz) / ahead)
        height, width = self._size
        left, right = width / 2 + focal * min(across), width / 2 + focal * max(across)
        top, bottom = height * 0.47 - focal * max(down), height * 0.47 - focal * min(down)
        if bottom - top < 1.5 and right - left < 1.5:
            return nothing
        columns = slice(min(max(int(left) - 1, 0), width), min(max(int(right) + 2, 0), width))
        rows = slice(min(max(int(top) - 1, 0), height), min(max(int(bottom) + 2, 0), height))
        return rows, columns


def _parts(mask: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the flat positions of the pixels in ``mask``, as many at a time as the processor's cache holds."""
    where = np.flatnonzero(mask)
    for start in range(0, where.size, _PART):
        yield where[start : start + _PART]


def _rotation(pose: Pose) -> list[list[float]]:
    """Return the matrix from camera (right, up, ahead) to street axes, rows x, y, z."""
    cy, sy = np.cos(pose.yaw), np.sin(pose.yaw)
    cp, sp = np.cos(pose.pitch), np.sin(pose.pitch)
    cr, sr = np.cos(pose.roll), np.sin(pose.roll)
    yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    pitch = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    roll = np.array([[cr, sr, 0], [-sr, cr, 0], [0, 0, 1]])
    return (yaw @ pitch @ roll).astype(np.float32).tolist()
