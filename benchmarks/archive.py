#!/usr/bin/env python3
"""Many videos on a Dask cluster of two workers: throughput beside plain loops, workers that are killed, memory.

usage: python benchmarks/archive.py [--clips 200] [--frames 30] [--rounds 4]

Plain loops: two processes side by side, one thread each, `run_to_sinks` over half of the clips each; engines are open
before the clock starts. The cluster: two workers of one thread each on this machine, engines open as well. Both write
JSON lines and masks, in turn, A B B A, since a machine that other programs share is faster at one time than at another;
the ratio is that of the sums. Memory of the workers is read once a second. Then the clips are segmented once more while
workers are killed, and once by workers as Dask starts them; the others go by ``deploy/dask.yaml``.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import dask
import numpy as np
import yaml
from distributed import Client, LocalCluster

from edge_arseg.bench.record import record_now, write_record

HERE = Path(__file__).resolve().parents[1]
RECORD = HERE / "benchmarks/results/archive.json"
CLIP = HERE.parent / "shared/clips/highway_960x540.mp4"
BUNDLE = HERE / "edge_arseg/zoo/camvid-compact-360x480-int8.arseg"
WORKERS = HERE / "deploy/dask.yaml"
BACKEND = "onnxruntime"
LIMIT = 0.95
KILLS = 5
GOP = 25

LOOP = """
import sys
from edge_arseg import EngineOptions, Segmenter, run_to_sinks
bundle, out, *clips = sys.argv[1:]
with Segmenter(bundle, engines=EngineOptions(backend="onnxruntime", threads=1)) as segmenter:
    segmenter.pipeline
    print("ready", flush=True)
    sys.stdin.readline()
    for clip in clips:
        name = clip.rsplit("/", 1)[1].removesuffix(".mp4")
        run_to_sinks(segmenter, clip, [f"jsonl://{out}/{name}.jsonl", f"masks://{out}/{name}"])
    print("done", flush=True)
"""


def make_clips(folder: Path, clip: Path, count: int, frames: int) -> None:
    """Write ``count`` clips: parts of a video, encoded so that their own vectors can be used; every part once more
    under other names where there are more clips than parts."""
    with av.open(str(clip)) as container:
        pictures = [frame.reformat(format="yuv420p") for frame in container.decode(video=0)]
    parts = max(1, len(pictures) // frames)
    for number in range(count):
        path = folder / f"{number:04d}.mp4"
        if number >= parts:
            path.write_bytes((folder / f"{number % parts:04d}.mp4").read_bytes())
            continue
        write_clip(path, pictures[number * frames : (number + 1) * frames])


def write_clip(path: Path, pictures: list[av.VideoFrame], rate: int = 25) -> None:
    """Encode pictures with x264: no B-frames, one reference, an intra frame every 25."""
    with av.open(str(path), "w") as out:
        options = {"bf": "0", "refs": "1", "g": str(GOP), "preset": "veryfast"}
        stream: Any = out.add_stream("libx264", rate, options=options)
        stream.width, stream.height, stream.pix_fmt = pictures[0].width, pictures[0].height, "yuv420p"
        for number, picture in enumerate(pictures):
            picture.pts, picture.time_base, picture.pict_type = number, Fraction(1, rate), 0
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))


def plain_s(clips: list[Path], out: Path) -> float:
    """Return the seconds of two loops side by side over half of the clips each, engines open before and after."""
    pipe = subprocess.PIPE
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", LOOP, str(BUNDLE), str(out), *map(str, half)], stdin=pipe, stdout=pipe, text=True
        )
        for half in (clips[::2], clips[1::2])
    ]

    def wait(word: str) -> None:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == word

    wait("ready\n")
    start = time.perf_counter()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    wait("done\n")
    seconds = time.perf_counter() - start
    for process in processes:
        process.communicate()
    return seconds


def command(clips: Path, out: Path, *more: str) -> list[str]:
    """Return the command that segments clips."""
    return [
        *(sys.executable, "-m", "edge_arseg", "run", str(clips), f"jsonl://{out}/{{stem}}.jsonl"),
        *(f"masks://{out}/{{stem}}", "-b", str(BUNDLE), "--backend", BACKEND, "--threads", "1", *more),
    ]


def cluster_s(address: str, clips: Path, out: Path) -> float:
    """Return the seconds of a command on the cluster, from its first video to its last.

    The command's own start is not in it: neither is that of the loops.
    """
    done = subprocess.run(command(clips, out, "--cluster", address), capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    told = [line for line in done.stderr.splitlines() if " videos, " in line and " fps" in line][-1]
    print("   cluster:", told)
    frames, fps = (float(told.split(", ")[at].split()[0]) for at in (1, 2))
    return frames / fps


def faults_of(out: Path, clips: list[Path], frames: int) -> list[str]:
    """Say what is not there exactly once, or only half."""
    faults = []
    for clip in clips:
        lines = out / f"{clip.stem}.jsonl"
        indices = [json.loads(line)["index"] for line in lines.read_text().splitlines()] if lines.exists() else []
        if indices != list(range(frames)):
            faults.append(f"{lines.name}: frames {indices[:3]}... of {len(indices)}")
        masks = sorted(path.name for path in (out / clip.stem).glob("*.png"))
        if masks != [f"{number:06d}.png" for number in range(frames)]:
            faults.append(f"{clip.stem}: {len(masks)} masks")
    return faults


class Memory:
    """Resident memory of processes, once a second."""

    def __init__(self, client: Client) -> None:
        self._client, self._ended = client, threading.Event()
        self.rows: list[list[float]] = []
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        pids = list(self._client.run(os.getpid).values())
        while not self._ended.wait(1.0):
            with suppress(OSError):
                pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids]
                self.rows.append([page * os.sysconf("SC_PAGESIZE") / 1e6 for page in pages])

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def values(self, files: int) -> dict[str, Any]:
        """Return medians of each quarter of the time, of every worker, and how much it grows with a file.

        The slope leaves out the first quarter, in which buffers get their sizes.

        Args:
            files: that all workers had together in this time.
        """
        quarter = max(1, len(self.rows) // 4)
        parts = [self.rows[at : at + quarter] for at in range(0, 4 * quarter, quarter)]
        table = [[round(statistics.median(column), 1) for column in zip(*part, strict=True)] for part in parts if part]
        growth = max(last / first for first, last in zip(table[0], table[-1], strict=True)) if table else None
        late = np.array(self.rows[quarter:])
        each = files * len(late) / max(1, len(self.rows)) / late.shape[1] if late.ndim == 2 else 0.0
        slopes = np.polyfit(np.linspace(0, each, len(late)), late, 1)[0] if len(late) > 2 and each else ()
        return {
            "quarters_mb": table,
            "last_to_first": None if growth is None else round(growth, 4),
            "slope_mb_per_file": [round(float(slope), 4) for slope in slopes],
        }


@contextmanager
def local_cluster(settings: dict[str, Any]) -> Iterator[tuple[LocalCluster, Client]]:
    """Two workers of one thread each, which are started again when they die.

    Args:
        settings: of Dask, that differ from its own.
    """
    with (
        dask.config.set(dask.config.merge(dask.config.config, settings)),
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield cluster, client


def killed(client: Client, address: str, clips: Path, out: Path, kills: int, expected_s: float) -> dict[str, Any]:
    """Segment all clips while workers are killed; return how it ended."""
    process = subprocess.Popen(command(clips, out, "--cluster", address), stderr=subprocess.PIPE, text=True)
    done = 0
    for number in range(kills):
        time.sleep(max(3.0, expected_s / (kills + 2)))
        if process.poll() is not None:
            break
        client.wait_for_workers(2, timeout=60)
        pids = sorted(client.run(os.getpid).values())
        os.kill(pids[number % len(pids)], signal.SIGKILL)
        done += 1
    _, told = process.communicate()
    return {"kills": done, "exit_code": process.returncode, "told": told.splitlines()[-3:]}


def main() -> None:
    """Take the measurements and keep a record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--frames", type=int, default=30, help="of each clip")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--record", type=Path, default=RECORD)
    chosen = parser.parse_args()
    values: dict[str, Any] = {"rounds": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "clips").mkdir()
        (folder / "warm").mkdir()
        make_clips(folder / "clips", CLIP, chosen.clips, chosen.frames)
        make_clips(folder / "warm", CLIP, 4, 10)
        clips = sorted((folder / "clips").glob("*.mp4"))
        total = chosen.clips * chosen.frames
        with local_cluster(yaml.safe_load(WORKERS.read_text())) as (cluster, client):
            address = cluster.scheduler_address
            cluster_s(address, folder / "warm", folder / "warm-out")  # engines are opened
            seconds: dict[str, list[float]] = {"plain": [], "cluster": []}
            for number in range(chosen.rounds):
                memory = Memory(client)
                for kind in ("plain", "cluster") if number % 2 == 0 else ("cluster", "plain"):
                    out = folder / f"{kind}-{number}"
                    if kind == "plain":
                        seconds[kind].append(plain_s(clips, out))
                        continue
                    with memory:
                        seconds[kind].append(cluster_s(address, folder / "clips", out))
                    assert faults_of(out, clips, chosen.frames) == []
                plain, here = seconds["plain"][-1], seconds["cluster"][-1]
                row = {"plain_fps": round(total / plain, 2), "cluster_fps": round(total / here, 2)}
                row |= {"ratio": round(plain / here, 4), "memory": memory.values(chosen.clips)}
                values["rounds"].append(row)
                print(row, flush=True)
            values["ratio"] = round(sum(seconds["plain"]) / sum(seconds["cluster"]), 4)
            values["within_limit"] = values["ratio"] >= LIMIT
            out = folder / "killed"
            values["killed"] = killed(client, address, folder / "clips", out, KILLS, here)
            values["killed"]["faults"] = faults_of(out, clips, chosen.frames)
            print(values["killed"])
        with local_cluster({}) as (cluster, client):
            cluster_s(cluster.scheduler_address, folder / "warm", folder / "warm-again")
            with Memory(client) as memory:
                here = cluster_s(cluster.scheduler_address, folder / "clips", folder / "dasks-own")
            values["dasks_own_settings"] = {
                "cluster_fps": round(total / here, 2),
                "memory": memory.values(chosen.clips),
            }
            print(values["dasks_own_settings"])
    settings = {
        "clips": chosen.clips, "frames": chosen.frames, "clip": CLIP.name, "bundle": BUNDLE.name, "backend": BACKEND,
        "workers": 2, "threads": 1, "limit": LIMIT,
    }  # fmt: skip
    write_record(record_now("archive", settings=settings, values=values), chosen.record)


if __name__ == "__main__":
    main()
