#!/usr/bin/env bash
# PyAV 18.1.0 (FFmpeg 8): at a hard cut the encoders mpeg4 and mpeg2video code most blocks by motion vectors into the
# picture of the scene before, which has nothing in common with the new one. libx264 codes 99 % of the same picture without
# vectors, also where it may not put an intra frame there.
#
# So the share of blocks without vectors, by which cuts are found in compressed video, means another thing for each
# encoder: half of the picture is a usual limit for H.264, and 65 % covered by vectors is 35 % without. With mbd=bits or
# mbd=rd mpeg4 codes the cut as H.264 does, nearly. sc_threshold, which is about cuts by its name, does not change it.
#
# Seen below: the share of the picture that vectors cover, at a cut and in the other pictures, which pan by two pixels.
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

WIDTH, HEIGHT, COUNT, CUT = 640, 352, 24, 12


def scene(seed):
    coarse = np.random.default_rng(seed).integers(0, 256, (HEIGHT // 8 + 8, WIDTH // 8 + 16, 3), dtype=np.uint8)
    large = av.VideoFrame.from_ndarray(coarse, format="rgb24")
    return large.reformat(width=WIDTH + 128, height=HEIGHT + 64, interpolation="BICUBIC").to_ndarray(format="rgb24")


def pictures():
    scenes = scene(1), scene(2)
    for number in range(COUNT):
        left = 2 * (number % CUT)
        yield np.ascontiguousarray(scenes[number >= CUT][20 : 20 + HEIGHT, left : left + WIDTH])


def covered(codec, options):
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as target:
        stream = target.add_stream(codec, 25, options={"g": "250", **options})
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = WIDTH, HEIGHT, "yuv420p", 2_000_000
        stream.codec_context.thread_count = 1
        for number, pixels in enumerate(pictures()):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    file.seek(0)
    shares = []
    with av.open(file) as source:
        stream = source.streams.video[0]
        stream.codec_context.options = {"flags2": "+export_mvs"}
        for frame in source.decode(stream):
            vectors = [data.to_ndarray() for data in frame.side_data if data.type == Type.MOTION_VECTORS]
            shares.append(sum(int((one["w"].astype(int) * one["h"]).sum()) for one in vectors) / (WIDTH * HEIGHT))
    return shares[CUT], float(np.mean(shares[1:CUT]))


print("PyAV", av.__version__)
seen = {}
for name, codec, options in (
    ("mpeg4", "mpeg4", {}),
    ("mpeg4, sc_threshold", "mpeg4", {"sc_threshold": "1000000000"}),
    ("mpeg4, mbd=bits", "mpeg4", {"mbd": "bits"}),
    ("mpeg4, mbd=rd", "mpeg4", {"mbd": "rd"}),
    ("mpeg2video", "mpeg2video", {}),
    ("libx264, scenecut=0", "libx264", {"bf": "0", "refs": "1", "scenecut": "0"}),
):
    seen[name], others = covered(codec, options)
    print(f"{name:20} {seen[name]:.0%} of the cut, {others:.0%} of other pictures")
    assert others > 0.9
assert 0.55 < seen["mpeg4"] < 0.75
assert seen["mpeg4, sc_threshold"] == seen["mpeg4"]
assert seen["mpeg4, mbd=rd"] < 0.2
assert seen["mpeg4, mbd=bits"] < 0.2
assert 0.5 < seen["mpeg2video"] < 0.75
assert seen["libx264, scenecut=0"] < 0.05
PY
"$folder/venv/bin/python" "$folder/seen.py"
