"""Small clips for tests: a textured picture that moves by a known step, in any codec."""

import struct
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

SHARED = Path(__file__).parents[3].parent / "shared"
HEIGHT, WIDTH = 144, 192


def moving(count, *, step=(3, 2), height=HEIGHT, width=WIDTH, seed=0):
    """RGB pictures of a smooth texture; its content moves by ``step`` (x, y) pixels a frame."""
    rng = np.random.default_rng(seed)
    reach_y, reach_x = abs(step[1]) * count, abs(step[0]) * count
    coarse = rng.integers(0, 256, ((height + reach_y) // 8 + 2, (width + reach_x) // 8 + 2, 3))
    canvas = np.kron(coarse, np.ones((8, 8, 1))).astype(np.float32)
    for axis in (0, 1):  # soften the edges, so that every codec keeps them
        canvas = sum(np.roll(canvas, shift, axis) for shift in (-2, -1, 0, 1, 2)) / 5
    canvas = canvas.astype(np.uint8)
    for n in range(count):
        x = reach_x - n * step[0] if step[0] > 0 else -n * step[0]
        y = reach_y - n * step[1] if step[1] > 0 else -n * step[1]
        yield np.ascontiguousarray(canvas[y : y + height, x : x + width])


def encode(
    path, pictures, codec="libx264", *, rate=25, pix_fmt="yuv420p", times=None, rotation=None, fmt=None, **options
):
    """Encode RGB pictures; ``times`` are in units of 1/1000 s."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate, options={key.replace("_", "-"): str(v) for key, v in options.items()})
        stream.pix_fmt = pix_fmt
        if times:
            stream.codec_context.time_base = Fraction(1, 1000)
        if rotation is not None and hasattr(stream, "set_display_rotation"):
            stream.set_display_rotation(rotation)
        for n, rgb in enumerate(pictures):
            if n == 0:
                stream.width, stream.height = rgb.shape[1], rgb.shape[0]
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=pix_fmt)
            frame.pts, frame.time_base = (times[n], Fraction(1, 1000)) if times else (n, Fraction(1, rate))
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        written = rotation is None or hasattr(stream, "set_display_rotation")
    if not written:
        turn(Path(path), rotation)
    return path


def turn(path: Path, degrees: int) -> None:
    """Write a turn by quarters into an mp4's track header, which PyAV 15.0 to 16.0 cannot."""
    cos, sin = ((1, 0), (0, 1), (-1, 0), (0, -1))[degrees // 90 % 4]
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 44
    unit = 1 << 16
    data[matrix : matrix + 36] = struct.pack(
        ">9i", cos * unit, -sin * unit, 0, sin * unit, cos * unit, 0, 0, 0, 1 << 30
    )
    path.write_bytes(data)


def chainable(path, count=24, **options):
    """A clip whose own vectors can be chained."""
    return encode(path, moving(count), bf=0, refs=1, **options)


def run(code, *arguments):
    """A second process that runs ``code``."""
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], stderr=subprocess.DEVNULL)
