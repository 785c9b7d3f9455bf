#!/usr/bin/env bash
# imageio 2.38.1, plugin pyav: imread of a video that was cut without encoding it again gives more frames than the video has. Those
# at the end were never filled: they hold what lay in memory, black or the frames of a video that was read before.
#
# `imread` of a whole video makes an array for as many frames as the container says (np.empty), and fills in what is
# decoded. A cut at a time that is no keyframe (`ffmpeg -ss 0.4 -i a.mp4 -c copy b.mp4`, and every editor that cuts without
# loss) keeps the packets from the keyframe on and hides the first by an edit list: they count, and are not shown. An AVI
# whose clock is finer than its frames counts ticks: of two seconds, 25 frames each, in milliseconds 1920 are made.
# `improps` agrees with what was read, so a check of one against the other passes, and a score over such a clip counts frames
# that nobody filmed. `imiter` gives what is there. edge_arseg counts what was decoded.
#
# A way round: np.stack(list(imiter(path, plugin="pyav"))).
#
# Seen below: frames by improps, imread and imiter; and the mean level of the last frame by imread: about 146 in the video.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
    av==18.1.0 imageio==2.38.1 imageio-ffmpeg==0.8.1 numpy==2.4.6 2>/dev/null
cat > "$folder/seen.py" <<'PY'
import subprocess
import sys
from fractions import Fraction
from importlib.metadata import version

import av
import imageio.v3 as iio
import imageio_ffmpeg
import numpy as np

WIDTH, HEIGHT, COUNT = 64, 48, 48


def written(path):
    with av.open(path, "w") as file:
        stream = file.add_stream("libx264", rate=25, options={"bf": "2", "g": "24", "preset": "veryfast", "sc_threshold": "0"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for number in range(COUNT):
            frame = av.VideoFrame.from_ndarray(np.full((HEIGHT, WIDTH, 3), 100 + number, np.uint8), format="rgb24")
            frame = frame.reformat(format="yuv420p")
            frame.pts, frame.time_base = 40 * number, Fraction(1, 1000)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())


def counts(name):
    path = f"{sys.argv[1]}/{name}"
    said = iio.improps(path, plugin="pyav").shape[0]
    whole = iio.imread(path, plugin="pyav")
    one_by_one = np.stack(list(iio.imiter(path, plugin="pyav")))
    same = bool((whole[: len(one_by_one)] == one_by_one).all())
    last = whole[-1].mean()
    print(f"{name}: improps {said}, imread {len(whole)}, imiter {len(one_by_one)}, equal so far: {same}; last level {last:.0f}")
    assert same and said == len(whole), "the measurement itself is off"
    return len(whole), len(one_by_one)


print("imageio", version("imageio"), "PyAV", av.__version__)
written(f"{sys.argv[1]}/a.mp4")
written(f"{sys.argv[1]}/a.avi")
cut = ["-ss", "0.4", "-i", f"{sys.argv[1]}/a.mp4", "-c", "copy", f"{sys.argv[1]}/cut.mp4"]
subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *cut], check=True)
assert counts("a.mp4") == (48, 48), "the measurement itself is off"
assert counts("cut.mp4") == (48, 38), "the behaviour has changed"
assert counts("a.avi") == (1920, 48), "the behaviour has changed"
PY
"$folder/venv/bin/python" "$folder/seen.py" "$folder"
