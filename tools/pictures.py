#!/usr/bin/env python3
"""Make the pictures of README and of the model cards: docs/demo.webp, demo.png, street.png, MODEL-failures.png.

usage: python tools/pictures.py [CLIP]

- demo.webp: a clip through the shipped int8 bundle, four times side by side: as it is, every frame through the HR
  branch, every frame through the LR branch, and AR. An animated WebP, which GitHub and PyPI show as an image.
- demo.png: one frame of each half of what `run` draws, the clip and the rendered street.
- street.png: a frame of the rendered street, and its exact labels.
- MODEL-failures.png: a row for each kind of failure of a shipped model on the clip: the source, HR, AR.

CLIP is the highway clip of Udacity's CarND-LaneLines-P1 (MIT), kept beside the repository. Needs Pillow, which comes
with matplotlib.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from edge_arseg.runtime.mode import Mode
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.spec.frame import Branch, Frame, SegmentedFrame
from edge_arseg.spec.model import CAMVID_11
from edge_arseg.street.drive import scenes_from_street
from edge_arseg.video.overlay.drawing import Overlay
from edge_arseg.video.overlay.facts.status import badge_of_branch
from edge_arseg.video.overlay.plate import DIM, Plate
from edge_arseg.video.overlay.scale import scale_of
from edge_arseg.video.overlay.style import OverlayStyle

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
CLIP = ROOT.parent / "shared/clips/highway_960x540.mp4"
BUNDLES = {model: ROOT / f"edge_arseg/zoo/{model}-360x480-int8.arseg" for model in ("camvid-compact", "camvid-lite1")}
BUNDLE = BUNDLES["camvid-compact"]
PANEL = 270, 480
FIRST, LAST, STEP = 96, 206, 2
MILLISECONDS = 80
FAILURES = (
    ("thin things", 71, (120, 600, 180)),
    ("small things", 203, (200, 235, 198)),
    ("far things", 167, (215, 400, 180)),
    ("unknown things", 23, (0, 0, 540)),
)
"""A name, the frame, and the top, the left and the rows of the part of a frame of 540x960 that shows it."""
STYLE = OverlayStyle(legend=False, labels=False)


def panels(clip: Path, mode: Mode) -> Iterator[tuple[np.ndarray, np.ndarray, SegmentedFrame]]:
    """The source and what a mode makes of it, both of the panel's size, with the result."""
    with Segmenter(BUNDLE, mode=mode, backend="onnxruntime") as segmenter:
        overlay = Overlay(PANEL, segmenter.bundle.manifest.model.classes, STYLE)
        for result in segmenter.stream(str(clip), output_size=PANEL, picture=True):
            if result.frame.index >= LAST:
                return
            drawn = overlay.draw(result)
            if result.frame.index >= FIRST and not (result.frame.index - FIRST) % STEP:
                yield result.frame.picture.copy(), drawn[: PANEL[0], : PANEL[1]].copy(), result


def captioned(panel: np.ndarray, title: str, branch: Branch | None = None, more: str = "") -> np.ndarray:
    """Write a title on a panel, behind the badge of a branch."""
    scale = scale_of(540, 960)
    font, text, height = scale.font, scale.text, round(2 * scale.text)
    badge = badge_of_branch(branch, scale) if branch else None
    left = 0.6 * text if badge is None else badge.width + 1.0 * text
    wide = font.width(f"{title}  {more}" if more else title)
    plate = Plate(height, round(left + wide + 0.7 * text), scale.radius)
    if badge is not None:
        plate.put(badge, round((height - badge.height) / 2), round(0.45 * text))
    plate.write(font, title, height / 2, left)
    if more:
        plate.write(font, more, height / 2, left + font.width(f"{title}  "), DIM)
    plate.lay(panel, scale.margin, scale.margin)
    return panel


def animation(clip: Path) -> list[Image.Image]:
    """The frames of demo.webp."""
    frames = []
    for (source, hr, _), (_, lr, _), (_, ar, result) in zip(
        *(panels(clip, mode) for mode in (Mode.HR, Mode.LR, Mode.AR)), strict=True
    ):
        more = f"+{result.distance}" if result.distance else ""
        top = np.concatenate([captioned(source, "source"), captioned(hr, "on every frame", Branch.HR)], 1)
        ours = captioned(ar, "AR-Seg", result.branch, more)
        below = np.concatenate([captioned(lr, "on every frame", Branch.LR), ours], 1)
        frames.append(Image.fromarray(np.concatenate([top, below])))
    return frames


def overlay_of(source: str, index: int, size: tuple[int, int], style: OverlayStyle) -> np.ndarray:
    """A frame of the overlay that ``run`` writes."""
    with Segmenter(BUNDLE, backend="onnxruntime") as segmenter:
        overlay = Overlay(size, segmenter.bundle.manifest.model.classes, style, pace=lambda: None)
        for result in segmenter.stream(source, output_size=size, picture=True):
            drawn = overlay.draw(result)
            if result.frame.index == index:
                return drawn.copy()
    raise SystemExit(f"{source}: has no frame {index}")


def street() -> np.ndarray:
    """A frame of the rendered street beside its labels."""
    scene = next(scene for number, scene in enumerate(scenes_from_street(size=(360, 640))) if number == 20)
    result = SegmentedFrame(Frame(0, 0.0, scene.rgb), scene.labels, Branch.HR, 0, 0.0)
    style = OverlayStyle(legend=False, compare=True)
    return Overlay((360, 640), CAMVID_11, style).draw(result).copy()


def failures(clip: Path, bundle: Path) -> np.ndarray:
    """A row for each of ``FAILURES`` of a bundle: the source, HR on every frame, and AR."""
    rows: dict[int, list[np.ndarray]] = {index: [] for _, index, _ in FAILURES}
    results: dict[int, SegmentedFrame] = {}  # of AR
    for mode in (Mode.HR, Mode.AR):
        with Segmenter(bundle, mode=mode, backend="onnxruntime") as segmenter:
            overlay = Overlay((540, 960), segmenter.bundle.manifest.model.classes, STYLE)
            for result in segmenter.stream(str(clip), output_size=(540, 960), picture=True):
                if (row := rows.get(result.frame.index)) is None:
                    continue
                if not row:
                    row.append(result.frame.picture.copy())
                row.append(overlay.draw(result)[:540, :960].copy())
                results[result.frame.index] = result
    lines = []
    for name, index, (top, left, height) in FAILURES:
        parts = [image[top : top + height, left : left + height * 16 // 9] for image in rows[index]]
        enlarged = [np.array(Image.fromarray(part).resize(PANEL[::-1], Image.Resampling.LANCZOS)) for part in parts]
        ours = "AR-Seg", results[index].branch, f"+{results[index].distance}"
        titles = (name, None, ""), ("on every frame", Branch.HR, ""), ours
        lines.append(
            np.concatenate([captioned(panel, *title) for panel, title in zip(enlarged, titles, strict=True)], 1)
        )
    return np.concatenate(lines)


def main() -> None:
    """Make all of them."""
    clip = Path(sys.argv[1]) if len(sys.argv) > 1 else CLIP
    frames = animation(clip)
    target = DOCS / "demo.webp"
    options = {"duration": MILLISECONDS, "loop": 0, "quality": 60, "method": 6, "minimize_size": False}
    frames[0].save(target, save_all=True, append_images=frames[1:], **options)
    print(f"{target.name}: {len(frames)} frames, {target.stat().st_size / 1e6:.2f} MB")
    size = 360, 640
    sources = (str(clip), 200), ("test://street?size=540x960", 20)
    both = [overlay_of(source, index, size, OverlayStyle()) for source, index in sources]
    Image.fromarray(np.concatenate(both, 1)).save(DOCS / "demo.png", optimize=True)
    Image.fromarray(street()).save(DOCS / "street.png", optimize=True)
    for model, bundle in BUNDLES.items():
        palette = Image.fromarray(failures(clip, bundle)).quantize(256, dither=Image.Dither.NONE)
        palette.save(DOCS / f"{model}-failures.png", optimize=True)


if __name__ == "__main__":
    main()
