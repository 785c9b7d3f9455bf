#!/usr/bin/env bash
# PyAV 18.1.0 (FFmpeg 8): H.264 has blocks of 8x4, 4x8 and 4x4 with a vector each. FFmpeg exports one vector of 8x8 in their
# place, that of the upper left block, and the others are not to be had.
#
# AVMotionVector has `w` and `h` of a block (libavutil/motion_vector.h), and nothing says that 8 is the least. So fine motion,
# at thin things as poles and legs, for which an encoder takes small blocks, comes out worse from an encoder that works harder:
# the vector of a quarter is told of all of it. x264 uses them with partitions=all or p4x4 (presets slower, veryslow, placebo),
# cameras mostly do not. What was coded in 4x4 cannot be told from 8x8 by what is exported.
# A way round: partitions=p8x8 in the encoder; elsewhere look what vectors are worth by the pictures, as `--motion auto` of
# edge_arseg does.
#
# Seen below: in each 8x8 the four quarters move by one pixel to the right, left, bottom and top. The part of the vectors of 8x8
# along each of them, and the bytes of the stream: with small blocks the encoder finds the motion, and needs fewer.
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

WIDTH, HEIGHT, COUNT, MARGIN = 320, 256, 6, 48
STEPS = (1, 0), (-1, 0), (0, 1), (0, -1)  # columns and rows to the reference, by quarter: upper left, upper right, lower ...
coarse = np.random.default_rng(3).integers(0, 256, ((HEIGHT + 2 * MARGIN) // 2, (WIDTH + 2 * MARGIN) // 2), np.uint8)
SCENE = av.VideoFrame.from_ndarray(coarse, format="gray").reformat(
    width=WIDTH + 2 * MARGIN, height=HEIGHT + 2 * MARGIN, interpolation="BICUBIC"
).to_ndarray()


def luma(number):
    pixels = np.empty((HEIGHT, WIDTH), np.uint8)
    quarter = 2 * (np.arange(HEIGHT)[:, None] // 4 % 2) + np.arange(WIDTH)[None] // 4 % 2
    for which, (columns, rows) in enumerate(STEPS):
        shown = SCENE[MARGIN + rows * number :, MARGIN + columns * number :][:HEIGHT, :WIDTH]
        pixels[quarter == which] = shown[quarter == which]
    return pixels


def coded(partitions):
    file, found = io.BytesIO(), []
    parameters = f"partitions={partitions}:no-mbtree=1:no-psy=1:scenecut=0"
    options = {"g": "250", "bf": "0", "refs": "1", "qp": "4", "preset": "slower", "x264-params": parameters}
    with av.open(file, "w", format="matroska") as target:
        stream = target.add_stream("libx264", 25, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.thread_count = 1
        for number in range(COUNT):
            picture = np.vstack([luma(number), np.full((HEIGHT // 2, WIDTH), 128, np.uint8)])
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    size = file.tell()
    file.seek(0)
    with av.open(file) as source:
        stream = source.streams.video[0]
        stream.codec_context.options = {"flags2": "+export_mvs"}
        for frame in source.decode(stream):
            found += [data.to_ndarray() for data in frame.side_data if data.type == Type.MOTION_VECTORS]
    vectors = np.concatenate(found)
    sizes = sorted({(int(one["w"]), int(one["h"])) for one in vectors})
    eights = vectors[(vectors["w"] == 8) & (vectors["h"] == 8)]
    motion = np.stack([eights["motion_x"], eights["motion_y"]], 1) / eights["motion_scale"][:, None]
    # a vector belongs to the step that it lies along, by half a pixel or more
    parts = [float((motion @ np.array(step) >= 0.5).mean()) for step in STEPS]
    print(f"partitions={partitions}: {size} bytes, blocks {sizes}, along the steps {', '.join(f'{part:.0%}' for part in parts)}")
    assert min(min(one) for one in sizes) == 8, "the behaviour has changed"
    return size, parts


print("PyAV", av.__version__, "libavcodec", ".".join(map(str, av.library_versions["libavcodec"])))
small, parts = coded("all")
large, others = coded("p8x8")
assert small < 0.9 * large, "the measurement itself is off"
assert max(others) < 0.3, "the measurement itself is off"
assert parts[0] > 0.4 and max(parts[1:]) < 0.05, "the behaviour has changed"
PY
"$folder/venv/bin/python" "$folder/seen.py"
