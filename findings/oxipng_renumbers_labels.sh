#!/usr/bin/env bash
# oxipng (pyoxipng 9.1.1) gives the classes of a label PNG other numbers, at each of its levels, also of a grey one.
#
# By its page oxipng is "a lossless PNG compression optimizer", and every pixel keeps its colour. But the pixels get new
# numbers: a palette is sorted so that the file gets small, and a grey picture gets a palette. In the labels of a segmentation
# (Cityscapes' labelIds, CamVid, VOC, DAVIS) the number of a pixel is its class. What reads the numbers, np.asarray of
# Pillow's picture for one, gets other classes in the right range and shape, so nothing fails. The order is another one in
# each file. OpenCV reads colours, so that grey labels are right there, and a check with it sees nothing. edge_arseg reads the
# numbers as stored; it refuses a grey label that such a program renumbered, which its palette gives away.
#
# It is met where the pictures of a data set are made smaller before they go into a repository, an image or a bucket.
# A way round: leave labels out, or switch the reductions off: the three arguments below, `oxipng --nx` in a shell. The files
# get nearly as small. Files that went through it can be repaired by their colours: Pillow's convert("L") gives the classes of
# grey labels back, and for others the palette of the data set does.
#
# Seen below: the share of the pixels that keep their number, and whether all keep their colour.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check pyoxipng==9.1.1 pillow==13.0.0 numpy==2.4.6 2>/dev/null
cat > "$folder/seen.py" <<'PY'
import io
from importlib.metadata import version

import numpy as np
import oxipng
from PIL import Image

random = np.random.default_rng(0)
labels = np.kron(random.integers(0, 12, (12, 16)), np.ones((16, 16), int)).astype(np.uint8)
grey = Image.fromarray(labels)
colored = Image.fromarray(labels)
colored.putpalette(random.integers(0, 256, (12, 3), np.uint8).tobytes())
assert (grey.mode, colored.mode) == ("L", "P")

print("pyoxipng", version("pyoxipng"))
for name, picture in (("grey", grey), ("palette", colored)):
    plain = io.BytesIO()
    picture.save(plain, "png")
    for way, options in (
        *((f"level {level}", {"level": level}) for level in (0, 2, 6)),
        ("no reductions", {"palette_reduction": False, "color_type_reduction": False, "bit_depth_reduction": False}),
    ):
        small = oxipng.optimize_from_memory(plain.getvalue(), **options)
        read = Image.open(io.BytesIO(small))
        same = float((np.asarray(read) == labels).mean())
        colors = bool((np.asarray(read.convert("RGB")) == np.asarray(picture.convert("RGB"))).all())
        sizes = f"{len(plain.getvalue())} to {len(small)} bytes"
        print(f"{name}, {way}: mode {read.mode}, {sizes}, {same:.0%} keep their number, colours kept: {colors}")
        if name == "grey":
            assert (np.asarray(read.convert("L")) == labels).all(), "the way back has changed"
        assert colors, "the measurement itself is off"
        assert same == 1 if way == "no reductions" else same < 0.2, "the behaviour has changed"
PY
"$folder/venv/bin/python" "$folder/seen.py"
