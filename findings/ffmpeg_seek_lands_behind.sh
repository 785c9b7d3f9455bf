#!/usr/bin/env bash
# av_seek_frame with AVSEEK_FLAG_BACKWARD (PyAV: container.seek(time, stream=stream, backward=True)) is documented to go to
# a keyframe at or before the time. Some containers end behind it:
#
# - MPEG-TS, as recorders and HLS write it, has no index. The search by the times of packets comes out behind the time nearly
#   always, up to half a second here, and the frame asked for is not decoded.
# - FLV with B-frames, and AVI with and without: now and then, where a keyframe follows closely.
# - MP4 and Matroska keep the promise.
#
# A program that cuts a long recording in pieces by seeking loses frames at each cut without an error. A way round: compare
# the time of the first frame with what was asked for, and seek earlier until it is not behind; or read from the start.
#
# Seen below: 200 frames, a keyframe every 12, every seventh frame sought; how many seeks gave a first frame behind it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check av==18.1.0 numpy==2.4.6 2>/dev/null
cat > "$folder/seen.py" <<'PY'
import sys

import av
import numpy as np


def written(path, form, b_frames):
    options = {"g": "12", "bf": str(b_frames), "sc_threshold": "0", "preset": "ultrafast"}
    with av.open(path, "w", format=form) as container:
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(200):
            picture = np.full((240, 320, 3), number * 5 % 255, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def behind(path):
    with av.open(path) as container:
        stream = container.streams.video[0]
        times = [frame.pts for frame in container.decode(stream)]
        assert len(times) == 200
        count = 0
        for time in times[::7]:
            container.seek(time, stream=stream, backward=True)
            first = next(container.decode(stream), None)  # none where it went behind the last keyframe
            count += first is None or first.pts > time
    return count


seen = {}
for form in ("mp4", "matroska", "mpegts", "flv", "avi"):
    for b_frames in (0, 2):
        path = f"{sys.argv[1]}/clip.{form}"
        written(path, form, b_frames)
        seen[form, b_frames] = behind(path)
        print(f"{form:9} {b_frames} B-frames: {seen[form, b_frames]:2} of 29 seeks end behind the frame")
assert all(seen[form, count] == 0 for form in ("mp4", "matroska") for count in (0, 2))
assert seen["mpegts", 0] > 20 and seen["mpegts", 2] > 20
assert seen["flv", 0] == 0 < seen["flv", 2]
assert seen["avi", 0] > 0 and seen["avi", 2] > 0
PY
"$folder/venv/bin/python" "$folder/seen.py" "$folder"
