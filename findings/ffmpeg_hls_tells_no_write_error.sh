#!/usr/bin/env bash
# PyAV 18.1.0 (FFmpeg 8): the muxers for HLS and DASH report nothing when a segment cannot be written, and that for HLS
# names the cut segment in its playlist as if it were whole; those for MPEG-TS and for bare segments raise the error.
#
# A board that writes HLS to a card which fills up, reaches its quota or fails looks healthy to the program and plays
# damaged. The fault is a limit on the size of a file here (`ulimit -f`), which needs no rights; a full disk gives the
# same. Files that the program opens itself (`io_open`) show the fault: edge_arseg writes its segments so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check av==18.1.0 numpy==2.4.6
cat > "$folder/show.py" <<'PYTHON'
import resource
import signal
import sys
from pathlib import Path

import av
import numpy as np

LIMIT = 30_000
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writes beyond the limit fail with EFBIG
resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))
muxer, folder = sys.argv[1], Path(sys.argv[2])
folder.mkdir()
name = {"hls": "live.m3u8", "dash": "live.mpd", "mpegts": "live.ts", "segment": "live%d.ts"}[muxer]
random, said = np.random.default_rng(0), "nothing"
try:
    with av.open(str(folder / name), "w", format=muxer) as container:
        stream = container.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for _ in range(100):
            picture = random.integers(0, 256, (240, 320, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
except OSError as error:
    said = type(error).__name__
cut = sorted(path.name for path in folder.iterdir() if path.stat().st_size == LIMIT)
playlist = "".join(path.read_text() for path in folder.iterdir() if path.suffix in (".m3u8", ".mpd"))
print(muxer, "said", said + ";", len(cut), "cut, in the playlist:", sum(name in playlist for name in cut))
PYTHON
seen=$(for muxer in hls dash mpegts segment; do "$folder/venv/bin/python" "$folder/show.py" "$muxer" "$folder/$muxer"; done)
echo "$seen"
[[ "$seen" == "hls said nothing; 2 cut, in the playlist: 2
dash said nothing; 1 cut, in the playlist: 0
mpegts said OSError; 1 cut, in the playlist: 0
segment said OSError; 1 cut, in the playlist: 0" ]]
