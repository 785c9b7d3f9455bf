#!/usr/bin/env bash
# imageio 2.38.1 with imageio-ffmpeg 0.8.1: reading a video whose frames are not evenly spaced gives frames two times and more,
# and leaves others out. The function of the same package that counts them gives the right number.
#
# The package runs `ffmpeg -f image2pipe`, and for that ffmpeg makes a constant rate: it repeats and drops frames. It is what
# `imageio.v3.imread`, `imiter` and `get_reader` of a video do with the plugin FFMPEG, and `imageio_ffmpeg.read_frames`. Nothing
# is said: ffmpeg's own "dup=" and "drop=" go nowhere. `count_frames_and_secs` copies the stream in place of decoding it, and
# does not see it.
#
# It is met with phones and cameras that lengthen the exposure in the dark, and with recorders that leave out frames where
# nothing moves. Labels that were made by frame number belong to other frames than those that are scored: here the frame that
# imageio calls 20 has the number 3 in the file. How many come out depends on the container: the same frames in Matroska are 37
# and not 141, since the rate that ffmpeg assumes is another one.
# A way round: `output_params=["-fps_mode", "passthrough"]`, or the plugin pyav. edge_arseg gives each frame once.
#
# Seen below: 33 frames with a number in each; how many come out, how many of the 33 are among them, and the number of frame 20.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
    av==18.1.0 imageio==2.38.1 imageio-ffmpeg==0.8.1 numpy==2.4.6 2>/dev/null
cat > "$folder/seen.py" <<'PY'
import sys
from fractions import Fraction
from importlib.metadata import version

import av
import imageio.v3 as iio
import imageio_ffmpeg
import numpy as np

WIDTH, HEIGHT = 320, 240
TIMES = [0, 40, 80, 200, 240, 500, 510, 520, 530, 540, 800, 840, 880, *range(1000, 1400, 20)]  # ms


def written(path):
    with av.open(path, "w") as file:
        stream = file.add_stream("libx264", rate=25, options={"bf": "2", "preset": "veryfast", "qp": "4"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for number, time in enumerate(TIMES):
            luma = np.full((HEIGHT, WIDTH), 20 + 6 * number, np.uint8)
            frame = av.VideoFrame.from_ndarray(
                np.vstack([luma, np.full((HEIGHT // 2, WIDTH), 128, np.uint8)]), format="yuv420p"
            )
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())


def numbers(pictures):
    return [round((16 + float(picture[100, 100, 0]) * 219 / 255 - 20) / 6) for picture in pictures]


def read_frames(path, **options):
    reader = imageio_ffmpeg.read_frames(path, **options)
    next(reader)  # what is known about the file
    return [np.frombuffer(content, np.uint8).reshape(HEIGHT, WIDTH, 3) for content in reader]


print("imageio", version("imageio"), "imageio-ffmpeg", version("imageio-ffmpeg"))
print("ffmpeg", imageio_ffmpeg.get_ffmpeg_version())
for name in ("a.mp4", "a.mkv"):
    path = f"{sys.argv[1]}/{name}"
    written(path)
    found = {
        "plugin FFMPEG": numbers(iio.imread(path, plugin="FFMPEG")),
        "read_frames": numbers(read_frames(path)),
        "passthrough": numbers(read_frames(path, output_params=["-fps_mode", "passthrough"])),
        "plugin pyav": numbers(iio.imiter(path, plugin="pyav")),
    }
    counted = imageio_ffmpeg.count_frames_and_secs(path)[0]
    print(f"{name}: count_frames_and_secs {counted}")
    assert counted == len(TIMES), "the behaviour has changed"
    for way, seen in found.items():
        print(f"{name}, {way}: {len(seen)} frames, {len(set(seen))} of {len(TIMES)}; frame 20 is {seen[20]}")
        if way in ("plugin FFMPEG", "read_frames"):
            assert len(seen) > len(TIMES) > len(set(seen)) and seen[20] != 20, "the behaviour has changed"
            assert (len(seen) > 4 * len(TIMES)) == (name == "a.mp4"), "the behaviour has changed"
        else:
            assert seen == list(range(len(TIMES))), "the measurement itself is off"
PY
"$folder/venv/bin/python" "$folder/seen.py" "$folder"
