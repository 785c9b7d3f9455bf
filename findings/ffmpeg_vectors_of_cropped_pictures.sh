#!/usr/bin/env bash
# PyAV 18.1.0 (FFmpeg 8): where an H.264 stream cuts off columns on the left or rows at the top, exported motion vectors lie
# beside what moves, by just as much.
#
# AVMotionVector is documented (libavutil/motion_vector.h) by "absolute source position" and "absolute destination position".
# They count from the corner of the coded picture. The decoder cuts the picture as the parameter set says (frame_crop_left_offset,
# frame_crop_top_offset) and leaves the vectors as they are. AVFrame's own crop fields are 0 by then and PyAV shows none, so
# the vectors alone do not tell it. What is cut off on the right and at the bottom, as in every video of 1080 rows, does no harm.
#
# It is met where a video was cropped without encoding it again (`ffmpeg -bsf:v h264_metadata=crop_top=64`), to leave out a
# bonnet, a clock or black bars, and with encoders that are told to crop (x264 --crop-rect).
# A way round: read the offsets from the parameter set and subtract them; or estimate the motion anew, as edge_arseg does.
#
# Seen below: a box of 64 x 64 moves on grey. The part of its area that vectors with motion cover, as they are and with
# the offsets subtracted.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check av==18.1.0 numpy==2.4.6 2>/dev/null
cat > "$folder/seen.py" <<'PY'
import io
from fractions import Fraction

import av
import numpy as np
from av.sidedata.sidedata import Type

WIDTH, HEIGHT, BOX, COUNT = 384, 320, 64, 8
TEXTURE = np.kron(np.random.default_rng(1).integers(40, 216, (BOX // 8, BOX // 8)), np.ones((8, 8), int)).astype(np.uint8)


def covered(left, top, right, bottom):
    """The smallest part of the box that is covered, in any picture."""
    file = io.BytesIO()
    options = {"g": "250", "bf": "0", "refs": "1", "x264-params": f"crop-rect={left},{top},{right},{bottom}"}
    with av.open(file, "w", format="matroska") as target:
        stream = target.add_stream("libx264", 25, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.thread_count = 1
        for number in range(COUNT):
            luma = np.full((HEIGHT, WIDTH), 16, np.uint8)
            luma[144 : 144 + BOX, 144 + 4 * number :][:, :BOX] = TEXTURE
            picture = np.vstack([luma, np.full((HEIGHT // 2, WIDTH), 128, np.uint8)])
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    file.seek(0)
    shares = []
    with av.open(file) as source:
        stream = source.streams.video[0]
        stream.codec_context.options = {"flags2": "+export_mvs"}
        for number, frame in enumerate(source.decode(stream)):
            luma = frame.to_ndarray()[: frame.height]
            assert luma.shape == (HEIGHT - top - bottom, WIDTH - left - right), "the measurement itself is off"
            rows, columns = np.nonzero(luma > 30)
            box = np.zeros((HEIGHT + 128, WIDTH + 128), bool)
            box[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = True
            if not number:
                continue
            (vectors,) = (data.to_ndarray() for data in frame.side_data if data.type == Type.MOTION_VECTORS)
            both = []
            for from_left, from_top in ((0, 0), (left, top)):
                moving = np.zeros_like(box)
                for one in vectors[vectors["motion_x"] != 0]:
                    x, y = one["dst_x"] - one["w"] // 2 - from_left, one["dst_y"] - one["h"] // 2 - from_top
                    moving[max(y, 0) : max(y + one["h"], 0), max(x, 0) : max(x + one["w"], 0)] = True
                both.append(float(moving[box].mean()))
            shares.append(both)
    return np.min(shares, axis=0)


print("PyAV", av.__version__, "libavcodec", ".".join(map(str, av.library_versions["libavcodec"])))
for crop in ((0, 0, 0, 0), (0, 0, 64, 64), (64, 0, 0, 0), (0, 64, 0, 0)):
    plain, moved = covered(*crop)
    print(f"cut off on the left {crop[0]}, at the top {crop[1]}: covered {plain:.0%}, with that subtracted {moved:.0%}")
    assert moved > 0.8, "the measurement itself is off"
    assert plain < 0.3 if crop[0] or crop[1] else plain == moved, "the behaviour has changed"
PY
"$folder/venv/bin/python" "$folder/seen.py"
