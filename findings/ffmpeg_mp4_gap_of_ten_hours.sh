#!/usr/bin/env bash
# PyAV 18.1.0 (FFmpeg 8): in an MP4 whose time base is 1/60000 s, pictures behind a gap of ten hours all get the time of the
# picture before it, and neither mux nor close says anything. Matroska keeps the times.
#
# The muxer keeps the length of a picture in 31 bits of the track's ticks: 9.9 hours at 1/60000, 6.6 hours at 1/90000. A
# camera that is away for a night leaves such a gap in a recording. A gap of nine hours is kept. edge_arseg cuts longer
# ones to that in MP4 and MOV.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check av==18.1.0 numpy==2.4.6
cat > "$folder/show.py" <<'PYTHON'
import sys
from fractions import Fraction

import av
import numpy as np

path, hours = sys.argv[1], int(sys.argv[2])
times = [0.0, 0.04, 3600.0 * hours, 3600.0 * hours + 0.04]
with av.open(path, "w") as container:
    stream = container.add_stream("libx264", rate=25, options={"tune": "zerolatency"})
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    stream.time_base = stream.codec_context.time_base = Fraction(1, 60000)
    for time in times:
        frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = round(60000 * time), Fraction(1, 60000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode())
with av.open(path) as container:
    found = [round(float(packet.pts * packet.time_base), 2) for packet in container.demux(video=0) if packet.size]
print(path.rpartition(".")[2], hours, "hours:", found)
PYTHON
seen=$(for clip in mp4:9 mp4:10 mkv:10; do "$folder/venv/bin/python" "$folder/show.py" "$folder/a.${clip%:*}" "${clip#*:}"; done)
echo "$seen"
[[ "$seen" == "mp4 9 hours: [0.0, 0.04, 32400.0, 32400.04]
mp4 10 hours: [0.0, 0.04, 0.04, 0.04]
mkv 10 hours: [0.0, 0.04, 36000.0, 36000.04]" ]]
