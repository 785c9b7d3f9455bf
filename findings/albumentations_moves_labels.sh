#!/usr/bin/env bash
# albumentations 2.0.8 moves pictures against their labels: Downscale by (1/scale - 1) / 2 pixels to the right and down, so 1.5
# pixels at 0.25 and 3.5 at 0.125; Resize and RandomScale by nearly half a pixel of the result.
#
# Downscale makes a picture small and large again, as an augmentation for cameras of few pixels, and leaves the labels alone. Both
# steps take the nearest pixel, which for OpenCV is the upper left one of each block. So the picture is not only coarse, it
# lies beside its labels, always to the same side.
#
# Resize and its like take INTER_LINEAR for pictures, whose pixels have their centres at halves, and INTER_NEAREST for labels, which
# takes x / scale and has no such half. The labels lie (1/scale - 1) / 2 pixels of the source beside the picture. A network that is
# trained on both learns the shift, and evaluation at another scale has another one. Poles lose most.
#
# A way round: Resize(..., mask_interpolation=cv2.INTER_NEAREST_EXACT), and Downscale(interpolation_pair={"downscale":
# cv2.INTER_AREA, "upscale": cv2.INTER_LINEAR}). edge_arseg resizes labels by the centres of their pixels.
#
# Seen below: a disk of 120 pixels in a picture of 256; where the centre of the picture's disk lies against that of the labels.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
    albumentations==2.0.8 opencv-python-headless==5.0.0.93 numpy==2.4.6 2>/dev/null
cat > "$folder/seen.py" <<'PY'
import warnings

warnings.filterwarnings("ignore")
import albumentations
import cv2
import numpy as np
from albumentations import Compose, Downscale, RandomScale, Resize

SIDE, FINE = 256, 8
places = (np.arange(SIDE * FINE) + 0.5) / FINE
inside = (places[:, None] - 121.3) ** 2 + (places[None] - 134.1) ** 2 <= 60**2
cover = inside.reshape(SIDE, FINE, SIDE, FINE).mean((1, 3))
picture = np.repeat((cover * 255).round().astype(np.uint8)[..., None], 3, axis=2)
labels = (cover >= 0.5).astype(np.uint8)


def centre(values):
    values = values.astype(np.float64)
    return np.array([(values.sum(1 - axis) * np.arange(values.shape[axis])).sum() / values.sum() for axis in (0, 1)])


def shift(transform):
    """How far the picture lies behind its labels, in pixels of the result, rows and columns."""
    out = Compose([transform], seed=0)(image=picture, mask=labels)
    return centre(out["image"][..., 0]) - centre(out["mask"])


PAIR = {"downscale": cv2.INTER_AREA, "upscale": cv2.INTER_LINEAR}
# transform, what is expected, and how far from that it may be
CASES = {
    "Downscale to 0.25": (Downscale((0.25, 0.25), p=1), 1.5, 0.5),
    "Downscale to 0.125": (Downscale((0.125, 0.125), p=1), 3.5, 1.0),
    "Downscale to 0.125, area and linear": (Downscale((0.125, 0.125), interpolation_pair=PAIR, p=1), 0, 0.1),
    "Resize to 64": (Resize(64, 64), -0.375, 0.1),
    "RandomScale to 0.25": (RandomScale((-0.75, -0.75), p=1), -0.375, 0.1),
    "Resize to 64, labels by INTER_NEAREST_EXACT": (Resize(64, 64, mask_interpolation=cv2.INTER_NEAREST_EXACT), 0, 0.22),
}
print("albumentations", albumentations.__version__, "cv2", cv2.__version__)
for name, (transform, expected, margin) in CASES.items():
    found = shift(transform)
    print(f"{name}: rows {found[0]:+.2f}, columns {found[1]:+.2f}")
    told = "the behaviour has changed" if expected else "the measurement itself is off"
    assert abs(found - expected).max() < margin, told
PY
"$folder/venv/bin/python" "$folder/seen.py"
