#!/usr/bin/env bash
# PyAV 18.1.0 (FFmpeg 8): in interlaced video the vertical part of exported motion vectors is half of the motion in H.264, and
# twice the motion in MPEG-4 Part 2, for some shapes of blocks. It is right in MPEG-2; the horizontal part is right in all.
#
# AVMotionVector is documented (libavutil/motion_vector.h) by src_y = dst_y + motion_y / motion_scale, a place in the picture.
# A block that is coded by fields has a vector in rows of a field, which has half of the picture's rows. In H.264, FFmpeg
# doubles it for blocks of 16x8 and leaves it as it is for those of 16x16, which cover nearly all of the picture. In MPEG-4,
# vectors of blocks by fields, 16x8, come out doubled once too often. `flags` is unused and tells nothing of fields. Blocks of
# 16x16 in H.264 may be coded by fields or by frames, so nobody can correct them afterwards.
#
# It is met with analogue cameras and 1080i, whose encoders write interlaced H.264. What is carried along the vectors, a mask or
# a feature, lags behind all that moves up or down, and a test with a camera that pans sideways passes.
# A way round: leave the vectors of pictures with frame.interlaced_frame alone; deinterlace and estimate the motion anew.
# edge_arseg does so (edge_arseg/video/vectors/codec.py).
#
# Seen below: the vector of most area for each shape of block and that area, where the scene moves by 4 columns and some rows
# in each picture. Interlaced, the second field shows the scene half a period later.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check av==18.1.0 numpy==2.4.6 2>/dev/null
cat > "$folder/seen.py" <<'PY'
import io
from collections import Counter
from fractions import Fraction

import av
import numpy as np
from av.sidedata.sidedata import Type

WIDTH, HEIGHT, MARGIN, COUNT, COLUMNS = 320, 256, 160, 10, 4
INTERLACED = {
    "libx264": {"x264-params": "tff=1"},
    "mpeg4": {"flags": "+ilme+ildct"},
    "mpeg2video": {"flags": "+ilme+ildct"},
}
coarse = np.random.default_rng(1).integers(0, 256, (HEIGHT // 8 + 40, WIDTH // 8 + 40), dtype=np.uint8)
SCENE = av.VideoFrame.from_ndarray(coarse, format="gray").reformat(
    width=WIDTH + 2 * MARGIN, height=HEIGHT + 2 * MARGIN, interpolation="BICUBIC"
).to_ndarray()


def view(columns, rows):
    return SCENE[MARGIN + rows : MARGIN + rows + HEIGHT, MARGIN + columns : MARGIN + columns + WIDTH]


def pictures(rows, interlaced):
    for number in range(COUNT):
        luma = view(COLUMNS * number, rows * number).copy()
        if interlaced:
            luma[1::2] = view(COLUMNS * number + COLUMNS // 2, rows * number + rows // 2)[1::2]
        yield np.vstack([luma, np.full((HEIGHT // 2, WIDTH), 128, np.uint8)])


def moved(codec, rows, interlaced):
    file, found = io.BytesIO(), []
    with av.open(file, "w", format="matroska") as target:
        options = {"g": "250", "bf": "0", "refs": "1", **(INTERLACED[codec] if interlaced else {})}
        stream = target.add_stream(codec, 25, options=options)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = WIDTH, HEIGHT, "yuv420p", 3_000_000
        stream.codec_context.thread_count = 1
        for number, pixels in enumerate(pictures(rows, interlaced)):
            frame = av.VideoFrame.from_ndarray(pixels, format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as source:
        stream = source.streams.video[0]
        stream.codec_context.options = {"flags2": "+export_mvs"}
        for frame in source.decode(stream):
            assert bool(frame.interlaced_frame) == interlaced, "the measurement itself is off"
            found += [data.to_ndarray() for data in frame.side_data if data.type == Type.MOTION_VECTORS]
    areas = {}
    for one in np.concatenate(found):
        shape, motion = f"{one['w']}x{one['h']}", (float(one["motion_x"]), float(one["motion_y"]))
        vector = tuple(part / int(one["motion_scale"]) for part in motion)
        areas.setdefault(shape, Counter())[vector] += int(one["w"]) * int(one["h"])
    most = {shape: vectors.most_common(1)[0] for shape, vectors in areas.items()}
    total = WIDTH * HEIGHT * (COUNT - 1)
    shown = ", ".join(f"{shape} {most[shape][0]} {most[shape][1] / total:.0%}" for shape in sorted(most))
    print(f"{codec}, {rows} rows, {'interlaced' if interlaced else 'progressive'}: {shown}")
    return {shape: vector for shape, (vector, _) in most.items()}


print("PyAV", av.__version__, "libavcodec", ".".join(map(str, av.library_versions["libavcodec"])))
for codec in INTERLACED:
    for rows in (-8, 16):
        assert moved(codec, rows, False)["16x16"] == (COLUMNS, rows), "the measurement itself is off"
seen = {(codec, rows): moved(codec, rows, True) for codec in INTERLACED for rows in (-8, 16)}
assert seen["libx264", -8]["16x16"] == (4, -4) and seen["libx264", 16]["16x16"] == (4, 8), "the behaviour has changed"
assert seen["libx264", 16]["16x8"] == (4, 16), "the behaviour has changed"
assert seen["mpeg4", -8]["16x8"] == (4, -16) and seen["mpeg4", 16]["16x8"] == (4, 32), "the behaviour has changed"
assert seen["mpeg4", -8]["16x16"] == (4, -8), "the behaviour has changed"
assert seen["mpeg2video", -8]["16x8"] == (4, -8) and seen["mpeg2video", 16]["16x8"] == (4, 16), "the behaviour has changed"
PY
"$folder/venv/bin/python" "$folder/seen.py"
