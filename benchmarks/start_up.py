#!/usr/bin/env python3
"""Measure what it costs to begin: `--help`, the first mask, the memory of a run, beside another checkout.

usage: python benchmarks/start_up.py --against CHECKOUT [--clip CLIP] [--rounds 7] [--cold-rounds 7]

The two checkouts take turns, A B A B, each time in a fresh process of this interpreter, so that a busy machine disturbs
both alike; the ratios are those of medians. One run of each comes first and is not counted: it writes Python's and
Numba's caches. Both checkouts then run from compiled modules, as an installed package does (``pip`` compiles them),
even where ``PYTHONDONTWRITEBYTECODE`` is set. With ``cold_numba`` Numba's cache is an empty folder. What a checkout
remembers in the user's cache goes to a folder of its own.

``bare`` is what no program with these libraries can do without: a script that loads NumPy, PyAV and ONNX Runtime, opens
both int8 graphs side by side while it reads a frame, and runs HR once. It takes turns with the same run of this
checkout.

The imports and engines at the end are those of this checkout, each in fresh processes. The tables in
``docs/architecture.md`` are written from the record; ``--page`` does that alone.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from checkouts import revision

from edge_arseg.bench.record import record_now, write_record

HERE = Path(__file__).resolve().parents[1]
RECORD = HERE / "benchmarks/results/start_up.json"
PAGE = HERE / "docs/architecture.md"
CLIP = HERE.parent / "shared/clips/highway_960x540.mp4"
LIMITS = {"help_s": 1 / 4, "first_mask_s": 1 / 3, "peak_mb": 2 / 3}
INT8, FLOAT32 = (f"edge_arseg/zoo/camvid-compact-360x480{kind}.arseg" for kind in ("-int8", ""))
RUNS: dict[str, tuple[str, ...]] = {
    "default": (),
    "int8_onnxruntime": ("-b", INT8, "--backend", "onnxruntime"),
    "float32_onnxruntime": ("-b", FLOAT32, "--backend", "onnxruntime"),
    "float32_openvino": ("-b", FLOAT32, "--backend", "openvino"),
}
IMPORTS = ("click", "numpy", "pydantic", "rich.progress", "av", "onnxruntime", "openvino", "numba")

MEASURED = """
import json, os, time
def mb():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
import numpy
{before}
mb_before, start = mb(), time.perf_counter()
{work}
print(json.dumps([1e3 * (time.perf_counter() - start), mb() - mb_before]))
"""
ENGINE = "from edge_arseg.runtime.engines.opening import engine_class; opened = engine_class({0!r})"
ENGINES = {
    f"{backend} {kind} {role}": (ENGINE.format(backend), f"engine = opened({path + f'/onnx/{role}.onnx'!r})")
    for backend in ("onnxruntime", "openvino")
    for kind, path in (("int8", INT8), ("float32", FLOAT32))
    for role in ("hr", "lr")
}
BARE = """
import os, sys, threading
import numpy, av, onnxruntime
graphs, clip, made = sys.argv[1], sys.argv[2], {}
def opened(role):
    made[role] = onnxruntime.InferenceSession(f"{graphs}/{role}.onnx", providers=["CPUExecutionProvider"])
threads = [threading.Thread(target=opened, args=(role,)) for role in ("hr", "lr")]
for thread in threads:
    thread.start()
with av.open(clip) as container:
    frame = next(container.decode(video=0)).to_ndarray(format="rgb24", width=480, height=360)
for thread in threads:
    thread.join()
made["hr"].run(None, {"frame": frame})
print("{}", flush=True)
os._exit(0)
"""
BUNDLE = f"from edge_arseg.runtime.bundles.reading import read_bundle; bundle = read_bundle({INT8!r})"
RUN_BOTH = f"""
import numpy
from edge_arseg.runtime.engines.opening import engine_class
frame = numpy.zeros((360, 480, 3), numpy.uint8)
hr, lr = (engine_class("openvino")("{INT8}/onnx/" + role + ".onnx") for role in ("hr", "lr"))
"""
ALL = "taken = iter((0.0, mb()))\nmb = lambda: next(taken)"
KERNELS = {
    "Python with NumPy": (ALL, ""),
    "first runs of both int8 engines on openvino": (RUN_BOTH, "for one in (hr, lr): one.run({'frame': frame})"),
    "30 frames of the clip": (
        "from itertools import islice; from edge_arseg.video.reader import open_video",
        f"frames = open_video({str(CLIP)!r}, size=(360, 480), ahead=1); list(islice(frames, 30))",
    ),
    "openvino as its engines load it": (
        "from edge_arseg.runtime.engines.openvino.library import openvino",
        "openvino()",
    ),
    "read the bundle": ("", BUNDLE),
    "fusion and decode kernels": (
        BUNDLE,
        "from edge_arseg.runtime.fusion.cpu import CpuKernelFusion; CpuKernelFusion(bundle)",
    ),
}


class Tree:
    """A checkout, run by this interpreter, with user caches of its own."""

    def __init__(self, path: Path, caches: Path):
        self.path, self.caches = path.resolve(), caches / path.resolve().name
        self.caches.mkdir()

    def environment(self, **others: str) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return {**ours, "PYTHONPATH": str(self.path), "XDG_CACHE_HOME": str(self.caches), **others}

    @contextmanager
    def started(
        self, *arguments: str, program: tuple[str, ...] = ("-m", "edge_arseg"), **environment: str
    ) -> Iterator[tuple[float, subprocess.Popen[str]]]:
        command = [sys.executable, *program, *arguments]
        start = time.perf_counter()
        with subprocess.Popen(
            command, cwd=self.path, env=self.environment(**environment), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as process:  # fmt: skip
            yield start, process

    def help_s(self) -> float:
        with self.started("--help") as (start, process):
            process.communicate()
            return checked(process, time.perf_counter() - start)

    def first_mask_s(self, clip: Path, options: tuple[str, ...], **environment: str) -> float:
        with tempfile.TemporaryDirectory() as folder, self.started(
            "run", str(clip), f"masks://{folder}/masks", "jsonl://-", "--limit", "3", *options, **environment
        ) as (start, process):  # fmt: skip
            line = process.stdout.readline()  # type: ignore[union-attr]
            first = time.perf_counter() - start
            process.communicate()
            assert line.startswith("{") or process.returncode, line
            return checked(process, first)

    def bare_s(self, clip: Path) -> float:
        with self.started(str(self.path / INT8 / "onnx"), str(clip), program=("-c", BARE)) as (start, process):
            line = process.stdout.readline()  # type: ignore[union-attr]
            bare = time.perf_counter() - start
            process.communicate()
            assert line == "{}\n" or process.returncode, line
            return checked(process, bare)

    def peak_mb(self, clip: Path, options: tuple[str, ...]) -> float:
        with self.started("run", str(clip), "null://", *options) as (_, process):
            process.stderr.read()  # type: ignore[union-attr]
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            return checked(process, usage.ru_maxrss * 1024 / 1e6)


def checked(process: "subprocess.Popen[str]", value: float) -> float:
    if process.returncode:
        raise SystemExit(f"{process.args}: exit {process.returncode}; try it by hand")
    return value


def in_turn(rounds: int, measures: dict[str, Callable[[], float]]) -> dict[str, Any]:
    """Return all samples of two, their medians and the second's ratio, after one round that is not counted."""
    samples: dict[str, list[float]] = {name: [] for name in measures}
    for i in range(rounds + 1):
        for name, measure in measures.items():
            value = measure()
            if i:
                samples[name].append(round(value, 4))
    medians = {name: statistics.median(values) for name, values in samples.items()}
    first, second = medians.values()
    return {"samples": samples, "medians": medians, "ratio": round(second / first, 3)}


def cost(tree: Tree, before: str, work: str, rounds: int) -> dict[str, float] | None:
    """Return the medians of milliseconds and memory of ``work`` in fresh processes; ``None`` where it fails."""
    code = MEASURED.format(before=before, work=work)
    samples = []
    for _ in range(rounds + 1):
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tree.path, env=tree.environment(), capture_output=True, text=True
        )
        if done.returncode:
            return None
        samples.append(json.loads(done.stdout.splitlines()[-1]))
    ms, mb = (statistics.median(column) for column in zip(*samples[1:], strict=True))
    return {"ms": round(ms, 1), "mb": round(mb, 1)}


NAMES = {"help_s": "`--help`", "first_mask_s": "first mask", "peak_mb": "peak memory"}
RUN_NAMES = {"default": "the default", "cold_numba": "the default, Numba's cache empty"}


def tables(record: dict[str, Any]) -> str:
    """Return the ratios and the costs of a record in Markdown."""
    values, lines = record["values"], ["| | there | here | ratio | limit |", "|---|---|---|---|---|"]

    def row(what: str, key: str, result: dict[str, Any], limit: str) -> None:
        unit, digits = ("MB", 0) if key == "peak_mb" else ("s", 2)
        there, here = (f"{result['medians'][name]:.{digits}f} {unit}" for name in ("there", "here"))
        lines.append(f"| {what} | {there} | {here} | {result['ratio']:.2f} | {limit} |")

    row(NAMES["help_s"], "help_s", values["help_s"], f"{LIMITS['help_s']:.2f}")
    for run in (*RUNS, "cold_numba"):
        for key, result in values.get(run, {}).items():
            limit = f"{LIMITS[key]:.2f}" if run == "default" else ""
            row(f"{NAMES[key]}, {RUN_NAMES.get(run, run.replace('_', ' on '))}", key, result, limit)
    bare = values["bare"]["medians"]
    lines += [
        "",
        f"A bare script with the same libraries takes {bare['bare']:.2f} s where the first mask of int8 on onnxruntime "
        f"takes {bare['here']:.2f} s, in turn with it.",
    ]
    lines += ["", "| what a run consists of | ms | MB |", "|---|---|---|"]
    for name, one in (*values["rest"].items(), *values["imports_after_numpy"].items(), *values["engines"].items()):
        if one is not None:
            label = f"`import {name}`" if name in IMPORTS else name
            lines.append(f"| {label} | {one['ms']:.0f} | {one['mb']:.1f} |")
    return "\n".join(lines)


def write_page(record: Path) -> None:
    """Write the tables where the marks in the page are."""
    before, mark, rest = PAGE.read_text().partition("<!-- tables of benchmarks/start_up.py -->\n")
    _, end, after = rest.partition("<!-- end -->\n")
    assert end, PAGE
    PAGE.write_text(before + mark + tables(json.loads(record.read_text())) + "\n" + end + after)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", type=Path, help="checkout to compare with")
    parser.add_argument("--page", action="store_true", help="write the tables of the record that is there, and no more")
    parser.add_argument("--clip", type=Path, default=CLIP)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--cold-rounds", type=int, default=7)
    parser.add_argument("--runs", nargs="*", choices=RUNS, default=list(RUNS))
    parser.add_argument("--record", type=Path, default=RECORD)
    chosen = parser.parse_args()
    if chosen.page:
        write_page(chosen.record)
        return
    if chosen.against is None:
        parser.error("--against CHECKOUT is missing")
    values: dict[str, Any] = {"limits": {name: round(limit, 3) for name, limit in LIMITS.items()}}
    with tempfile.TemporaryDirectory() as caches:
        there, here = Tree(chosen.against, Path(caches)), Tree(HERE, Path(caches))
        trees = {"there": there, "here": here}

        def told(name: str, rounds: int, measure: Callable[[Tree], float]) -> dict[str, Any]:
            return shown(name, in_turn(rounds, {which: partial(measure, tree) for which, tree in trees.items()}))

        def shown(name: str, result: dict[str, Any]) -> dict[str, Any]:
            print(name, result["medians"], "ratio", result["ratio"], flush=True)
            return result

        def cold(tree: Tree, options: tuple[str, ...]) -> float:
            with tempfile.TemporaryDirectory() as empty:
                return tree.first_mask_s(chosen.clip, options, NUMBA_CACHE_DIR=empty)

        values["help_s"] = told("help_s", chosen.rounds, Tree.help_s)
        for name in chosen.runs:
            options = RUNS[name]
            values[name] = {
                "first_mask_s": told(
                    f"{name} first_mask_s",
                    chosen.rounds,
                    lambda tree, options=options: tree.first_mask_s(chosen.clip, options),
                ),
                "peak_mb": told(
                    f"{name} peak_mb", chosen.rounds, lambda tree, options=options: tree.peak_mb(chosen.clip, options)
                ),
            }
        if chosen.cold_rounds:
            values["cold_numba"] = {
                "first_mask_s": told("cold_numba first_mask_s", chosen.cold_rounds, lambda tree: cold(tree, ()))
            }
        onnxruntime = RUNS["int8_onnxruntime"]
        measures = {
            "bare": partial(here.bare_s, chosen.clip),
            "here": partial(here.first_mask_s, chosen.clip, onnxruntime),
        }
        values["bare"] = shown("bare", in_turn(chosen.rounds, measures))
        values["imports_after_numpy"] = {name: cost(here, "", f"import {name}", chosen.rounds) for name in IMPORTS}
        for key, table in (("engines", ENGINES), ("rest", KERNELS)):
            values[key] = {name: cost(here, *code, rounds=chosen.rounds) for name, code in table.items()}
            if key == "engines":
                values["engines_there"] = {
                    name: cost(there, *code, rounds=chosen.rounds) for name, code in table.items()
                }
    settings = {
        "rounds": chosen.rounds, "cold_rounds": chosen.cold_rounds, "clip": chosen.clip.name,
        "there": revision(chosen.against), "here": revision(HERE),
    }  # fmt: skip
    write_record(record_now("start up", settings=settings, values=values), chosen.record)
    if chosen.record == RECORD:
        write_page(RECORD)
    print(json.dumps({key: values[key] for key in values if key not in RUNS}, indent=2))


if __name__ == "__main__":
    main()
