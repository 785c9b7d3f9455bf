#!/usr/bin/env bash
# OpenCV 5.0.0 (VideoCapture, FFmpeg inside) gives HDR video and video with wide primaries other colours than PyAV 18.1.0 does, by
# up to 64 levels; both agree on all that is BT.601 or BT.709.
#
# PyAV converts by the matrix and the range that the stream says, and leaves primaries and transfer as they are. What OpenCV gives
# depends on all four: the picture comes out mapped to the gamut and the brightness of SDR. Many phones record HLG, so
# one clip of a phone has two sets of colours, and both look plausible. A network that was trained on frames of one library
# sees others by the second on the board.
#
# A way round: read with the same library in training and on the board; or make the clip BT.709 first. edge_arseg reads by PyAV
# everywhere, and says so once for HDR.
#
# Seen below: red, green and blue of a picture whose every pixel is Y 120, U 90, V 170 in limited range.
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

WIDTH, HEIGHT = 320, 240
BT709, BT601, BT2020 = 1, 5, 9
P3, PQ, HLG, BT2020_CURVE = 12, 16, 18, 14
# matrix, primaries, transfer
CLIPS = {
    "BT.601": (BT601, BT601, BT601),
    "BT.709": (BT709, BT709, BT709),
    "Display P3": (BT709, P3, BT709),
    "BT.2020": (BT2020, BT2020, BT2020_CURVE),
    "HLG": (BT2020, BT2020, HLG),
    "PQ": (BT2020, BT2020, PQ),
}


def written(path, matrix, primaries, transfer):
    with av.open(path, "w") as file:
        stream = file.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        context = stream.codec_context
        context.colorspace, context.color_primaries, context.color_trc, context.color_range = matrix, primaries, transfer, 1
        for _ in range(5):
            planes = np.concatenate([np.full(WIDTH * HEIGHT // part, v, np.uint8) for part, v in ((1, 120), (4, 90), (4, 170))])
            frame = av.VideoFrame.from_ndarray(planes.reshape(-1, WIDTH), format="yuv420p")
            frame.colorspace, frame.color_range = matrix, 1
            file.mux(stream.encode(frame))
        file.mux(stream.encode())


def by_pyav(path):
    with av.open(path) as file:
        return next(file.decode(video=0)).to_ndarray(format="rgb24")[HEIGHT // 2, WIDTH // 2].tolist()


def by_opencv(path):
    read, picture = cv2.VideoCapture(path, cv2.CAP_FFMPEG).read()
    assert read, "the measurement itself is off"
    return picture[HEIGHT // 2, WIDTH // 2, ::-1].tolist()


print("PyAV", av.__version__, "cv2", cv2.__version__)
for name, colours in CLIPS.items():
    path = f"{sys.argv[1]}/clip.mp4"
    written(path, *colours)
    opencv = by_opencv(path)
    pyav = by_pyav(path)
    apart = max(abs(np.subtract(pyav, opencv)))
    print(f"{name}: PyAV {pyav}, OpenCV {opencv}, {apart} levels apart", flush=True)
    if name in ("BT.601", "BT.709"):
        assert apart <= 2, "the measurement itself is off"
    else:
        assert apart > 15, "the behaviour has changed"
PY
"$folder/venv/bin/python" "$folder/seen.py" "$folder" 2>/dev/null
