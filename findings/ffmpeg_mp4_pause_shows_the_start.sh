#!/usr/bin/env bash
# FFmpeg 8 (PyAV 18.1.0) fills an empty edit in the middle of an MP4 with pictures from the beginning of the track, which were
# shown once already. Without the empty edit the same list is followed.
#
# An empty edit (media_time -1; ISO/IEC 14496-12, 8.6.6) is a part of the presentation without media: a pause of the track.
# Here the track shows its pictures 0 to 7, pauses for five frame periods, and shows 16 to 23. FFmpeg gives 0 to 7, then 0
# to 4 at the times of the pause, then 16 to 23. Nothing is said. An empty edit at the start, as muxers write it for a track
# that begins late, is followed. So the frames of a pause look like a cut back to the first scene.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check av==18.1.0 numpy==2.4.6
cat > "$folder/show.py" <<'PYTHON'
import struct
import sys

import av
import numpy as np

print("av", av.__version__, "libavformat", ".".join(map(str, av.library_versions["libavformat"])))
RATE, COUNT = 25, 24
FIRST, PAUSE, LAST = (8, 0), (5, None), (8, 16)  # pictures, and the first of them; None: no media


def edited(content, parts):
    """The same file with an edit list (ISO/IEC 14496-12, 8.6.6) of these parts."""
    movie = int.from_bytes(content[content.index(b"mvhd") + 16 :][:4], "big")
    media = int.from_bytes(content[content.index(b"mdhd") + 16 :][:4], "big")
    entries = b"".join(
        struct.pack(">Iihh", count * movie // RATE, -1 if first is None else first * media // RATE, 1, 0)
        for count, first in parts
    )
    box = struct.pack(">I4sII", 16 + len(entries), b"elst", 0, len(parts)) + entries
    place = content.index(b"elst") - 4
    old = int.from_bytes(content[place : place + 4], "big")
    new = bytearray(content[:place] + box + content[place + old :])
    for name in (b"edts", b"trak", b"moov"):
        start = new.index(name) - 4
        size = int.from_bytes(new[start : start + 4], "big")
        struct.pack_into(">I", new, start, size + len(box) - old)
    return bytes(new)


def pictures(path):
    with av.open(path) as file:
        return [
            (round(frame.time * RATE), round((float(frame.to_ndarray()[:48].mean()) - 16) / 9))
            for frame in file.decode(video=0)
        ]


path = sys.argv[1]
with av.open(path, "w") as file:
    stream = file.add_stream("libx264", rate=RATE, options={"bf": "0", "g": "8", "qp": "10"})
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    for number in range(COUNT):
        luma = np.full((48, 64), 16 + 9 * number, np.uint8)
        picture = np.vstack([luma, np.full((24, 64), 128, np.uint8)])
        file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="yuv420p")))
    file.mux(stream.encode())
with open(path, "rb") as file:
    content = file.read()
shown = {}
for name, parts in {"without a pause": [FIRST, LAST], "at the start": [PAUSE, FIRST], "between": [FIRST, PAUSE, LAST]}.items():
    with open(path, "wb") as file:
        file.write(edited(content, parts))
    shown[name] = pictures(path)
    print(f"{name}: (frame period, picture)", *shown[name])
first, last = range(8), range(16, 24)
assert shown["without a pause"] == list(enumerate([*first, *last])), "the behaviour has changed"
assert shown["at the start"] == list(enumerate(first, 5)), "the behaviour has changed"
assert shown["between"] == list(enumerate([*first, *range(5), *last])), "the behaviour has changed"
PYTHON
"$folder/venv/bin/python" "$folder/show.py" "$folder/a.mp4"
