#!/usr/bin/env python3
"""Measure the age of a frame when its JSON line appears: from the camera's moment to the line in another process.

usage: python benchmarks/frame_age.py [--seconds 30] [--rounds 3] [--backend onnxruntime] [--background] [--low-latency]
       [--held]

Three processes on loopback. A camera takes a picture of the rendered street (360x480) every 1/30 s, notes the moment,
draws the picture's number into it as black and white squares, encodes it (H.264 by x264, zero latency, one reference,
no B-frames) and sends it as MPEG-TS over UDP. A run (`udp://`, the default int8 bundle, `jsonl://-`) reads it; a sink
beside the JSON lines reads the number back from what the network saw. This process notes the moment when each line can
be read from the pipe. All moments are of one monotonic clock.

A frame's age is from the camera's moment to its line: encoding, network, demuxing, decoding, motion, class map, JSON.

- age_ms_p50, _p95, _p99: aim: p95 at most 2 frame periods, 66.7 ms.
- own_age_ms_p50, _p95: `age_ms` of the same lines, which begins when the picture arrived in the run.
- lines_share: lines over pictures sent meanwhile. The rest was dropped.

Where lengths of pictures are sent, FFmpeg gives each out one period late, for its H.264 parser waits for the beginning
of the next (found with libavformat 62 at 10 frames a second: 110 ms, and 230 ms where lengths are left out, as its
muxer does by default; `--held`). So 33 ms of an age are no work at all. `--low-latency` takes each packet for
a picture, and that wait is gone.
"""

import argparse
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from edge_arseg.bench.record import record_now, write_record
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.run import run_to_sinks
from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.street import frames_from_street, street_from_query
from edge_arseg.video.delivery.options import LiveOptions
from edge_arseg.video.sinks.base import Sink

HERE = Path(__file__).resolve().parents[1]
RECORD = HERE / "benchmarks/results/frame_age.json"
BUNDLE = HERE / "edge_arseg/zoo/camvid-compact-360x480-int8.arseg"
SIZE, RATE, BITS, SQUARE = (360, 480), 30, 16, 24
LIMIT_MS = 2000 / RATE


def camera(url: str, log: Path, held: bool) -> None:
    """Send pictures until this process is ended, and note the moment of each."""
    drive = street_from_query(f"size={SIZE[0]}x{SIZE[1]}&frames={RATE}&rate={RATE}")
    pictures = [frame.rgb for frame in frames_from_street(**drive)]
    pictures += pictures[::-1]  # there and back, so that nothing jumps
    options = {} if held else {"omit_video_pes_length": "0"}
    output = av.open(url, "w", format="mpegts", container_options=options | {"flush_packets": "1"})
    stream: Any = output.add_stream(
        "libx264", rate=RATE, options={"preset": "veryfast", "tune": "zerolatency", "refs": "1", "bf": "0"}
    )
    stream.height, stream.width, stream.pix_fmt = *SIZE, "yuv420p"
    stream.codec_context.gop_size = RATE
    start = time.monotonic()
    with log.open("w", encoding="ascii") as file:
        number = 0
        while True:
            number += 1
            time.sleep(max(start + number / RATE - time.monotonic(), 0.0))
            file.write(f"{number} {time.monotonic()}\n")
            file.flush()
            rgb = pictures[number % len(pictures)].copy()
            for bit in range(BITS):
                rgb[:SQUARE, bit * SQUARE : (bit + 1) * SQUARE] = 255 if number >> bit & 1 else 0
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            output.mux(stream.encode(frame))


class Numbers(Sink):
    """Reads the number of each picture back from what the network saw, and writes it beside the frame's index."""

    def __init__(self, path: Path) -> None:
        super().__init__("numbers")
        self._file = path.open("w", encoding="ascii")

    def _write(self, result: SegmentedFrame) -> None:
        row = result.frame.rgb[SQUARE // 2, SQUARE // 2 : BITS * SQUARE : SQUARE].mean(-1)
        clear = bool(np.all(np.abs(row - 127.5) > 60))
        number = sum(1 << bit for bit in range(BITS) if row[bit] > 127)
        self._file.write(f"{result.frame.index} {number if clear else -1}\n")
        self._file.flush()

    def _close(self) -> None:
        self._file.close()


def segmenting(url: str, numbers: Path, backend: str, background: bool, low_latency: bool) -> None:
    """Run the stream to JSON lines on stdout until this process is ended."""
    sinks = [Numbers(numbers), "jsonl://-"]
    engines, live = EngineOptions(backend=backend), LiveOptions(wait=True, low_latency=low_latency)
    run_to_sinks(BUNDLE, url, sinks, engines=engines, live=live, background=background)


def read_pairs(path: Path) -> dict[int, float]:
    """Return what whole lines of two numbers say."""
    text = path.read_text(encoding="ascii")
    pairs = (line.split() for line in text[: text.rfind("\n") + 1].splitlines())
    return {int(first): float(second) for first, second in pairs}


def one_round(folder: Path, seconds: float, backend: str, held: bool, options: list[str]) -> dict[str, float]:
    """Return the figures of one run; ``options`` are those of this script that the run knows."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"udp://127.0.0.1:{probe.getsockname()[1]}"
    numbers, moments = folder / "numbers", folder / "moments"
    me = [sys.executable, str(Path(__file__).resolve())]
    common = ["--backend", backend, "--url", url, *options]
    run = subprocess.Popen([*me, "--part", "run", "--log", str(numbers), *common], stdout=subprocess.PIPE)
    sender = subprocess.Popen(
        [*me, "--part", "camera", "--log", str(moments), *common, *(["--held"] if held else [])],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert run.stdout is not None
    try:
        lines: list[tuple[float, bytes]] = []
        rest, first = b"", None
        while first is None or time.monotonic() - first < seconds + 3.0:
            if run.poll() is not None:
                raise SystemExit(f"the run ended with {run.returncode}")
            if not select.select([run.stdout], [], [], 1.0)[0]:
                continue
            data = os.read(run.stdout.fileno(), 1 << 16)
            now = time.monotonic()
            first = first or now
            *whole, rest = (rest + data).split(b"\n")
            lines += [(now, line) for line in whole]
    finally:
        sender.kill()
        run.terminate()
        sender.wait()
        run.wait()
    shown, taken = read_pairs(numbers), read_pairs(moments)
    ages, own = [], []
    for at, line in lines:
        told = json.loads(line)
        number = int(shown.get(told["index"], -1))
        if at - lines[0][0] >= 3.0 and number in taken:  # the first seconds join the stream
            ages.append(1e3 * (at - taken[number]))
            own.append(told["age_ms"])
    if not ages:
        raise SystemExit("no line belongs to a picture that was sent")
    span = [moment for moment in taken.values() if lines[0][0] + 3.0 <= moment <= lines[-1][0]]
    return {
        "age_ms_p50": float(np.median(ages)),
        "age_ms_p95": float(np.percentile(ages, 95)),
        "age_ms_p99": float(np.percentile(ages, 99)),
        "own_age_ms_p50": float(np.median(own)),
        "own_age_ms_p95": float(np.percentile(own, 95)),
        "lines_share": len(ages) / max(len(span), 1),
        "lines": len(ages),
    }


def main() -> None:
    """Measure, print, and keep a record."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--backend", default="onnxruntime")
    parser.add_argument("--held", action="store_true")
    parser.add_argument("--background", action="store_true", help="keyframes beside other frames (--keyframes async)")
    parser.add_argument("--low-latency", action="store_true", help="each packet is a picture (--low-latency)")
    parser.add_argument("--record", type=Path, default=RECORD)
    parser.add_argument("--part", choices=["run", "camera"], help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--log", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.part == "camera":
        camera(f"{chosen.url}?pkt_size=1316", chosen.log, chosen.held)
    if chosen.part == "run":
        segmenting(chosen.url, chosen.log, chosen.backend, chosen.background, chosen.low_latency)
    if chosen.part:
        return
    options = [f"--{name}" for name in ("background", "low-latency") if getattr(chosen, name.replace("-", "_"))]
    load, rounds = os.getloadavg()[0], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(chosen.rounds):
            figures = one_round(Path(folder), chosen.seconds, chosen.backend, chosen.held, options)
            rounds.append(figures)
            print(number + 1, {name: round(value, 2) for name, value in rounds[-1].items()}, flush=True)
    values = {name: round(float(np.median([row[name] for row in rounds])), 2) for name in rounds[0]}
    settings = {
        "bundle": BUNDLE.name, "backend": chosen.backend, "size": SIZE, "rate": RATE, "seconds": chosen.seconds,
        "rounds": chosen.rounds, "background": chosen.background, "low_latency": chosen.low_latency,
        "lengths_sent": not chosen.held,
        "limit_ms": round(LIMIT_MS, 1),
        "load_before": round(load, 2),
    }  # fmt: skip
    write_record(record_now("frame_age", settings=settings, values=values), chosen.record)
    met = values["age_ms_p95"] <= LIMIT_MS
    print(f"age p95 {values['age_ms_p95']} ms, limit {LIMIT_MS:.1f} ms: {'met' if met else 'missed'}")


if __name__ == "__main__":
    main()
