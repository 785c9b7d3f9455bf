"""Segment what a GStreamer pipeline delivers, with the motion vectors of the stream.

usage: python3 examples/gstreamer_appsink.py VIDEO.mp4 BUNDLE
       python3 examples/gstreamer_appsink.py "rtspsrc location=rtsp://camera ! rtph264depay" BUNDLE

The pipeline hands over packets, not pictures: decoded pictures have lost their vectors. Its end is ``appsink``, behind
``matroskamux``, and a pipe takes the packets to the reader. Debian: apt install python3-gi gir1.2-gst-plugins-base-1.0
gstreamer1.0-plugins-good gstreamer1.0-plugins-bad.
"""

import os
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
from gi.repository import Gst, GstApp  # noqa: E402, F401 - GstApp gives appsink its methods

from edge_arseg import Segmenter  # noqa: E402

END = "h264parse ! matroskamux streamable=true ! appsink name=packets sync=false max-buffers=64"


def pump(pipeline: "Gst.Pipeline", descriptor: int) -> None:
    """Write the pipeline's packets to a pipe until it ends, then close that."""
    packets = pipeline.get_by_name("packets")
    with os.fdopen(descriptor, "wb") as pipe:
        while (sample := packets.pull_sample()) is not None:
            buffer = sample.get_buffer()
            try:
                pipe.write(buffer.extract_dup(0, buffer.get_size()))
                pipe.flush()
            except BrokenPipeError:  # the reader has had enough
                break


def main(source: str, bundle: str | None = None) -> None:
    """Print a line for each frame."""
    Gst.init(None)
    if " ! " not in source:
        source = f"filesrc location={source} ! qtdemux"
    pipeline = Gst.parse_launch(f"{source} ! {END}")
    reading, writing = os.pipe()
    os.dup2(reading, 0)  # `-` is the standard input
    os.close(reading)
    pipeline.set_state(Gst.State.PLAYING)
    threading.Thread(target=pump, args=(pipeline, writing), daemon=True).start()
    # OpenVINO 2026.4 aborts in a process that has imported gi
    with Segmenter(bundle, backend="onnxruntime") as segmenter:
        for result in segmenter.stream("-", motion="codec"):
            print(f"{result.frame.index:6d}  {result.branch.value}  {result.latency_ms:6.1f} ms")
    error = pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR)
    pipeline.set_state(Gst.State.NULL)
    if error is not None:
        sys.exit(f"GStreamer: {error.parse_error()[0].message}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
