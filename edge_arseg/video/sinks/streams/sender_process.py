"""Sends a stream that comes on the standard input to an address; a program of its own, started by ``Sender``.

The first line of the input says where: JSON with ``url``, ``container`` and ``options``; not on the command line, where
every user of the machine would see a login. NUT follows, which holds no picture back. For each packet that was taken a
dot is written to the standard output. A fault is one JSON line on the standard error: the name of FFmpeg's error, and
its text.

It is a process because connecting holds Python's interpreter lock until the server answers, which may be never.
"""

import json
import sys
from typing import IO, Any

if __name__ == "__main__":
    sys.path.pop(0)  # this folder; its modules are none of this program's

import av

_READY = {"probesize": "32", "analyzeduration": "1", "fpsprobesize": "0", "fflags": "noparse+nofillin"}


def main() -> int:
    """Send until the input ends."""
    with open(0, "rb", buffering=0) as arriving:  # a buffer would hold pictures back until it is full
        return send(arriving, json.loads(arriving.readline()))


def send(arriving: IO[bytes], order: dict[str, Any]) -> int:
    """Send what arrives to where the order says; return the exit code."""
    try:
        with av.open(arriving, "r", format="nut", options=_READY) as source:
            (video,) = source.streams.video
            with av.open(order["url"], "w", format=order["container"], container_options=order["options"]) as target:
                sent = target.add_stream_from_template(video)
                for packet in source.demux(video):
                    if packet.size:
                        packet.stream = sent
                        target.mux(packet)
                        sys.stdout.buffer.write(b".")
                        sys.stdout.buffer.flush()
    except (OSError, ValueError, av.error.FFmpegError) as fault:
        text = getattr(fault, "strerror", None) or str(fault)
        print(json.dumps([type(fault).__name__, text]), file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
