"""A canvas in metres on which pictures are drawn from soft-edged shapes, and the noise that gives them a surface."""

from itertools import pairwise

import numpy as np

Color = tuple[float, float, float]


class Canvas:
    """A picture with alpha, addressed in metres: x to the right, y up.

    Attributes:
        rgba: ``[h, w, 4] float32``, colour 0 to 255 multiplied by alpha, alpha 0 to 1; row 0 is the top.
        density: texels per metre, horizontally and vertically.
    """

    def __init__(self, x: tuple[float, float], y: tuple[float, float], density: float | tuple[float, float]) -> None:
        self.x, self.y = x, y
        self.density = density if isinstance(density, tuple) else (density, density)
        width = round((x[1] - x[0]) * self.density[0])
        height = round((y[1] - y[0]) * self.density[1])
        self.rgba = np.zeros((height, width, 4), np.float32)
        self._columns = (x[0] + (np.arange(width, dtype=np.float32) + 0.5) / self.density[0])[None, :]
        self._rows = (y[1] - (np.arange(height, dtype=np.float32) + 0.5) / self.density[1])[:, None]

    def span(self, x0: float, x1: float, y0: float, y1: float) -> tuple[slice, slice]:
        """Return the rows and columns of a box in metres."""
        height, width = self.rgba.shape[:2]
        across, down = self.density  # numbers, not arrays of two: a street is made of thousands of boxes
        left, right = (min(max(round((float(x) - self.x[0]) * across), 0), width) for x in (x0, x1))
        upper, lower = (min(max(round((self.y[1] - float(y)) * down), 0), height) for y in (y1, y0))
        # NumPy's integers: counts made of them turn single precision into double, and streets must stay as they were
        return slice(np.intp(upper), np.intp(lower)), slice(np.intp(left), np.intp(right))

    def rect(self, x0: float, x1: float, y0: float, y1: float, color: Color, alpha: float = 1.0) -> None:
        """Fill a box, edges on whole texels."""
        rows, columns = self.span(x0, x1, y0, y1)
        self._lay(rows, columns, np.float32(alpha), color)

    def ellipse(self, x: float, y: float, rx: float, ry: float, color: Color, alpha: float = 1.0) -> None:
        """Fill an ellipse around (x, y)."""
        rows, columns = self._around(x - rx, x + rx, y - ry, y + ry)
        dx, dy = (self._columns[:, columns] - x) / rx, (self._rows[rows] - y) / ry
        inside = (1.0 - np.sqrt(dx * dx + dy * dy)) * min(rx, ry) * self.density[0]
        self._lay(rows, columns, alpha * np.clip(inside + 0.5, 0, 1), color)

    def line(self, points: list[tuple[float, float]], radius: float, color: Color, alpha: float = 1.0) -> None:
        """Draw a round-ended line of half-width ``radius`` through the points."""
        for (x0, y0), (x1, y1) in pairwise(points):
            low_x, high_x, low_y, high_y = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
            rows, columns = self._around(low_x - radius, high_x + radius, low_y - radius, high_y + radius)
            px, py = self._columns[:, columns] - x0, self._rows[rows] - y0
            ax, ay = x1 - x0, y1 - y0
            along = np.clip((px * ax + py * ay) / max(ax * ax + ay * ay, 1e-9), 0, 1)
            distance = np.hypot(px - along * ax, py - along * ay)
            self._lay(rows, columns, alpha * np.clip((radius - distance) * self.density[0] + 0.5, 0, 1), color)

    def polygon(self, points: list[tuple[float, float]], color: Color, alpha: float = 1.0) -> None:
        """Fill a convex polygon, corners clockwise."""
        xs, ys = [point[0] for point in points], [point[1] for point in points]
        rows, columns = self._around(min(xs), max(xs), min(ys), max(ys))
        inside = np.full((rows.stop - rows.start, columns.stop - columns.start), 1e9, np.float32)
        for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
            length = max(float(np.hypot(x1 - x0, y1 - y0)), 1e-9)
            nx, ny = (y1 - y0) / length, -(x1 - x0) / length
            edge = (self._columns[:, columns] - x0) * nx + (self._rows[rows] - y0) * ny
            np.minimum(inside, edge, out=inside)
        self._lay(rows, columns, alpha * np.clip(inside * self.density[0] + 0.5, 0, 1), color)

    def shade(self, factor: np.ndarray | float) -> None:
        """Multiply the colour, ``factor`` broadcast to ``[h, w]``."""
        self.rgba[..., :3] *= np.asarray(factor, np.float32)[..., None]
        np.minimum(self.rgba[..., :3], 255.0 * self.rgba[..., 3:], out=self.rgba[..., :3])

    def clear(self, keep: np.ndarray) -> None:
        """Multiply colour and alpha by ``keep``, ``[h, w]`` of 0 to 1."""
        self.rgba *= keep[..., None]

    def _around(self, x0: float, x1: float, y0: float, y1: float) -> tuple[slice, slice]:
        margin_x, margin_y = 1.5 / self.density[0], 1.5 / self.density[1]
        return self.span(x0 - margin_x, x1 + margin_x, y0 - margin_y, y1 + margin_y)

    def _lay(self, rows: slice, columns: slice, cover: np.ndarray | np.float32, color: Color) -> None:
        cover = np.asarray(cover, np.float32)[..., None]
        part = self.rgba[rows, columns]
        part *= 1.0 - cover
        part += cover * np.array([*color, 1.0], np.float32)


def noise(shape: tuple[int, int], cell: tuple[int, int], rng: np.random.Generator, octaves: int = 1) -> np.ndarray:
    """Return smooth noise of mean 0 and about unit spread that repeats at its edges, ``shape float32``.

    ``cell`` is the size of the largest bumps in texels; every further octave has half of it, and half the height.
    """
    total = np.zeros(shape, np.float32)
    height = 1.0
    for _ in range(octaves):
        grid = rng.standard_normal((max(1, shape[0] // cell[0]), max(1, shape[1] // cell[1]))).astype(np.float32)
        total += height * _stretched(_stretched(grid, shape[0], 0), shape[1], 1)
        height *= 0.55
        cell = (max(1, cell[0] // 2), max(1, cell[1] // 2))
    return total


def _stretched(grid: np.ndarray, size: int, axis: int) -> np.ndarray:
    """Interpolate ``grid`` smoothly to ``size`` along ``axis``, periodically."""
    count = grid.shape[axis]
    position = np.arange(size, dtype=np.float32) * (count / size)
    first = position.astype(np.int32)
    weight = position - first
    weight = weight * weight * (3 - 2 * weight)
    weight = weight[:, None] if axis == 0 else weight[None, :]
    near, far = grid.take(first, axis), grid.take((first + 1) % count, axis)
    return near + (far - near) * weight
