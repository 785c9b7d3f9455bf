#!/usr/bin/env python3
"""Compare ways to send a run to a browser: JPEG with class maps, MJPEG with the overlay drawn in, H.264 in MP4.

usage: python benchmarks/watch_transports.py [--seconds 20] [--rounds 3] [--viewers 1]

A process stands for the run: it has a picture every 1/30 s (the rendered street, 360x480, with its labels for class
maps), and serves it in three ways, all by Starlette and uvicorn:

- used: what `run --serve` does: JPEG and deflated class map over WebSocket, mixed in the browser.
- mjpeg: the overlay drawn in, JPEG, as multipart/x-mixed-replace in an <img>.
- mp4: the overlay drawn in, H.264 (x264, zero latency, a keyframe a second), fragmented MP4, one fragment a picture,
  over WebSocket into Media Source Extensions, played at the live edge. FFmpeg's muxer gives a fragment out when the
  next picture comes, so a period of 33 ms is in its latency that a muxer of our own would save.

Each picture carries its number in black and white squares, which the browser reads back from what it shows. Latency is
from the picture's class map to the moment when the browser could read it, both by this machine's clock; the browser
looks at every animation frame, so a mean of 8 ms of it is the screen's. CPU is that of the serving process, less what
it takes with no viewer, for each picture. Ways take turns: A B C A B C. Needs Chromium and the extra `serve`.

On a busy machine the browser's own work is in every latency: read ratios.
"""

import argparse
import asyncio
import io
import json
import multiprocessing
import os
import shutil
import threading
import time
from collections.abc import AsyncIterator, Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from edge_arseg.bench.record import record_now, write_record
from edge_arseg.serve.jpeg import JpegEncoder
from edge_arseg.spec.frame import Branch, Frame, SegmentedFrame
from edge_arseg.spec.model import CAMVID_11
from edge_arseg.street import scenes_from_street, street_from_query
from edge_arseg.video.overlay.drawing import Overlay
from edge_arseg.video.overlay.style import PLAIN

HERE = Path(__file__).resolve().parents[1]
RECORD = HERE / "benchmarks/results/watch_transports.json"
SIZE, RATE, BITS, SQUARE = (360, 480), 30, 16, 24
WAYS = ("used", "mjpeg", "mp4")

READ = f"""
const seen = {{}}, probe = document.createElement('canvas')
Object.assign(probe, {{width: {BITS * SQUARE}, height: {SQUARE}}})
const context = probe.getContext('2d', {{willReadFrequently: true}})
function look() {{
  const shown = document.querySelector('video, img, #picture')
  if (shown && (shown.naturalWidth || shown.videoWidth || shown.width)) {{
    context.drawImage(shown, 0, 0, {BITS * SQUARE}, {SQUARE}, 0, 0, {BITS * SQUARE}, {SQUARE})
    const data = context.getImageData(0, {SQUARE // 2}, {BITS * SQUARE}, 1).data
    let number = 0
    for (let bit = 0; bit < {BITS}; bit++) if (data[4 * (bit * {SQUARE} + {SQUARE // 2})] > 128) number |= 1 << bit
    if (number && !(number in seen)) seen[number] = Date.now()
  }}
  requestAnimationFrame(look)
}}
window.seen = seen
look()
"""
MP4 = """
const media = new MediaSource(), video = document.querySelector('video'), queue = []
video.src = URL.createObjectURL(media)
media.addEventListener('sourceopen', () => {
  const buffer = media.addSourceBuffer('video/mp4; codecs="avc1.42c01e"')
  const next = () => { if (queue.length && !buffer.updating) buffer.appendBuffer(queue.shift()) }
  buffer.addEventListener('updateend', () => {
    const end = buffer.buffered.length && buffer.buffered.end(buffer.buffered.length - 1)
    if (end && end - video.currentTime > 0.1) video.currentTime = end - 0.01
    next()
  })
  const socket = new WebSocket(`ws://${location.host}/mp4`)
  socket.binaryType = 'arraybuffer'
  socket.onmessage = event => { queue.push(event.data); next() }
})
"""


def results() -> list[SegmentedFrame]:
    """Return one second of the street, with labels as class maps."""
    drive = street_from_query(f"size={SIZE[0]}x{SIZE[1]}&frames={RATE}&rate={RATE}")
    return [
        SegmentedFrame(
            Frame(i, frame.time_s, frame.rgb), np.minimum(frame.labels, 10).astype(np.uint8), Branch.LR, 1, 1.0
        )
        for i, frame in enumerate(scenes_from_street(**drive))
    ]


def numbered(rgb: NDArray[np.uint8], number: int) -> None:
    """Draw the number into the upper left corner, in place."""
    for bit in range(BITS):
        rgb[:SQUARE, bit * SQUARE : (bit + 1) * SQUARE] = 255 if number >> bit & 1 else 0


class Mp4:
    """H.264 in fragments, one a picture."""

    def __init__(self) -> None:
        self._room = io.BytesIO()
        flags = "empty_moov+default_base_moof+frag_every_frame"
        self._container = av.open(self._room, "w", "mp4", container_options={"movflags": flags, "flush_packets": "1"})
        options = {"preset": "veryfast", "tune": "zerolatency", "profile": "baseline", "crf": "23"}
        self._stream: Any = self._container.add_stream("libx264", rate=RATE, options=options)
        self._stream.height, self._stream.width, self._stream.pix_fmt = (*SIZE, "yuv420p")
        self._stream.codec_context.gop_size = RATE
        self._stream.codec_context.time_base = Fraction(1, RATE)
        self._count = 0

    def encode(self, rgb: NDArray[np.uint8]) -> bytes:
        """Return what belongs to a picture; the first has the head of the file too."""
        frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = self._count, Fraction(1, RATE)
        self._count += 1
        for packet in self._stream.encode(frame):
            packet.duration = 1
            self._container.mux(packet)
        data = self._room.getvalue()
        self._room.seek(0)
        self._room.truncate()
        return data


def serve(way: str, pipe: Any, viewed: bool) -> None:
    """Serve one way until told to stop; then send the moments of the pictures and the CPU time."""
    made, stop, moments = results(), threading.Event(), {}
    if way == "used":
        from edge_arseg.serve.address import Address
        from edge_arseg.serve.server import PageServer, Subject

        server = PageServer(Address("127.0.0.1", 0))
        server.show(Subject("street", "none", way, CAMVID_11, "contrast", 0.0))  # the numbers are read back
        take: Callable[[SegmentedFrame], None] = server.take
        port = server.address.port
    else:
        port, take = other_server(way)
    pipe.send(port)
    overlay = Overlay(SIZE, CAMVID_11, PLAIN)
    counted = [0, 0.0]

    def run() -> None:
        number, start = 0, time.monotonic()
        while not stop.is_set():
            number += 1
            result = made[number % len(made)]
            if way != "used":
                overlay.draw(result, drawn := overlay.new_picture())
                result = SegmentedFrame(Frame(number, 0.0, drawn), result.class_map, Branch.LR, 1, 1.0)
            numbered(result.frame.rgb, number % (1 << BITS))
            moments[number % (1 << BITS)] = 1e3 * time.time()
            take(result)
            stop.wait(max(start + number / RATE - time.monotonic(), 0.0))
        counted[0] = number

    thread = threading.Thread(target=run)
    thread.start()
    pipe.recv()  # the viewers are there
    first, cpu = len(moments), time.process_time()
    pipe.recv()
    cpu = time.process_time() - cpu
    count = len(moments) - first
    stop.set()
    thread.join()
    pipe.send((moments, 1e3 * cpu / max(count, 1)))
    os._exit(0)


def other_server(way: str) -> tuple[int, Callable[[SegmentedFrame], None]]:
    """Serve MJPEG or MP4; return the port, and what takes a result."""
    import socket

    import uvicorn
    from starlette.applications import Starlette
    from starlette.responses import HTMLResponse, StreamingResponse
    from starlette.routing import Route, WebSocketRoute
    from starlette.websockets import WebSocket

    queues: set[asyncio.Queue[bytes]] = set()
    loops: list[asyncio.AbstractEventLoop] = []
    jpeg, mp4 = JpegEncoder(), Mp4()
    head: list[bytes] = []

    def take(result: SegmentedFrame) -> None:
        if not queues:
            return
        if way == "mjpeg":
            data = jpeg.encode(result.frame.rgb)
            data = b"--f\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b\r\n" % (len(data), data)
        else:
            data = mp4.encode(result.frame.rgb)
            if not head:
                head.append(data[: data.index(b"moof") - 4] if b"moof" in data else data)
        loops[0].call_soon_threadsafe(lambda: [queue.put_nowait(data) for queue in tuple(queues)])

    async def page(_: Any) -> HTMLResponse:
        body = "<img src=/mjpeg>" if way == "mjpeg" else f"<video muted autoplay></video><script>{MP4}</script>"
        return HTMLResponse(body)

    async def mjpeg(_: Any) -> StreamingResponse:
        loops.append(asyncio.get_running_loop())
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        queues.add(queue)

        async def parts() -> AsyncIterator[bytes]:
            while True:
                yield await queue.get()

        return StreamingResponse(parts(), media_type="multipart/x-mixed-replace; boundary=f")

    async def watch(socket: WebSocket) -> None:
        await socket.accept()
        loops.append(asyncio.get_running_loop())
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        if head:
            await socket.send_bytes(head[0])
        queues.add(queue)
        while True:
            await socket.send_bytes(await queue.get())

    app = Starlette(routes=[Route("/", page), Route("/mjpeg", mjpeg), WebSocketRoute("/mp4", watch)])
    ear = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, ws="websockets-sansio", ws_per_message_deflate=False, lifespan="off")
    threading.Thread(target=uvicorn.Server(config).run, kwargs={"sockets": [ear]}, daemon=True).start()
    return ear.getsockname()[1], take


def measured(way: str, browser: Any, seconds: float, viewers: int) -> dict[str, float]:
    """Return the figures of one turn."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(way, there, viewers > 0))
    process.start()
    port = here.recv()
    pages = []
    for _ in range(viewers):
        context = browser.new_context(bypass_csp=True)
        pages.append(context.new_page())
        pages[-1].goto(f"http://127.0.0.1:{port}/")
        pages[-1].evaluate(READ)
    time.sleep(3)
    here.send("begin")
    begun = 1e3 * time.time()
    time.sleep(seconds)
    here.send("end")
    seen = [page.evaluate("seen") for page in pages]
    moments, cpu_ms = here.recv()
    process.join()
    for page in pages:
        page.context.close()
    ages = [
        at - moments[int(number)]
        for one in seen
        for number, at in one.items()
        if moments.get(int(number), 0.0) > begun and at > moments[int(number)]
    ]
    wanted = viewers * seconds * RATE
    figures = {"cpu_ms": cpu_ms}
    if ages:
        figures |= {
            "p50_ms": float(np.median(ages)),
            "p95_ms": float(np.percentile(ages, 95)),
            "shown_share": len(ages) / wanted,
        }
    return figures


def main() -> None:
    """Measure, print, and keep a record."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--viewers", type=int, default=1)
    parser.add_argument("--record", type=Path, default=RECORD)
    chosen = parser.parse_args()
    from playwright.sync_api import sync_playwright

    executable = os.environ.get("EDGE_ARSEG_CHROMIUM") or shutil.which("chromium")
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    load = os.getloadavg()[0]
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]
        browser = playwright.chromium.launch(executable_path=executable, args=flags)
        for number in range(chosen.rounds):
            for way in WAYS:
                idle = measured(way, browser, chosen.seconds / 2, 0)["cpu_ms"]
                row = measured(way, browser, chosen.seconds, chosen.viewers)
                row["cpu_ms_for_viewers"] = row["cpu_ms"] - idle
                found[way].append(row)
                print(number + 1, way, {name: round(value, 2) for name, value in row.items()}, flush=True)
        browser.close()
    values = {
        way: {name: round(float(np.median([row[name] for row in rows if name in row])), 2) for name in rows[0]}
        for way, rows in found.items()
    }
    settings = {
        "size": SIZE, "rate": RATE, "seconds": chosen.seconds, "rounds": chosen.rounds, "viewers": chosen.viewers,
        "load_before": round(load, 2),
    }  # fmt: skip
    write_record(record_now("watch_transports", settings=settings, values=values), chosen.record)
    print(json.dumps(values, indent=1))


if __name__ == "__main__":
    main()
