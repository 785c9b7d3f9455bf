"""A camera on UDP whose packets get lost, and which is away for a while."""

import socket
import threading

from support.clips.moving import encode, moving

PACKET = 7 * 188


class LossySender:
    """Sends MPEG-TS to a port in real time, again and again, without every ``lost``-th packet.

    ``leave`` makes it pause.
    """

    def __init__(self, folder, port, *, lost=40):
        path = folder / "sent.ts"
        encode(path, moving(100), bf=0, refs=1, g=25, tune="zerolatency")
        self.data, self.seconds = path.read_bytes(), 4.0
        self.port, self.lost, self.away_s = port, lost, 0.0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._send)

    def _send(self):
        packets = [self.data[at : at + PACKET] for at in range(0, len(self.data), PACKET)]
        pause_s, sent = self.seconds / len(packets), 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
            while not self.over.wait(pause_s):
                packet = packets[sent % len(packets)]
                sent += 1
                away_s, self.away_s = self.away_s, 0.0
                if away_s and self.over.wait(away_s):
                    return
                if sent % self.lost:
                    way.sendto(packet, ("127.0.0.1", self.port))

    def leave(self, away_s):
        """Be away for so many seconds, from now on."""
        self.away_s = away_s

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
