#!/usr/bin/env bash
# PyAV 18.1.0: Frame.side_data of an ordinary JPEG with EXIF data raises ValueError.
#
# FFmpeg 8 attaches the EXIF data to the picture as side data of kind 31. PyAV's enum av.sidedata.sidedata.Type ends
# before it, and Frame.side_data looks up every kind, so that no side data of the picture can be had any more: not the
# display matrix, not motion vectors. frame.rotation still works, but does not tell a mirrored picture (orientation 4
# gives 0, 2 gives -180 like 3), so nothing public is left that shows such a picture as browsers do.
# edge_arseg gives the enum a _missing_ that names unlisted kinds (edge_arseg/video/decoding/side_data.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet av==18.1.0 numpy==2.3.5
cat > "$folder/show.py" <<'PY'
import sys
from fractions import Fraction

import av
import numpy as np

encoder = av.CodecContext.create("mjpeg", "w")
encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 64, 48, "yuvj420p", Fraction(1, 25)
frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), format="rgb24")
data = b"".join(bytes(packet) for given in (frame, None) for packet in encoder.encode(given))
seen = {}
for orientation in (1, 2, 3, 4):
    tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0" + orientation.to_bytes(4, "little") + bytes(4)
    exif = b"Exif\0\0" + tiff
    path = sys.argv[1] + f"/{orientation}.jpg"
    with open(path, "wb") as file:
        file.write(data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:])
    with av.open(path) as container:
        picture = next(container.decode(video=0))
        try:
            found = [side.type.name for side in picture.side_data]
        except ValueError as error:
            found = f"ValueError: {error}"
        seen[orientation] = (picture.rotation, found)
        print(f"orientation {orientation}: rotation {picture.rotation}, side data {found}")
print("PyAV", av.__version__, "libavcodec", *av.library_versions["libavcodec"])
same = {n: (angle, "ValueError: 31 is not a valid Type") for n, angle in {1: 0, 2: -180, 3: -180, 4: 0}.items()}
sys.exit(0 if seen == same else 1)
PY
"$folder/venv/bin/python" "$folder/show.py" "$folder"
