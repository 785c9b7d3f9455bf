#!/usr/bin/env python3
"""A long video uncut and in pieces: every frame's mask and line have to be the same.

usage: python benchmarks/long_video.py [--hours 2] [--rate 10] [--piece-s 300] [--folder FOLDER]

The recorded street is written again and again into one file, at a recorder's rate. One command segments it uncut in
one process, another one meanwhile cuts it at intra frames and gives the pieces to two processes. Both write JSON lines
and masks of the model's size. Then every mask is compared byte by byte, and every line but for the time that it took.
Two hours take about half an hour on two cores. Times are no result here: all processes share the cores.

The exit code is 1 where a frame differs.
"""

import argparse
import filecmp
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import av
from archive import BUNDLE, CLIP, write_clip

from edge_arseg.bench.record import record_now, write_record

HERE = Path(__file__).resolve().parents[1]
RECORD = HERE / "benchmarks/results/long_video.json"
BACKEND = "onnxruntime"
WAYS: dict[str, tuple[str, ...]] = {"uncut": (), "pieces": ("--processes", "2")}


def make_loop(path: Path, clip: Path, seconds: float) -> None:
    """Write a clip again and again into one file, as it is coded."""
    with av.open(str(path), "w") as out:
        stream: Any = None
        at = 0
        while True:
            with av.open(str(clip)) as container:
                read: Any = container.streams.video[0]
                if stream is None:
                    stream = out.add_stream_from_template(read)
                step = round(1 / read.average_rate / read.time_base)
                last = 0
                for packet in container.demux(read):
                    if packet.dts is None:
                        continue
                    packet.pts, packet.dts = packet.pts + at, packet.dts + at
                    last = max(last, packet.pts + step)
                    base = packet.time_base
                    packet.stream = stream
                    out.mux(packet)
                at = last
                if at * base >= seconds:
                    return


def segmented(clip: Path, folder: Path, piece_s: float) -> None:
    """Segment a video both ways, at the same time.

    Raises:
        SystemExit: a command failed, or the video was not cut.
    """
    running = {}
    for name, more in WAYS.items():
        cut = ("--piece-length", str(piece_s)) if more else ()
        command = ["run", str(clip), f"jsonl://{folder / name}.jsonl", f"masks://{folder / name}", "-b", str(BUNDLE)]
        command += ["--output-size", "model", "--backend", BACKEND, "--threads", "1", *cut, *more]
        running[name] = subprocess.Popen(
            [sys.executable, "-m", "edge_arseg", *command], stderr=subprocess.PIPE, text=True
        )
    told = {name: process.communicate()[1] for name, process in running.items()}
    for name, process in running.items():
        if process.returncode or "in one piece" in told[name]:
            raise SystemExit(f"{name}: exit {process.returncode}\n{told[name]}")


def compared(folder: Path) -> dict[str, Any]:
    """Return how many frames there are, and how many differ."""
    lines, masks = {}, {}
    for name in WAYS:
        rows = [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]
        lines[name] = [{key: value for key, value in row.items() if key != "latency_ms"} for row in rows]
        masks[name] = sorted(path.name for path in (folder / name).glob("*.png"))
    uncut, pieces = lines["uncut"], lines["pieces"]
    same, differ, failed = filecmp.cmpfiles(folder / "uncut", folder / "pieces", masks["uncut"], shallow=False)
    return {
        "frames": len(uncut),
        "seconds_of_video": round(uncut[-1]["time_s"] - uncut[0]["time_s"], 1),
        "keyframes": sum(row["branch"] == "hr" for row in uncut),
        "lines_that_differ": sum(a != b for a, b in zip(uncut, pieces, strict=False)) + abs(len(uncut) - len(pieces)),
        "masks": len(same),
        "masks_that_differ": len(differ) + len(failed) + len(set(masks["pieces"]) ^ set(masks["uncut"])),
    }


def main() -> None:
    """Take the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--rate", type=int, default=10, help="frames a second of the video")
    parser.add_argument("--piece-s", type=float, default=300.0)
    parser.add_argument("--folder", type=Path, help="for the results: 2 GB for two hours  [default: a temporary one]")
    parser.add_argument("--record", type=Path, default=RECORD)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as name:
        folder = Path(name)
        with av.open(str(CLIP)) as container:
            pictures = [frame.reformat(format="yuv420p") for frame in container.decode(video=0)]
        write_clip(folder / "clip.mp4", pictures, chosen.rate)
        make_loop(folder / "long.mp4", folder / "clip.mp4", 3600 * chosen.hours)
        segmented(folder / "long.mp4", folder, chosen.piece_s)
        values = compared(folder)
    print(values)
    settings = {"hours": chosen.hours, "rate": chosen.rate, "piece_s": chosen.piece_s, "clip": CLIP.name}
    settings |= {"bundle": BUNDLE.name, "backend": BACKEND, "threads": 1, "processes": 2}
    write_record(record_now("long_video", settings=settings, values=values), chosen.record)
    if values["lines_that_differ"] or values["masks_that_differ"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
