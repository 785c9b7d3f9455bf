"""A camera on UDP whose packets get lost, and which is away for a while."""

import socket
import threading
import time

from support.clips.moving import encode, moving

PACKET = 7 * 188


class LossySender:
    """Sends MPEG-TS to a port in real time, again and again, without every ``lost``-th packet.

    It pauses for ``away_s`` after ``pause_after_s``, once.
    """

    def __init__(self, folder, port, *, lost=40, pause_after_s=2.0, away_s=2.0):
        path = folder / "sent.ts"
        encode(path, moving(100), bf=0, refs=1, g=25, tune="zerolatency")
        self.data, self.seconds = path.read_bytes(), 4.0
        self.port, self.lost, self.pause_after_s, self.away_s = port, lost, pause_after_s, away_s
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._send)

    def _send(self):
        packets = [self.data[at : at + PACKET] for at in range(0, len(self.data), PACKET)]
        pause_s, sent, start, away = self.seconds / len(packets), 0, time.monotonic(), False
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
            while not self.over.wait(pause_s):
                packet = packets[sent % len(packets)]
                sent += 1
                if not away and time.monotonic() - start > self.pause_after_s:
                    away = True
                    if self.over.wait(self.away_s):
                        return
                if sent % self.lost:
                    way.sendto(packet, ("127.0.0.1", self.port))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
