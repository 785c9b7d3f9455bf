#!/usr/bin/env bash
# PyAV 18.1.0 (FFmpeg 8): while an output is opened, no other Python thread runs.
#
# The place of an output is opened with its first packet. PyAV keeps the interpreter lock meanwhile. A file is there at
# once, but a named pipe opens when somebody reads it, and a server (RTMP, TCP, SRT) when it answers. Until then every
# thread of the process stands still, and no signal is handled: neither Ctrl-C nor the watchdog of a service. Opening an
# input gives the lock away, and so does Python's own `open`.
#
# What helps: open the pipe oneself and give PyAV its number (`pipe:3`), or open outputs to servers in a process of
# their own. Here the reader of the pipe comes after a second; a thread counts hundredths of a second.
# The script fails if PyAV lets other threads run while it opens an output.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check av==18.1.0 numpy==2.4.6 2>/dev/null
cat > "$folder/seen.py" <<'PY'
import os
import subprocess
import sys
import threading
import time

import av

folder = sys.argv[1]
ticks = []


def tick():
    while True:
        ticks.append(time.monotonic())
        time.sleep(0.01)


def counted(work, other_end):
    """Ticks of the thread and seconds while ``work`` runs; the other end of the pipe comes a second later."""
    with subprocess.Popen(["sh", "-c", f"sleep 1; {other_end}"], stdout=subprocess.DEVNULL):
        before, start = len(ticks), time.monotonic()
        work()
        return len(ticks) - before, time.monotonic() - start


def written_by_pyav(path):
    with av.open(path, "w", format="matroska") as file:
        stream = file.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        file.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        file.mux(stream.encode(None))


def read_by_pyav(path):
    with av.open(path) as file:
        assert len(list(file.decode(video=0))) == 1


pipe, clip = f"{folder}/pipe", f"{folder}/clip.mkv"
written_by_pyav(clip)
os.mkfifo(pipe)
threading.Thread(target=tick, daemon=True).start()
seen = {
    "PyAV writes": counted(lambda: written_by_pyav(pipe), f"cat {pipe}"),
    "PyAV reads": counted(lambda: read_by_pyav(pipe), f"cat {clip} > {pipe}"),
    "Python writes": counted(lambda: open(pipe, "wb").close(), f"cat {pipe}"),
}
told = "; ".join(f"{name}: {count} in {seconds:.1f} s" for name, (count, seconds) in seen.items())
print(f"PyAV {av.__version__}, FFmpeg {av.ffmpeg_version_info}: ticks of another thread: {told}")
assert all(seconds > 0.8 for _, seconds in seen.values()), "the measurement itself is off"
assert min(seen["PyAV reads"][0], seen["Python writes"][0]) > 20, "the measurement itself is off"
assert seen["PyAV writes"][0] < 5, "other threads run while an output is opened"
PY
"$folder/venv/bin/python" "$folder/seen.py" "$folder"
