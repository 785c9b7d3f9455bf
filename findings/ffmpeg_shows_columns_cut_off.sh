#!/usr/bin/env bash
# FFmpeg's decoders show up to 63 columns that the stream cuts off on its left: PyAV 18.1.0 (FFmpeg 8) gives a picture that is
# wider than the stream says, OpenCV 5.0.0 squeezes that picture into the width that the stream says. `ffmpeg` itself is right.
#
# The cut (frame_crop_left_offset of H.264, conf_win_left_offset of HEVC) is rounded down to a multiple of 64 columns in 4:2:0
# of 8 bits, so that rows begin at aligned addresses, unless the codec context has AV_CODEC_FLAG_UNALIGNED. The width of the
# context is counted with the whole cut, and nothing is logged. So who makes arrays by the context's width has the wrong size;
# and in OpenCV all shapes are right, and everything lies up to 63 pixels beside its labels at the left side.
#
# It is met where a video was cropped without encoding it again (`ffmpeg -bsf:v h264_metadata=crop_left=16`).
# A way round: `context.options = {"flags": "+unaligned"}` before the first picture, as in edge_arseg. OpenCV has none: encode the
# video again.
#
# Seen below: a picture whose column n has the level n / 2; its width, and the numbers of its first and last columns.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
    av==18.1.0 opencv-python-headless==5.0.0.93 imageio-ffmpeg==0.8.1 numpy==2.4.6 2>/dev/null
cat > "$folder/seen.py" <<'PY'
import subprocess
import sys

import av
import cv2
import imageio_ffmpeg
import numpy as np

WIDTH, HEIGHT = 320, 240
COLUMNS = np.repeat((20 + np.arange(WIDTH)[None] // 2).astype(np.uint8), HEIGHT, 0)


def written(path, left):
    options = {"bf": "0", "qp": "1", "x264-params": f"crop-rect={left},0,0,0"}
    with av.open(path, "w") as file:
        stream = file.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        picture = np.vstack([COLUMNS, np.full((HEIGHT // 2, WIDTH), 128, np.uint8)])
        for _ in range(3):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="yuv420p")))
        file.mux(stream.encode())


def by_pyav(path, flags):
    with av.open(path) as file:
        stream = file.streams.video[0]
        assert stream.width == WIDTH - left, "the measurement itself is off"
        stream.codec_context.options = flags
        frame = next(file.decode(stream))
        return frame.to_ndarray()[: frame.height]


def by_ffmpeg(path):
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", path, "-frames:v", "1", "-pix_fmt", "yuv420p"]
    content = subprocess.run([*command, "-f", "rawvideo", "-"], capture_output=True, check=True).stdout
    return np.frombuffer(content, np.uint8)[: len(content) * 2 // 3].reshape(HEIGHT, -1)


def by_opencv(path):
    video = cv2.VideoCapture(path)
    assert video.get(cv2.CAP_PROP_FRAME_WIDTH) == WIDTH - left, "the measurement itself is off"
    return 16 + video.read()[1][..., 0] * (219 / 255)


print("PyAV", av.__version__, "OpenCV", cv2.__version__)
for left in (0, 16, 48, 64):
    path = f"{sys.argv[1]}/{left}.mp4"
    written(path, left)
    seen = {}
    for name, luma in (
        ("PyAV", by_pyav(path, {})),
        ("PyAV, unaligned", by_pyav(path, {"flags": "+unaligned"})),
        ("ffmpeg", by_ffmpeg(path)),
        ("OpenCV", by_opencv(path)),
    ):
        ends = [round(2 * (float(luma[100, column]) - 20)) for column in (0, -1)]
        seen[name] = luma.shape[1], *ends
        print(f"{left} columns cut off, {name}: {seen[name][0]} columns, from {ends[0]} to {ends[1]}")
        assert ends[1] > 315, "the measurement itself is off"
        cut = name.endswith(("unaligned", "ffmpeg")) or left % 64 == 0
        assert abs(ends[0] - (left if cut else 0)) < 5, "the behaviour has changed"
        assert seen[name][0] == (WIDTH if name == "PyAV" and not cut else WIDTH - left), "the behaviour has changed"
PY
"$folder/venv/bin/python" "$folder/seen.py" "$folder"
