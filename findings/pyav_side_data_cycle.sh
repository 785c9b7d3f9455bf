#!/usr/bin/env bash
# PyAV 18.1.0: reading `frame.side_data` ties the frame to a reference cycle.
#
# The container of side data refers to its frame and the frame refers to the container. A picture whose motion vectors
# were read through `frame.side_data` is therefore not freed when the last name of it goes away, but only when Python's
# cyclic garbage collector runs. Few objects are made for each picture, so the collector runs seldom: a long run at
# 720x960 held about 1.5 MB more for each picture.
#
# What helps: make the container apart from the picture, `av.sidedata.sidedata.SideDataContainer(frame)`, and drop it.
# The script fails if reading `side_data` stops leaving cycles behind.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check av==18.1.0 numpy==2.4.6 2>/dev/null
cat > "$folder/seen.py" <<'PY'
import gc
import sys

import av
import numpy as np

path = sys.argv[1]
pictures = np.random.default_rng(0).integers(0, 255, (8, 64, 64, 3), dtype=np.uint8)
with av.open(path, "w") as file:
    stream = file.add_stream("libx264", rate=25)
    stream.width = stream.height = 64
    stream.pix_fmt = "yuv420p"
    for rgb in pictures:
        file.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
    file.mux(stream.encode())


def left_to_the_collector(read):
    gc.collect()
    gc.disable()
    with av.open(path) as file:
        file.streams.video[0].codec_context.options = {"flags2": "+export_mvs"}
        for frame in file.decode(video=0):
            read(frame)
    return gc.collect()


def through_a_container_apart(frame):
    av.sidedata.sidedata.SideDataContainer(frame).get("MOTION_VECTORS")


seen = {
    "not read": left_to_the_collector(lambda frame: None),
    "frame.side_data": left_to_the_collector(lambda frame: frame.side_data.get("MOTION_VECTORS")),
    "a container apart": left_to_the_collector(through_a_container_apart),
}
print(f"PyAV {av.__version__}, FFmpeg {av.ffmpeg_version_info}: unreachable objects after 8 pictures: {seen}")
assert seen["not read"] == 0 and seen["a container apart"] == 0, "the measurement itself is off"
assert seen["frame.side_data"] >= 8, "side_data leaves no cycle any more"
PY
"$folder/venv/bin/python" "$folder/seen.py" "$folder/clip.mp4"
