"""A real RTSP server on loopback, as a process of its own: GStreamer's, from the distribution's packages."""

import functools
import socket
import subprocess
import time
from contextlib import closing
from pathlib import Path

PYTHON = "/usr/bin/python3"
"""The interpreter that the distribution's bindings are for."""

SCRIPT = """
import sys, gi
gi.require_version("Gst", "1.0"); gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer, GstRtsp
port, size, codec, transports, login = sys.argv[1:6]
Gst.init(None)
width, height = size.split("x")
encoders = {
    "h264": "x264enc bframes=0 ref=1 tune=zerolatency speed-preset=ultrafast key-int-max=25 ! rtph264pay name=pay0",
    "jpeg": "jpegenc ! rtpjpegpay name=pay0",
}
server = GstRtspServer.RTSPServer.new()
server.set_address("127.0.0.1"); server.set_service(port)
factory = GstRtspServer.RTSPMediaFactory.new()
factory.set_launch(
    f"( videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width={width},height={height},framerate=25/1 "
    f"! {encoders[codec]} )"
)
if transports != "any":
    factory.set_protocols(getattr(GstRtsp.RTSPLowerTrans, transports.upper()))
if login:
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(*login.split(":")), token)
    server.set_auth(auth)
    rights = GstRtspServer.RTSPPermissions()
    for right in ("media.factory.access", "media.factory.construct"):
        rights.add_permission_for_role("user", right, True)
    factory.set_permissions(rights)
server.get_mount_points().add_factory("/live", factory)
server.attach(None)
print("ready", flush=True)
GLib.MainLoop().run()
"""


@functools.cache
def missing() -> str | None:
    """Why there can be no such server here; ``None``: there can."""
    if not Path(PYTHON).exists():
        return "there is no system Python"
    probe = (
        "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import Gst, GstRtspServer; "
        "Gst.init(None); assert Gst.ElementFactory.find('x264enc'), 'no x264enc'"
    )
    answer = subprocess.run([PYTHON, "-c", probe], capture_output=True, text=True, timeout=60, check=False)
    lines = answer.stderr.strip().splitlines()
    return None if answer.returncode == 0 else f"apt install gir1.2-gst-rtsp-server-1.0 python3-gi: {lines[-1]}"


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port: int) -> bool:
    """Whether somebody listens at a port, a second later at the latest."""
    for _ in range(50):
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.02)
    return False


class RtspServer:
    """Serves a moving ball at ``url``; it can be killed, frozen, and started again at the same place."""

    def __init__(self, *, size="320x240", codec="h264", transports="any", login=""):
        self.port, self.process = free_port(), None
        self.size, self.codec, self.transports, self.login = size, codec, transports, login
        at = f"{login}@" if login else ""
        self.url = f"rtsp://{at}127.0.0.1:{self.port}/live"

    def start(self):
        command = [PYTHON, "-c", SCRIPT, str(self.port), self.size, self.codec, self.transports, self.login]
        for _ in range(20):  # the port may still be in use by the one that was killed
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            if self.process.stdout.readline() == "ready\n" and listens(self.port):
                return self
            self.kill()
            time.sleep(0.1)
        raise AssertionError("the RTSP server does not start")

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.process = None

    def send(self, signal):
        self.process.send_signal(signal)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()
