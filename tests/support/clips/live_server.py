"""A process that sends a live stream on loopback, until it is stopped, killed or done."""

import socket
from contextlib import contextmanager

from support.clips.moving import run

SERVER = """
import sys, time, av, numpy as np
url, count = sys.argv[1], int(sys.argv[2])
rng = np.random.default_rng(0)
canvas = np.kron(rng.integers(0, 256, (40, 60, 3)), np.ones((8, 8, 1))).astype(np.uint8)
for attempt in range(100):
    try:
        output = av.open(url, "w", format="rtsp", options={"rtsp_transport": "tcp"})
        stream = output.add_stream("libx264", 25, options={"g": "5", "bf": "0", "refs": "1", "tune": "zerolatency"})
        stream.width, stream.height, stream.pix_fmt = 192, 144, "yuv420p"
        output.start_encoding()
        break
    except Exception:
        time.sleep(0.1)
for n in range(count):
    x = 2 * (n % 60)
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(canvas[:144, x : x + 192]), format="rgb24")
    output.mux(stream.encode(frame))
    time.sleep(0.04)
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def served(count=10_000):
    """A second process sends; the reader listens, so that neither needs a server."""
    url = f"rtsp://127.0.0.1:{free_port()}/live"
    servers = [run(SERVER, url, count)]
    try:
        yield url, servers
    finally:
        for server in servers:
            server.kill()
            server.wait()
