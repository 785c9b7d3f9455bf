#!/usr/bin/env bash
# PyAV raises UnicodeDecodeError, out of av.open() or while packets are demuxed, on a sound video whose title is not
# UTF-8. An AVI says nothing about the encoding of its title (LIST INFO), and recorders wrote Latin-1; players and ffprobe
# show the file. metadata_errors="replace" of av.open() avoids it; "strict" is the default.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check av==18.1.0 numpy==2.2.6
"$folder/venv/bin/python" - "$folder/a.avi" <<'PYTHON'
import sys

import av
import numpy as np

path = sys.argv[1]
print("av", av.__version__, "libavformat", ".".join(map(str, av.library_versions["libavformat"])))
with av.open(path, "w") as file:
    file.metadata["title"] = "StraQe"
    stream = file.add_stream("mpeg4", rate=25)
    stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
    for level in range(6):
        picture = np.full((96, 128, 3), 30 * level, np.uint8)
        file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
    file.mux(stream.encode())
with open(path, "rb") as file:
    content = file.read()
assert content.count(b"StraQe") == 1
with open(path, "wb") as file:
    file.write(content.replace(b"StraQe", "Straße".encode("latin-1")))

seen = {}
for errors in ("strict", "replace"):
    try:
        with av.open(path, metadata_errors=errors) as file:
            seen[errors] = sum(1 for _ in file.decode(video=0)), file.metadata["title"]
    except UnicodeDecodeError as error:
        seen[errors] = type(error).__name__
    print(f"metadata_errors={errors}: {seen[errors]}")
assert seen == {"strict": "UnicodeDecodeError", "replace": (6, "Stra\ufffde")}, "the behaviour has changed"
PYTHON
