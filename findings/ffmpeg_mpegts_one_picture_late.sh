#!/usr/bin/env bash
# PyAV 18.1.0 (FFmpeg 8): H.264 in MPEG-TS over UDP comes out one picture late, though the sender gives the length of each
# PES packet. With fflags=noparse each picture comes out as soon as it was sent.
#
# A PES packet with a length ends by itself, so the demuxer has the whole picture when its last datagram is there. The H.264
# parser behind it does not know that and holds the picture until the next one begins: 33 ms at 30 pictures a second,
# 100 ms at 10. FFmpeg's own muxer leaves the length out by default (omit_video_pes_length); then the demuxer waits for
# the next PES packet too, and a picture comes out two periods late. Options that are often named against delay
# (fflags=nobuffer, flags=low_delay) change nothing about it.
#
# Seen below: for each way, how many further pictures had to be sent until a picture came out (the most of ten).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check av==18.1.0 numpy==2.4.6 2>/dev/null
cat > "$folder/seen.py" <<'PY'
import queue
import socket
import threading
import time
from fractions import Fraction

import av
import numpy as np


def picture(number):
    gradient = np.add.outer(np.arange(96), np.arange(128)) + 4 * number
    return av.VideoFrame.from_ndarray((gradient % 256).astype(np.uint8), format="gray").reformat(format="yuv420p")


def pictures_late(reading, writing):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"udp://127.0.0.1:{probe.getsockname()[1]}"
    arrived, opened = queue.Queue(), threading.Event()

    def read():
        with av.open(url, format="mpegts", options={"timeout": "5000000", **reading}) as source:
            opened.set()
            for packet in source.demux(video=0):
                if packet.pts is not None:
                    arrived.put(packet.pts)

    threading.Thread(target=read, daemon=True).start()
    target = av.open(url, "w", format="mpegts", options={"flush_packets": "1", **writing})
    stream = target.add_stream("libx264", rate=25, options={"preset": "ultrafast", "tune": "zerolatency", "g": "10"})
    stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
    sent, late, newest = 0, [], -1

    def send():
        nonlocal sent
        frame = picture(sent)
        frame.pts, frame.time_base = sent, Fraction(1, 25)
        target.mux(stream.encode(frame))
        sent += 1

    while not opened.is_set():
        send()
        time.sleep(0.02)
    while len(late) < 10:
        send()
        time.sleep(0.3)
        while not arrived.empty():
            newest = arrived.get()
        if newest >= 0:
            late.append(sent - 1 - round(newest / 90000 * 25))
    return max(late)


LENGTH = {"omit_video_pes_length": "0"}
for name, reading, writing in (
    ("as usual, no length", {}, {}),
    ("as usual, length", {}, LENGTH),
    ("nobuffer, low_delay", {"fflags": "nobuffer", "flags": "low_delay"}, LENGTH),
    ("noparse", {"fflags": "noparse"}, LENGTH),
):
    print(f"{name}: {pictures_late(reading, writing)}", flush=True)
PY
"$folder/venv/bin/python" "$folder/seen.py" 2>/dev/null | tee "$folder/output"
diff "$folder/output" - <<'SEEN'
as usual, no length: 2
as usual, length: 1
nobuffer, low_delay: 1
noparse: 0
SEEN
echo "as stated"
