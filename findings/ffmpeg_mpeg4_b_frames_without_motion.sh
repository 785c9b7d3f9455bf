#!/usr/bin/env bash
# PyAV 18.1.0 (FFmpeg 8): the motion vectors that FFmpeg exports for B-frames of MPEG-4 Part 2 (DivX, Xvid) are all zero, though
# the stream has the motion: the decoded pictures move. Those of MPEG-1, MPEG-2 and H.264 are right.
#
# The blocks are there with their places, sizes and directions, as many as in other codecs, so a count of vectors or of the
# area that they cover shows nothing. Two of three pictures look as if the scene stood still, and P-frames between them jump by
# three pictures' motion. What is carried along the vectors stands, jumps and stands.
# In all three MPEG codecs the last picture of a stream with B-frames has no vectors at all.
#
# It is met with archives in AVI, and with recorders and older cameras, whose MPEG-4 has B-frames from Advanced Simple Profile
# on. Streams of P-frames alone (bf=0) are right.
# A way round: leave the vectors of such streams alone (codec_context.has_b_frames, known before the first picture) and estimate
# the motion anew; edge_arseg does so, for every stream with B-frames.
#
# Seen below: the scene moves by 4 columns and 2 rows a picture, so a B-frame's blocks lie 4 or 8 columns from each of its
# neighbours; the median of the vectors' columns for each type of picture, from the picture before (-1) and behind (+1).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check av==18.1.0 numpy==2.4.6 2>/dev/null
cat > "$folder/seen.py" <<'PY'
import io

import av
import numpy as np
from av.video.frame import PictureType

WIDTH, HEIGHT = 320, 192
random = np.random.default_rng(0)
scene = np.kron(random.integers(30, 220, (60, 80)), np.ones((8, 8)))
for axis in (0, 1):
    scene = sum(np.roll(scene, step, axis) for step in range(-2, 3)) / 5
PICTURES = [scene[40 + 2 * n :][:HEIGHT, 40 + 4 * n :][:, :WIDTH].round().astype(np.uint8) for n in range(16)]


def encoded(codec, b_frames):
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as output:
        stream = output.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = WIDTH, HEIGHT, "yuv420p", 3_000_000
        stream.codec_context.gop_size, stream.codec_context.max_b_frames = 100, b_frames
        for picture in PICTURES:
            planes = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
            planes[:HEIGHT] = picture
            output.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        output.mux(stream.encode())
    file.seek(0)
    return file


def looked_at(codec, b_frames):
    vectors, error, last = {}, 0.0, None
    with av.open(encoded(codec, b_frames)) as video:
        stream = video.streams.video[0]
        stream.codec_context.options = {"flags2": "+export_mvs"}
        for number, frame in enumerate(video.decode(stream)):
            shown = frame.to_ndarray()[:HEIGHT].astype(float)
            error = max(error, abs(shown - PICTURES[number]).mean() / abs(shown - PICTURES[0]).mean() if number else 0.0)
            last = side = frame.side_data.get("MOTION_VECTORS")
            if side is not None:
                rows = side.to_ndarray()
                for source in np.unique(rows["source"]):
                    kind = PictureType(frame.pict_type).name, int(source)
                    vectors.setdefault(kind, []).append((rows["motion_x"] / rows["motion_scale"])[rows["source"] == source])
    assert error < 0.1, "the pictures do not move as they should: the measurement itself is off"
    return {kind: np.concatenate(columns) for kind, columns in vectors.items()}, last is not None


print("PyAV", av.__version__, "libavcodec", ".".join(map(str, av.library_versions["libavcodec"])))
seen = {}
for codec, b_frames in (("mpeg4", 0), ("mpeg4", 2), ("mpeg2video", 2), ("mpeg1video", 2), ("libx264", 2)):
    columns, last = looked_at(codec, b_frames)
    seen[codec, b_frames] = columns, last
    told = ", ".join(
        f"{kind} {source:+} {len(x)} blocks, median {np.median(abs(x)):g}" for (kind, source), x in sorted(columns.items())
    )
    print(f"{codec}, {b_frames} B-frames: {told}; the last picture has {'some' if last else 'none'}")
for (codec, b_frames), (columns, last) in seen.items():
    assert np.median(abs(columns["P", -1])) >= 4, "the measurement itself is off"
    assert last == (codec == "libx264" or not b_frames), "the last picture has changed"
    for kind, x in columns.items():
        if kind[0] == "B":
            assert len(x) > 200, "the measurement itself is off"
            assert (not x.any()) if codec == "mpeg4" else np.median(abs(x)) >= 4, "the behaviour has changed"
PY
"$folder/venv/bin/python" "$folder/seen.py"
