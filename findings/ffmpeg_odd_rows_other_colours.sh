#!/usr/bin/env bash
# PyAV 18.1.0 and OpenCV 5.0.0 (FFmpeg's libswscale in both): a 4:2:0 picture with an odd number of rows gets other colours than
# the same picture with one row more: on x86 most pixels are a level or two beside it, and at edges of colour up to 80 levels.
#
# For an even number of rows libswscale takes a quick converter that uses each colour sample for four pixels as it is. It cannot
# do odd numbers, and a general scaler takes over without a word, which rounds otherwise and interpolates the samples. An odd
# number of columns changes nothing. So a data set of 375 rows (KITTI), or one whose pictures were cut to 1079, is not decoded
# as training or a board with 376 or 1080 rows does it; and a comparison of two programs, one of which cuts before it
# converts and the other behind, finds differences in all pixels that nobody can place.
#
# It is met with JPEG and MJPEG, VP9 and AV1, whose 4:2:0 may have odd sizes; H.264 is cut by two rows at a time.
# A way round: convert to RGB first, and cut then. Where the file has odd rows itself, decode it with one program everywhere.
#
# Seen below: one picture of 128 columns with edges of colour, given with 96 and with 95 rows (PyAV), and as MJPEG (both); the
# part of the pixels in the first 95 rows that differ, that differ by more than 8 levels, and the largest difference.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
    av==18.1.0 opencv-python-headless==5.0.0.93 numpy==2.4.6 2>/dev/null
cat > "$folder/seen.py" <<'PY'
import sys

import av
import cv2
import numpy as np

grey = np.tile(np.linspace(60, 200, 128).round().astype(np.uint8), (96, 1))
blue, red = np.full((48, 64), 128, np.uint8), np.full((48, 64), 128, np.uint8)
blue[:, 32:], red[:, 32:], red[24:] = 90, 200, 100


def picture(rows, columns, kind):
    frame = av.VideoFrame(columns, rows, kind)
    for plane, values in zip(frame.planes, (grey, blue, red), strict=True):
        lines = np.zeros((plane.height, plane.line_size), np.uint8)
        lines[:, : plane.width] = values[: plane.height, : plane.width]
        plane.update(lines.tobytes())
    return frame


def file_of(rows):
    path = f"{sys.argv[1]}/{rows}.avi"
    with av.open(path, "w") as output:
        stream = output.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.options = 128, rows, "yuvj420p", {"qmin": "1", "qmax": "1"}
        output.mux(stream.encode(picture(rows, 128, "yuvj420p")))
        output.mux(stream.encode())
    return path


def by_pyav(path):
    with av.open(path) as video:
        return next(video.decode(video=0)).to_ndarray(format="rgb24")


def difference(first, second):
    rows, columns = min(first.shape[0], second.shape[0]), min(first.shape[1], second.shape[1])
    apart = abs(first[:rows, :columns].astype(int) - second[:rows, :columns]).max(-1)
    return (apart > 0).mean(), (apart > 8).mean(), apart.max()


def converted(rows, columns):
    return picture(rows, columns, "yuv420p").to_ndarray(format="rgb24")


print("PyAV", av.__version__, "cv2", cv2.__version__, "libswscale", ".".join(map(str, av.library_versions["libswscale"])))
whole = converted(96, 128)
seen = {
    "PyAV, 94 rows": difference(whole, converted(94, 128)),
    "PyAV, 127 columns": difference(whole, converted(96, 127)),
    "PyAV, 95 rows": difference(whole, converted(95, 128)),
    "PyAV, MJPEG of 95 rows": difference(by_pyav(file_of(96)), by_pyav(file_of(95))),
    "OpenCV, MJPEG of 95 rows": difference(*(cv2.VideoCapture(file_of(rows)).read()[1] for rows in (96, 95))),
}
for name, (part, clearly, largest) in seen.items():
    print(f"{name}: {part:.0%} of the pixels differ, {clearly:.1%} by more than 8 levels, at most by {largest}")
assert not seen["PyAV, 94 rows"][0] and not seen["PyAV, 127 columns"][0], "the measurement itself is off"
assert seen["PyAV, 95 rows"][1] > 0.005, "the behaviour has changed"
assert all(largest > 50 for name, (_, _, largest) in seen.items() if "95" in name), "the behaviour has changed"
PY
"$folder/venv/bin/python" "$folder/seen.py" "$folder"
