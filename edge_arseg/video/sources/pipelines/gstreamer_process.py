"""Runs a GStreamer pipeline and writes its video as Matroska to the standard output; a program of its own.

The first line of the input is the pipeline, without a sink at its end. The end of the input ends it. A fault is one
line on the standard error.

The distribution's bindings are for the distribution's Python, which a virtual environment cannot import them from; and
a plug-in that crashes takes this program along, and not the run.
"""

import os
import sys
import threading


def main() -> int:
    """Run until the pipeline or the input ends; return 1 after a fault."""
    try:
        import gi

        gi.require_version("Gst", "1.0")
        from gi.repository import GLib, Gst
    except (ImportError, ValueError) as fault:
        return told(f"no GStreamer for {sys.executable}: {fault}", 3)
    Gst.init(None)
    text = sys.stdin.readline().strip()
    try:
        pipeline = Gst.Pipeline.new("source")
        body = Gst.parse_bin_from_description(f"{text} ! identity", True)  # caps cannot be the last
    except GLib.Error as fault:
        return told(fault.message, 2)
    pad = body.get_static_pad("src")
    if pad is None:
        return told("its last element gives no video out; leave out the sink at its end", 2)
    caps = pad.query_caps(None)
    name = caps.get_structure(0).get_name() if caps.get_size() and not caps.is_any() else ""
    parser = {"video/x-h264": "h264parse config-interval=-1 ! ", "video/x-h265": "h265parse ! "}.get(name, "")
    try:
        tail = Gst.parse_bin_from_description(
            f"{parser}queue max-size-buffers=2 ! matroskamux streamable=true ! fdsink name=out sync=false", False
        )
    except GLib.Error as fault:
        return told(fault.message, 2)
    first = next(iter_elements(tail, Gst), None)
    assert first is not None
    tail.add_pad(Gst.GhostPad.new("sink", first.get_static_pad("sink")))
    tail.get_by_name("out").set_property("fd", 1)
    pipeline.add(body)
    pipeline.add(tail)
    if not body.link(tail):
        return told("its last element gives no video that Matroska holds; expected raw video, H.264, H.265 or JPEG", 2)
    pipeline.set_state(Gst.State.PLAYING)
    threading.Thread(target=wait_for_end, daemon=True).start()
    bus = pipeline.get_bus()
    message = bus.timed_pop_filtered(Gst.CLOCK_TIME_NONE, Gst.MessageType.ERROR | Gst.MessageType.EOS)
    code = 0
    if message is not None and message.type == Gst.MessageType.ERROR:
        error, _details = message.parse_error()
        code = told(f"{message.src.get_name()}: {error.message}", 1)
    pipeline.set_state(Gst.State.NULL)
    return code


def iter_elements(tail, gst):  # type: ignore[no-untyped-def]
    """The elements of a bin from its entrance on."""
    elements = []
    iterator = tail.iterate_sorted()
    while True:
        result, element = iterator.next()
        if result != gst.IteratorResult.OK:
            break
        elements.append(element)
    return reversed(elements)  # sorted from the sink on


def wait_for_end() -> None:
    """End with the program that started this one."""
    while os.read(0, 4096):
        pass
    os._exit(0)


def told(text: str, code: int) -> int:
    """Say what is wrong; return the exit code."""
    print(" ".join(text.split()), file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    os._exit(main())
