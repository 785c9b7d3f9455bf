#!/usr/bin/env bash
# decord 0.6.0, by which many data loaders for video read: frame n is another one than for FFmpeg in videos that are ordinary and
# whole. `len` is right in most of them, shapes are, and nothing is raised.
#
# - H.264 in MPEG-TS, as recorders and HLS write it: the frames before the second keyframe do not exist, all others move to the
#   front, and the last one is repeated until the count is right. A line on stderr speaks of "corrupted" frames.
# - An MP4 that was cut without encoding it again (`ffmpeg -ss 0.4 -i a.mp4 -c copy b.mp4`): hidden frames are counted, and
#   the last one is repeated as often.
# - AVI with B-frames, and MP4 whose GOPs are open (broadcast, and x264 with open-gop): right where frames are read in
#   their order, wrong where one is picked out, which is what decord is for.
# - MP4, Matroska and FLV with closed GOPs are right.
#
# Labels that were made by frame number with another program belong to other frames then. A way round: read by PyAV, whose seek
# has limits of its own (findings/ffmpeg_seek_lands_behind.sh).
#
# Seen below: 48 frames at 25 a second with a number in each, a keyframe every 24, or 12 where GOPs are open; how many of decord's
# frames are not those of PyAV, in order and picked out from the end.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
    av==18.1.0 decord==0.6.0 imageio-ffmpeg==0.8.1 numpy==2.4.6 2>/dev/null
cat > "$folder/seen.py" <<'PY'
import subprocess
import sys

import av
import decord
import imageio_ffmpeg
import numpy as np

WIDTH, HEIGHT, COUNT = 320, 240, 48
folder = sys.argv[1]


def written(name, form, options):
    with av.open(f"{folder}/{name}", "w", format=form) as file:
        options = {"bf": "2", "preset": "veryfast", "sc_threshold": "0", **options}
        stream = file.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(COUNT):
            luma = np.full((HEIGHT, WIDTH), 20 + 4 * number, np.uint8)
            noise = np.random.default_rng(number).integers(16, 236, (HEIGHT, WIDTH // 2), np.uint8)
            luma[:, : WIDTH // 2] = noise
            picture = np.vstack([luma, np.full((HEIGHT // 2, WIDTH), 128, np.uint8)])
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="yuv420p")))
        file.mux(stream.encode())


def by_pyav(path):
    with av.open(path) as file:
        return [round((float(frame.to_ndarray()[100, 250:300].mean()) - 20) / 4) for frame in file.decode(video=0)]


def number(picture):
    return round((16 + float(picture.asnumpy()[100, 250:300].mean()) * 219 / 255 - 20) / 4)


def by_decord(path):
    reader, picking = decord.VideoReader(path), decord.VideoReader(path)
    places = range(len(reader) - 1, -1, -1)
    return [number(reader[n]) for n in range(len(reader))], [number(picking[n]) for n in places][::-1]


CLIPS = {
    "closed.mp4": ("mp4", {"g": "24"}),
    "closed.mkv": ("matroska", {"g": "24"}),
    "closed.ts": ("mpegts", {"g": "24"}),
    "closed.avi": ("avi", {"g": "24"}),
    "open.mp4": ("mp4", {"g": "12", "x264-params": "open-gop=1"}),
}
for name, (form, options) in CLIPS.items():
    written(name, form, options)
command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-ss", "0.4", "-i", f"{folder}/closed.mp4", "-c", "copy"]
subprocess.run([*command, f"{folder}/cut.mp4"], check=True)
print("decord", decord.__version__, "PyAV", av.__version__)
for name in (*CLIPS, "cut.mp4"):
    right = by_pyav(f"{folder}/{name}")
    assert right == list(range(COUNT))[-len(right) :], "the measurement itself is off"
    # behind the end nothing is right
    differ = [
        sum(n >= len(right) or seen != right[n] for n, seen in enumerate(found)) for found in by_decord(f"{folder}/{name}")
    ]
    print(f"{name}: PyAV {len(right)} frames; of decord's others: {differ[0]} in order, {differ[1]} picked out", flush=True)
    if name in ("closed.mp4", "closed.mkv"):
        assert differ == [0, 0], "the measurement itself is off"
    elif name == "closed.ts":
        assert differ[0] >= COUNT - 1, "the behaviour has changed"
    elif name == "cut.mp4":
        assert differ[0] == COUNT - len(right) > 0, "the behaviour has changed"
    else:
        assert differ[0] == 0 < differ[1], "the behaviour has changed"
PY
"$folder/venv/bin/python" "$folder/seen.py" "$folder" 2>/dev/null
