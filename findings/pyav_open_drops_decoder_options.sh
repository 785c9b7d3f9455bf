#!/usr/bin/env bash
# PyAV 18.1.0: av.open(path, options=...) is documented as "Options to pass to the container and all streams", and stream_options
# as "Options to pass to each stream". Options for the decoder go nowhere by either, without an error or a warning.
#
# With FFmpeg's own programs `-flags2 +export_mvs` or `-skip_frame nokey` before the input reach the decoder, and the same
# words in `options` look like that. Here they reach the demuxer, which does not know them, and the short look into the file by
# which FFmpeg finds its streams; the decoder whose pictures one gets is made afterwards, without them. So there are no motion
# vectors, which is what a video of a codec without vectors looks like as well, and all pictures are decoded where keyframes
# alone were asked for. A name that does not exist is taken too.
#
# What helps: codec_context.options of the stream, set before the first picture is decoded, as edge_arseg does.
#
# Seen below: 24 pictures of H.264 with a keyframe every 8. How many are decoded, and how many of them have vectors.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check av==18.1.0 numpy==2.4.6 2>/dev/null
cat > "$folder/seen.py" <<'PY'
import sys
import warnings

import av
import numpy as np

warnings.simplefilter("error")
path = f"{sys.argv[1]}/video.mp4"
scene = np.kron(np.random.default_rng(0).integers(30, 220, (40, 40)), np.ones((8, 8))).astype(np.uint8)
with av.open(path, "w") as output:
    stream = output.add_stream("libx264", rate=25, options={"g": "8", "bf": "0"})
    stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
    for number in range(24):
        planes = np.full((144, 160), 128, np.uint8)
        planes[:96] = scene[2 * number :][:96, 3 * number :][:, :160]
        output.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
    output.mux(stream.encode())


def looked_at(of_context=None, **arguments):
    with av.open(path, **arguments) as video:
        stream = video.streams.video[0]
        if of_context:
            stream.codec_context.options = of_context
        frames = list(video.decode(stream))
        return len(frames), sum(frame.side_data.get("MOTION_VECTORS") is not None for frame in frames)


print("PyAV", av.__version__)
assert "container and all streams" in av.open.__doc__, "the documentation has changed"
seen = {"no options": looked_at()}
for options in ({"flags2": "+export_mvs"}, {"skip_frame": "nokey"}, {"no_such_option": "1"}):
    told = " ".join(f"{name}={value}" for name, value in options.items())
    seen[f"{told}, by options"] = looked_at(options=options)
    seen[f"{told}, by stream_options"] = looked_at(stream_options=[options])
    if "no_such_option" not in options:
        seen[f"{told}, by the context"] = looked_at(of_context=options)
for name, (frames, with_vectors) in seen.items():
    print(f"{name}: {frames} pictures, {with_vectors} with vectors")
assert seen.pop("flags2=+export_mvs, by the context") == (24, 21), "the measurement itself is off"
assert seen.pop("skip_frame=nokey, by the context") == (3, 0), "the measurement itself is off"
assert set(seen.values()) == {(24, 0)}, "the behaviour has changed"
PY
"$folder/venv/bin/python" "$folder/seen.py" "$folder"
