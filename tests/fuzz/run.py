"""Damaged inputs by the thousand: ``python tests/fuzz/run.py``, or ``make fuzz``.

Each input is a whole file of a kind that the product reads, damaged, and read in a process of its own. Right is: it
is read, or refused with an error of ours. Anything else is a fault: a traceback, a warning, a crash or a hang in our
code, a half-written output. Crashes and hangs inside FFmpeg and ONNX Runtime are counted by version and forgotten: no
input is kept, and no number that would make one again.

The number of an input decides everything about it, so a fault is seen again with ``--first NUMBER --count 1``.
"""

import argparse
import contextlib
import io
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path

os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # read when numpy is loaded
ROOT = Path(__file__).parents[2]
sys.path[:1] = [str(ROOT), str(ROOT / "tests")]

import av  # noqa: E402
import numpy as np  # noqa: E402
from fuzz.children import Outcome, outcome_of  # noqa: E402
from fuzz.mutations import deep, mutated, mutated_json, mutated_text  # noqa: E402
from fuzz.readers import READERS, SHARES, Reader, read_verified_bundle  # noqa: E402
from fuzz.seeds import Seed, all_seeds  # noqa: E402

from edge_arseg.bench.conditions import conditions_now  # noqa: E402
from edge_arseg.errors import ArsegError  # noqa: E402
from edge_arseg.runtime.bundles.reading import MANIFEST  # noqa: E402

SECONDS = 120.0
"""One input may take: a hang, not a busy machine, is looked for."""
MEMORY = 1 << 31
"""Bytes one input may allocate."""
SERIES = 1
"""Numbers mean other inputs where this changes."""


@dataclass
class Tally:
    """What became of inputs: of all kinds, by kind."""

    inputs: Counter = field(default_factory=Counter)
    seconds: Counter = field(default_factory=Counter)
    outcomes: dict[str, Counter] = field(default_factory=lambda: defaultdict(Counter))
    errors: dict[str, Counter] = field(default_factory=lambda: defaultdict(Counter))
    outside: Counter = field(default_factory=Counter)
    faults: Counter = field(default_factory=Counter)

    def add(self, kind: str, outcome: Outcome, seconds: float) -> None:
        """Count one input."""
        self.inputs[kind] += 1
        self.seconds[kind] += seconds
        self.outcomes[kind][outcome.kind] += 1
        if outcome.kind == "refused":
            self.errors[kind][outcome.detail] += 1
        elif outcome.kind == "outside":
            self.outside[f"{owner(kind)}: {outcome.detail}"] += 1
        elif outcome.kind == "fault":
            self.faults[f"{kind}: {outcome.detail}"] += 1

    def join(self, other: dict[str, dict]) -> None:
        """Add what another process counted, as ``vars`` gives it."""
        for name in ("inputs", "seconds", "outside", "faults"):
            getattr(self, name).update(other[name])
        for name in ("outcomes", "errors"):
            for kind, counts in other[name].items():
                getattr(self, name)[kind].update(counts)

    def by_kind(self) -> dict[str, dict[str, object]]:
        """Return what the record says of each kind."""
        return {
            kind: {
                "inputs": self.inputs[kind],
                "seconds": round(self.seconds[kind]),
                **dict(sorted(self.outcomes[kind].items())),
                "errors": dict(sorted(self.errors[kind].items())),
            }
            for kind in READERS
            if self.inputs[kind]
        }


def main() -> int:
    """Run, print, write the record; return 1 where there was a fault. A signal to end stops early, with a record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000, help="Number of inputs. [default: 10000]")
    parser.add_argument("--first", type=int, default=0, help="Number of the first input. [default: 0]")
    parser.add_argument("--kind", choices=sorted(READERS), help="Kind of input to take. [default: all]")
    parser.add_argument("--jobs", type=int, default=1, help="Number of inputs read at once. [default: 1]")
    parser.add_argument("--record", type=Path, help="JSON file to write the counts to. [default: none]")
    options = parser.parse_args()
    tally = Tally()
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        folder = Path(name)
        os.environ["XDG_CACHE_HOME"] = str(folder / "cache")  # what is remembered of a damaged bundle is forgotten too
        (folder / "seeds").mkdir()
        seeds = all_seeds(folder / "seeds")
        warm(seeds, folder / "warm")
        workers = []
        for job in range(options.jobs):
            numbers = range(options.first + job, options.first + options.count, options.jobs)
            answer = folder / f"{job}.json"
            worker = os.fork()
            if worker == 0:
                try:
                    answer.write_text(json.dumps(vars(tally_of(numbers, seeds, options.kind, folder / str(job)))))
                except BaseException:
                    traceback.print_exc()
                finally:
                    sys.stdout.flush()
                    os._exit(0)
            workers.append(worker)
        signal.signal(signal.SIGTERM, lambda *_: [os.kill(worker, signal.SIGTERM) for worker in workers])
        for worker in workers:
            os.waitpid(worker, 0)
        for job in range(options.jobs):
            tally.join(json.loads((folder / f"{job}.json").read_text()))
    record = record_of(options, tally, time.monotonic() - start)
    print(json.dumps(record["kinds"], indent=1))
    print(f"{record['inputs']} inputs; outside software: {dict(tally.outside)}; faults: {dict(tally.faults)}")
    if options.record:
        options.record.write_text(json.dumps(record, indent=1) + "\n")
    return 1 if tally.faults else 0


def tally_of(numbers: range, seeds: dict[str, list[Seed]], kind: str | None, place: Path) -> Tally:
    """Read the inputs of these numbers, one after the other, and print the faults."""
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    tally = Tally()
    start = time.monotonic()
    for number in numbers:
        seed, reader, rng = input_of(number, seeds, kind)
        place.mkdir()
        begun = time.monotonic()
        outcome = outcome_of(partial(read_damaged, seed, reader, rng, place), seconds=SECONDS, memory=MEMORY)
        shutil.rmtree(place)
        tally.add(seed.kind, outcome, time.monotonic() - begun)
        if outcome.kind == "fault":
            print(f"FAULT {number} {seed.kind} {seed.name} {reader.__name__}: {outcome.detail}\n{outcome.message}")
        done = tally.inputs.total()
        if done % 250 == 0:
            print(f"{done} inputs of {len(numbers)}, {time.monotonic() - start:.0f} s", flush=True)
        if ended:
            break
    return tally


def warm(seeds: dict[str, list[Seed]], place: Path) -> None:
    """Load in the parent what every child needs, compiled kernels above all: a child then takes a tenth of the time.

    Not ONNX Runtime, which has a thread from the moment it is imported.
    """
    for kind in ("clip", "images", "bundle"):
        seed = seeds[kind][0]
        for number, reader in enumerate(sorted(set(READERS[kind]), key=lambda reader: reader.__name__)):
            whole = place / f"{kind}{number}"
            lay(seed.files, whole)
            with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
                try:
                    reader(whole, seed.damaged[0])
                except ArsegError:
                    continue  # the fake bundle has no golden frames
    for number, seed in enumerate(seeds["shipped"]):
        # Fusion and decode kernels have threads; a child leaves them compiled on the disk.
        whole = place / f"shipped{number}"
        lay(seed.files, whole)
        outcome = outcome_of(partial(read_verified_bundle, whole, MANIFEST), seconds=1200, memory=MEMORY)
        if outcome.kind != "read":
            raise RuntimeError(f"{seed.name}, not damaged: {outcome}")
    named = [thread.name for thread in threading.enumerate()]
    threads = len(list(Path("/proc/self/task").iterdir())) - named.count("interpreter lock")  # it sleeps, with no lock
    if threads != 1:
        raise RuntimeError(f"{threads} threads in the parent, {named}; a child would have locks that nobody opens")


def input_of(number: int, seeds: dict[str, list[Seed]], kind: str | None) -> tuple[Seed, Reader, np.random.Generator]:
    """Return what a number stands for."""
    rng = np.random.default_rng([SERIES, number])
    chosen = str(rng.choice(list(SHARES), p=np.array(list(SHARES.values())) / 100))
    kind = kind or chosen
    seed = seeds[kind][rng.integers(len(seeds[kind]))]
    return seed, READERS[kind][rng.integers(len(READERS[kind]))], rng


def read_damaged(seed: Seed, reader: Reader, rng: np.random.Generator, place: Path) -> None:
    """Damage one file of the seed and read all of them; in the child, so that nothing of it stays."""
    name = seed.damaged[rng.integers(len(seed.damaged))]
    other = seed.files[seed.damaged[rng.integers(len(seed.damaged))]]
    lay({**seed.files, name: damaged(name, seed.files[name], rng, other)}, place)
    reader(place, name)


def lay(files: dict[str, bytes], place: Path) -> None:
    """Write files below a folder."""
    for path, content in files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(content)


def damaged(name: str, content: bytes, rng: np.random.Generator, other: bytes) -> bytes:
    """Damage a file; text also in ways that leave it well formed."""
    if name.endswith((".json", ".toml")):
        way = rng.random()
        if way < 0.02:
            return deep(rng, b"a = " if name.endswith(".toml") else b"")
        if way < 0.5 and name.endswith(".json"):
            return mutated_json(content, rng)
        if way < 0.75:
            return mutated_text(content, rng)
    return mutated(content, rng, other)


def owner(kind: str) -> str:
    """Return the outside software that reads a kind, with its version."""
    if kind in ("graph", "shipped", "bundle"):
        return f"ONNX Runtime {version('onnxruntime')}"
    return f"FFmpeg {av.ffmpeg_version_info} (PyAV {av.__version__})"


def record_of(options: argparse.Namespace, tally: Tally, seconds: float) -> dict[str, object]:
    """Return what is kept of a run: counts, conditions, no input."""
    return {
        "what": "damaged inputs, each read in a process of its own; see tests/fuzz/run.py",
        "series": SERIES,
        "first": options.first,
        "inputs": tally.inputs.total(),
        "seconds": round(seconds),
        "jobs": options.jobs,
        "software": [owner("clip"), owner("graph")],
        "limits": {"seconds": SECONDS, "memory_mb": MEMORY // 1_000_000},
        "kinds": tally.by_kind(),
        "outside": dict(sorted(tally.outside.items())),
        "faults": dict(sorted(tally.faults.items())),
        "conditions": asdict(conditions_now()),
    }


if __name__ == "__main__":
    sys.exit(main())
