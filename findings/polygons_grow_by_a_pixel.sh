#!/usr/bin/env bash
# The same polygon of a label has more pixels by Pillow 13.0.0, OpenCV 5.0.0 and scikit-image 0.26.0 than by pycocotools 2.0.11: a pole
# that is 3 pixels wide and 40 high gets 164 pixels by three of them, and 120 by the fourth. The IoU of the two masks is 0.73.
#
# pycocotools takes corners of pixels for coordinates, and fills what lies between: x from 10 to 13 are 3 columns. The others
# take centres of pixels, and fill the pixels on the border too: x from 10 to 13 are 4 columns. A region grows by a column and a
# row. For a road that is nothing, for poles, signs and distant people it is a third of the class.
#
# Which one made a mask is seldom said. cityscapesScripts draws its labels by Pillow, labelme by Pillow, supervision and many
# converters by cv2.fillPoly; COCO's masks, and what exports polygons by its library, are pycocotools'. So polygons that go out of
# a labelling tool as masks and as JSON are two ground truths, and a network trained on the one is measured on the other.
# A mask that goes through cv2.findContours and pycocotools loses a column and a row, for the same reason.
#
# A way round: make the masks of training and of evaluation by the same library, from the polygons; or keep masks and no
# polygons. edge_arseg reads masks alone.
#
# Seen below: pixels of each mask, and its IoU with that of pycocotools, for upright rectangles and a slanted pole.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check pillow==13.0.0 opencv-python-headless==5.0.0.93 \
    scikit-image==0.26.0 pycocotools==2.0.11 numpy==2.4.6 2>/dev/null
cat > "$folder/seen.py" <<'PY'
from importlib.metadata import version

import cv2
import numpy as np
from PIL import Image, ImageDraw
from pycocotools import mask as coco
from skimage.draw import polygon2mask

SIZE = 64


def by_pycocotools(polygon):
    return coco.decode(coco.frPyObjects([polygon.ravel().tolist()], SIZE, SIZE))[..., 0] > 0


def by_pillow(polygon):
    picture = Image.new("L", (SIZE, SIZE))
    ImageDraw.Draw(picture).polygon([tuple(point) for point in polygon.tolist()], fill=1)
    return np.asarray(picture) > 0


def by_opencv(polygon):
    picture = np.zeros((SIZE, SIZE), np.uint8)
    cv2.fillPoly(picture, [polygon.round().astype(np.int32)], 1)
    return picture > 0


LIBRARIES = {
    "pycocotools": by_pycocotools,
    "pillow": by_pillow,
    "opencv-python-headless": by_opencv,
    "scikit-image": lambda polygon: polygon2mask((SIZE, SIZE), polygon[:, ::-1]),
}
POLYGONS = {
    "1 x 40 pixels": [(10, 10), (11, 10), (11, 50), (10, 50)],
    "3 x 40 pixels": [(10, 10), (13, 10), (13, 50), (10, 50)],
    "20 x 20 pixels": [(20, 20), (40, 20), (40, 40), (20, 40)],
    "slanted, 3.5 x 40 pixels": [(20.2, 5.3), (23.7, 5.3), (33.7, 45.3), (30.2, 45.3)],
}
print(*(f"{name} {version(name)}" for name in LIBRARIES))
seen = {}
for shape, points in POLYGONS.items():
    masks = {name: draw(np.array(points, float)) for name, draw in LIBRARIES.items()}
    right = masks["pycocotools"]
    for name, mask in masks.items():
        seen[shape, name] = int(mask.sum()), float((mask & right).sum() / (mask | right).sum())
        print(f"{shape}, {name}: {seen[shape, name][0]} pixels, IoU {seen[shape, name][1]:.2f}")
for (shape, name), (count, overlap) in seen.items():
    if name == "pycocotools":
        wanted = {"1 x 40 pixels": 40, "3 x 40 pixels": 120, "20 x 20 pixels": 400}.get(shape, 140)
        assert abs(count - wanted) <= 3, "the measurement itself is off"
    elif not shape.startswith("slanted"):
        assert count == {"1 x 40 pixels": 82, "3 x 40 pixels": 164, "20 x 20 pixels": 441}[shape], "the behaviour has changed"
    else:
        assert overlap < 0.95, "the behaviour has changed"
square = by_pycocotools(np.array(POLYGONS["20 x 20 pixels"], float))
contour = cv2.findContours(square.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0][0]
back = int(by_pycocotools(contour[:, 0].astype(float)).sum())
print(f"20 x 20 pixels, by cv2.findContours and pycocotools: {back} pixels")
assert back == 19 * 19, "the behaviour has changed"
PY
"$folder/venv/bin/python" "$folder/seen.py"
