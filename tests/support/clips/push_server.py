"""A real RTSP server on loopback that takes a stream and keeps it in a file."""

import subprocess
import time

from support.clips.rtsp_server import PYTHON, free_port, listens

SCRIPT = """
import sys, gi
gi.require_version("Gst", "1.0"); gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)
server = GstRtspServer.RTSPServer.new()
server.set_address("127.0.0.1"); server.set_service(sys.argv[1])
factory = GstRtspServer.RTSPMediaFactory.new()
factory.set_transport_mode(GstRtspServer.RTSPTransportMode.RECORD)
keep = f"matroskamux streamable=true ! filesink location={sys.argv[2]}"
factory.set_launch(f"( rtph264depay name=depay0 ! h264parse ! {keep} )")
server.get_mount_points().add_factory("/live", factory)
server.attach(None)
print("ready", flush=True)
GLib.MainLoop().run()
"""


class PushServer:
    """Takes what is pushed to ``url``; it can be killed, and started again at the same place with another file."""

    def __init__(self):
        self.port, self.process = free_port(), None
        self.url = f"rtsp://127.0.0.1:{self.port}/live"

    def start(self, path):
        for _ in range(20):
            command = [PYTHON, "-c", SCRIPT, str(self.port), str(path)]
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            if self.process.stdout.readline() == "ready\n" and listens(self.port):
                return
            self.kill()
            time.sleep(0.1)
        raise AssertionError("the server does not start")

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.process = None
