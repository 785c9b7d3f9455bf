#!/usr/bin/env python3
"""Search the colours of `edge_arseg/video/overlay/palette/named.py`.

usage: python tools/palette_search.py [--steps 300000] [--seed 0]    (about 4 minutes)

Each name begins at the colour that people expect of it (a blue sky, green trees) and is moved in CIELAB, a random step
at a time, until the classes of CamVid and of Cityscapes are far enough from each other for normal vision, and for
protanopia, deuteranopia and tritanopia. Nearness to where it began counts too. Prints the table and the least
distances.
"""

import argparse

import numpy as np

from edge_arseg.video.overlay.palette.vision import Vision, lab_seen, least_distance

START = {
    "sky": (130, 200, 255),
    "building": (190, 110, 90),
    "pole": (235, 225, 180),
    "road": (135, 85, 160),
    "sidewalk": (250, 120, 220),
    "tree": (50, 150, 60),
    "sign": (255, 225, 0),
    "fence": (150, 120, 60),
    "car": (20, 90, 255),
    "person": (235, 30, 50),
    "rider": (255, 140, 0),
    "void": (30, 30, 34),
    "wall": (110, 115, 150),
    "traffic_light": (255, 190, 120),
    "terrain": (160, 240, 140),
    "truck": (20, 30, 120),
    "bus": (0, 160, 160),
    "train": (0, 90, 100),
    "motorcycle": (150, 60, 255),
    "bicycle": (120, 10, 40),
}
CAMVID = ["sky", "building", "pole", "road", "sidewalk", "tree", "sign", "fence", "car", "person", "rider", "void"]
CITYSCAPES = [name for name in START if name not in ("void",)]
HELD = {"sky": 6.0, "road": 2.0, "tree": 3.0, "car": 2.0, "person": 2.0, "building": 2.0}
"""What is seen most stays nearest to what people expect."""
WANTED = {"camvid": (CAMVID, 34.0, 18.5), "cityscapes": (CITYSCAPES, 27.0, 10.0)}
"""Classes; least distance for normal vision, and for the others, that is aimed at."""


def penalty(colors: np.ndarray, start: np.ndarray, names: list[str]) -> float:
    """What is missing to the distances that are aimed at, and the way from the start."""
    total = 0.0
    for vision in Vision:
        lab = lab_seen(colors, vision)
        for members, normal, other in WANTED.values():
            own = lab[[names.index(name) for name in members]]
            apart = np.sqrt(((own[:, None] - own[None]) ** 2).sum(-1))[np.triu_indices(len(own), 1)]
            aim = normal if vision is Vision.NORMAL else other
            total += float((np.maximum(0, 1 - apart / aim) ** 2).sum())
            total += 2 * max(0.0, 1 - float(apart.min()) / aim)
    weight = np.array([HELD.get(name, 1.0) for name in names])
    way = lab_seen(colors, Vision.NORMAL) - start
    return total + 6e-6 * float((weight * (way**2).sum(1)).sum())


def main() -> None:
    """Search, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=300_000)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    rng, names = np.random.default_rng(chosen.seed), list(START)
    colors = np.array([START[name] for name in names], np.float64)
    start = lab_seen(colors, Vision.NORMAL)
    best = current = penalty(colors, start, names)
    kept = colors.copy()
    for step in range(chosen.steps):
        heat = 1 - step / chosen.steps
        tried = colors.copy()
        which = rng.integers(len(names))
        tried[which] = (tried[which] + rng.normal(0, 4 + 40 * heat, 3)).clip(0, 255).round()
        cost = penalty(tried, start, names)
        if cost < current or rng.random() < np.exp((current - cost) / (0.02 * heat + 1e-6)):
            colors, current = tried, cost
            if cost < best:
                best, kept = cost, tried.copy()
    for name, color in zip(names, kept.astype(int), strict=True):
        print(f"    {name} {' '.join(map(str, color))}")
    for group, (members, *_) in WANTED.items():
        own = kept[[names.index(name) for name in members]]
        print(group, {vision.value: round(least_distance(own, vision), 1) for vision in Vision})


if __name__ == "__main__":
    main()
