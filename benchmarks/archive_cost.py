#!/usr/bin/env python3
"""What 10,000 hours of 1080p cost: rates are measured, prices are assumptions that can be typed.

usage: python benchmarks/archive_cost.py --measure [--frames 240]    # half an hour; writes the record
       python benchmarks/archive_cost.py --page                      # docs/archive_cost.md from the record
       python benchmarks/archive_cost.py --core-hour 0.02 --watts 8  # the table with other assumptions

A rate is the CPU time of a whole process, all of its threads, for each frame: reading, engines, sinks. One process has
engines of one thread, as many videos have (`run` with many videos). Opening is left out: the difference of two lengths
of one video is taken. CPU time, unlike wall time, hardly depends on what else the machine does.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from edge_arseg.bench.record import record_now, write_record
from edge_arseg.video.reader import open_video
from edge_arseg.video.sinks.movies.encoder import Encoder

HERE = Path(__file__).resolve().parents[1]
RECORD = HERE / "benchmarks/results/archive_cost.json"
PAGE = HERE / "docs/archive_cost.md"
BUNDLE = HERE / "edge_arseg/zoo/camvid-compact-360x480-int8.arseg"
SIZE, RATE, GOP = (1080, 1920), 30, 60
HOURS = 10_000
SINKS = {"class shares": "jsonl://{}.jsonl", "masks": "masks://{}-masks", "overlay": "{}.mp4"}
SOURCES = {
    "own vectors": {"bframes": 0, "options": {"refs": "1", "preset": "veryfast"}},
    "recoded vectors": {"bframes": 2, "options": {"refs": "3", "preset": "veryfast"}},
}


@dataclass(frozen=True)
class Assumptions:
    """What is not measured.

    Attributes:
        core_hour: price of an hour of one core.
        watts: of a busy core, with its share of the machine.
        kwh: price of a kilowatt-hour, where the machines are one's own.
        mbit: of the videos, megabits a second.
        egress: price of a gigabyte that leaves its store; 0 within one region.
        month: price of a gigabyte that is kept for a month.
    """

    core_hour: float = 0.04
    watts: float = 10.0
    kwh: float = 0.25
    mbit: float = 6.0
    egress: float = 0.0
    month: float = 0.023


def write_video(path: Path, frames: int, **options: Any) -> None:
    """Write a rendered street drive in 1080p."""
    rows, columns = SIZE
    encoder = Encoder(path, SIZE, RATE, codec="libx264", gop=GOP, **options)
    with open_video(f"test://street?size={rows}x{columns}&frames={frames}&rate={RATE}") as reader:
        for frame in reader:
            encoder.write(frame.rgb, frame.time_s)
    encoder.close()


def cpu_s(video: Path, sink: str) -> float:
    """Return the CPU seconds of a process that segments a video."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [
        *(sys.executable, "-m", "edge_arseg", "run", str(video), sink, "-b", str(BUNDLE)),
        *("--backend", "onnxruntime", "--threads", "1", "--force"),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def size_of(place: Path) -> int:
    """Return the bytes of a file, or of the files in a folder."""
    return sum(file.stat().st_size for file in place.iterdir()) if place.is_dir() else place.stat().st_size


def measure(frames: int, rounds: int) -> None:
    """Take the rates and keep them in a record."""
    rates: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for source, options in SOURCES.items():
            short, long = folder / f"{source}-short.mp4", folder / f"{source}-long.mp4"
            write_video(short, frames // 4, **options)
            write_video(long, frames, **options)
            rates[source] = {}
            for kind, sink in SINKS.items():
                uri = sink.format(folder / "out")
                each = []
                for _ in range(rounds):
                    each.append(1e3 * (cpu_s(long, uri) - cpu_s(short, uri)) / (frames - frames // 4))
                cpu_s(long, uri)
                place = Path(uri.rpartition("://")[2])
                rates[source][kind] = {
                    "cpu_ms": round(statistics.median(each), 2),
                    "cpu_ms_of_rounds": [round(value, 2) for value in each],
                    "bytes": round(size_of(place) / frames),
                }
                print(source, kind, rates[source][kind])
    settings = {
        "size": list(SIZE), "rate": RATE, "codec_gop": GOP, "frames": frames, "rounds": rounds, "bundle": BUNDLE.name,
        "backend": "onnxruntime", "threads": 1, "video": "street, x264",
    }  # fmt: skip
    write_record(record_now("archive_cost", settings=settings, values={"rates": rates}), RECORD)


def rows_of(rates: dict[str, Any], chosen: Assumptions) -> list[list[str]]:
    """Return the table: a row for each source and sink."""
    frames = HOURS * 3600 * RATE
    read_tb = HOURS * 3600 * chosen.mbit / 8 / 1e6
    rows = []
    for source, sinks in rates.items():
        for kind, rate in sinks.items():
            core_hours = frames * rate["cpu_ms"] / 3.6e6
            kwh = core_hours * chosen.watts / 1e3
            written_tb = frames * rate["bytes"] / 1e12
            total = core_hours * chosen.core_hour + 1e3 * (read_tb * chosen.egress + written_tb * chosen.month)
            rows.append(
                [
                    source, kind, f"{rate['cpu_ms']:.1f}", f"{rate['bytes'] / 1e3:.1f}", f"{core_hours:,.0f}",
                    f"{core_hours / (30 * 24):,.0f}", f"{kwh:,.0f}", f"{read_tb:,.1f}", f"{written_tb:,.2f}",
                    f"{total:,.0f}", f"{kwh * chosen.kwh:,.0f}",
                ]
            )  # fmt: skip
    return rows


COLUMNS = (
    *("vectors", "written", "CPU ms a frame", "kB a frame", "core hours", "cores for 30 days", "kWh"),
    *("TB read", "TB written", "rented", "own machines: energy"),
)


def page_from_record(record: dict[str, Any], chosen: Assumptions) -> str:
    """Return the page."""
    conditions, settings = record["conditions"], record["settings"]
    rows = rows_of(record["values"]["rates"], chosen)
    table = "\n".join("| " + " | ".join(row) + " |" for row in (list(COLUMNS), ["---"] * len(COLUMNS), *rows))
    shares = record["values"]["rates"]
    own, recoded = (shares[name]["class shares"]["cpu_ms"] for name in SOURCES)
    made = (
        f"`{settings['bundle']}` on {settings['backend']}, engines with one thread, {conditions['cpu']}, "
        f"{conditions['cores']} cores, {record['taken'][:10]}, load {conditions['load']:.1f}"
    )
    size, count = f"{SIZE[1]}x{SIZE[0]}", f"{HOURS * 3600 * RATE / 1e9:.2f} billion frames"
    shares_kb, overlay_kb = (shares["own vectors"][kind]["bytes"] / 1e3 for kind in ("class shares", "overlay"))
    return f"""# What 10,000 hours cost

Generated from its record by `python benchmarks/archive_cost.py --page`; do not edit.

A model of {HOURS:,} hours of 1080p, {RATE} frames a second: {count}, each segmented. CPU time and bytes of a frame are
measured. Prices, watts and the videos' bit rate are assumptions.

{table}

**Measured** ([record](../benchmarks/results/archive_cost.json)): {made}.
The video is a rendered street drive, {settings["frames"]} frames of {size}, encoded by x264. A rate is the CPU time of
the whole process, reading, engines and sinks, without its start. Masks have the size of the source. The overlay's
encoding is in it. CPU time is counted and not wall time, so the load of the machine changes it little.

**Assumed:**

| assumption | value | option |
|---|---|---|
| price of an hour of one core | {chosen.core_hour} | `--core-hour` |
| watts of a busy core, with its share of the machine | {chosen.watts} | `--watts` |
| price of a kilowatt-hour | {chosen.kwh} | `--kwh` |
| bit rate of the videos, Mbit/s | {chosen.mbit} | `--mbit` |
| price of a gigabyte that leaves its store (0: the machines are in its region) | {chosen.egress} | `--egress` |
| price of a gigabyte of results for one month | {chosen.month} | `--month` |

`python benchmarks/archive_cost.py --core-hour 0.02` prints the table with other assumptions. "Rented" is cores, reading
and one month of the results, in the unit of the prices. "Own machines" is the energy alone.

## How it is counted

```text
core hours   = frames * CPU ms / 3,600,000
kWh          = core hours * watts / 1000
TB read      = hours * 3600 * Mbit/s / 8 / 1,000,000
TB written   = frames * bytes / 10^12
```

What it leaves out: cores that share their memory's bandwidth are slower than one alone, which CPU time shows only in
part. Machines stand idle between tasks (a [script](../benchmarks/README.md) measures how much on a
cluster of two workers). Other bundles and engines have other rates, and so do real videos: recoding takes longer where
much moves.

## What changes it

- **Vectors of the stream.** A frame takes {own:.0f} ms with them and {recoded:.0f} ms with recoded ones
  ([how to encode](running.md#set-up-the-encoder)).
- **Fewer results.** Class shares alone take {shares_kb:.1f} kB a frame, an overlay {overlay_kb:.0f} kB.
- **Masks in the network's size** (`--output-size model`), where nobody needs them larger.

`python benchmarks/archive_cost.py --page` makes this page from the record.
"""


def main() -> None:
    """Measure, write the page, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--page", action="store_true")
    parser.add_argument("--frames", type=int, default=240)
    parser.add_argument("--rounds", type=int, default=3)
    for field in fields(Assumptions):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=float, default=field.default)
    typed = parser.parse_args()
    chosen = Assumptions(**{field.name: getattr(typed, field.name) for field in fields(Assumptions)})
    if typed.measure:
        measure(typed.frames, typed.rounds)
    record = json.loads(RECORD.read_text())
    if typed.page:
        PAGE.write_text(page_from_record(record, chosen))
        return
    for row in (COLUMNS, *rows_of(record["values"]["rates"], chosen)):
        print(" | ".join(row))


if __name__ == "__main__":
    main()
