"""Clips that are damaged on purpose."""

import av
import numpy as np


def broken(path, whole, start, count, seed=0):
    """Flip ``count`` bytes behind ``start``."""
    data = bytearray(whole.read_bytes())
    for at in np.random.default_rng(seed).integers(start, len(data) - 2000, count):
        data[at] ^= 255
    path.write_bytes(data)
    return path


def audio_only(path):
    with av.open(str(path), "w") as output:
        stream = output.add_stream("aac", 44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4410), np.float32), format="fltp", layout="mono")
        frame.rate = 44100
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def remuxed(source, target, *, without=(), **options):
    """The packets of ``source`` in another file, all but some."""
    with av.open(str(source)) as given, av.open(str(target), "w", options=options) as output:
        stream = output.add_stream_from_template(given.streams.video[0])
        for n, packet in enumerate(given.demux(video=0)):
            if packet.dts is not None and n not in without:
                packet.stream = stream
                output.mux(packet)
