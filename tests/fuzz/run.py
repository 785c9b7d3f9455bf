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
import sys
import tempfile
import time
from collections import Counter
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
from fuzz.readers import READERS, SHARES, Reader  # noqa: E402
from fuzz.seeds import Seed, all_seeds  # noqa: E402

from edge_arseg.bench.conditions import conditions_now  # noqa: E402
from edge_arseg.errors import ArsegError  # noqa: E402

SECONDS = 60.0
"""One input may take: a hang, not a slow machine, is looked for."""
MEMORY = 1 << 31
"""Bytes one input may allocate."""
SERIES = 1
"""Numbers mean other inputs where this changes."""


@dataclass
class Tally:
    """What became of the inputs of one kind."""

    inputs: int = 0
    seconds: float = 0.0
    outcomes: Counter = field(default_factory=Counter)
    errors: Counter = field(default_factory=Counter)

    def plain(self) -> dict[str, object]:
        """As JSON takes it."""
        return {
            "inputs": self.inputs,
            "seconds": round(self.seconds),
            **dict(sorted(self.outcomes.items())),
            "errors": dict(sorted(self.errors.items())),
        }


def main() -> int:
    """Run, print, write the record; return 1 where there was a fault."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000, help="Number of inputs. [default: 10000]")
    parser.add_argument("--first", type=int, default=0, help="Number of the first input. [default: 0]")
    parser.add_argument("--kind", choices=sorted(READERS), help="Kind of input to take. [default: all]")
    parser.add_argument("--record", type=Path, help="JSON file to write the counts to. [default: none]")
    options = parser.parse_args()
    tallies = {kind: Tally() for kind in READERS}
    outside: Counter = Counter()
    faults: list[str] = []
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        made = Path(folder) / "seeds"
        made.mkdir()
        seeds = all_seeds(made)
        warm(seeds, Path(folder) / "warm")
        for number in range(options.first, options.first + options.count):
            seed, reader, rng = input_of(number, seeds, options.kind)
            place = Path(folder) / "input"
            place.mkdir()
            begun = time.monotonic()
            outcome = outcome_of(partial(read_damaged, seed, reader, rng, place), seconds=SECONDS, memory=MEMORY)
            forget(place)
            tallies[seed.kind].seconds += time.monotonic() - begun
            count(outcome, tallies[seed.kind], outside, owner(seed.kind))
            if outcome.kind == "fault":
                faults.append(f"{seed.kind}: {outcome.detail}")
                print(f"FAULT {number} {seed.kind} {seed.name} {reader.__name__}: {outcome.detail}\n{outcome.message}")
            if (number + 1) % 500 == 0:
                print(f"{number + 1 - options.first} inputs, {time.monotonic() - start:.0f} s", flush=True)
    seconds = time.monotonic() - start
    record = record_of(options, tallies, outside, faults, seconds)
    print(json.dumps(record["kinds"], indent=1))
    print(f"outside software: {dict(outside) or 'nothing'}; faults: {len(faults)}; {seconds:.0f} s")
    if options.record:
        options.record.write_text(json.dumps(record, indent=1) + "\n")
    return 1 if faults else 0


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
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads != 1:
        raise RuntimeError(f"{threads} threads in the parent; a child would have locks that nobody opens")


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


def count(outcome: Outcome, tally: Tally, outside: Counter, software: str) -> None:
    """Add an outcome."""
    tally.inputs += 1
    tally.outcomes[outcome.kind] += 1
    if outcome.kind == "refused":
        tally.errors[outcome.detail] += 1
    if outcome.kind == "outside":
        outside[f"{software}: {outcome.detail}"] += 1


def record_of(
    options: argparse.Namespace, tallies: dict[str, Tally], outside: Counter, faults: list[str], seconds: float
) -> dict[str, object]:
    """Return what is kept of a run: counts, conditions, no input."""
    return {
        "what": "damaged inputs, each read in a process of its own; see tests/fuzz/run.py",
        "series": SERIES,
        "first": options.first,
        "inputs": sum(tally.inputs for tally in tallies.values()),
        "seconds": round(seconds),
        "limits": {"seconds": SECONDS, "memory_mb": MEMORY // 1_000_000},
        "kinds": {kind: tally.plain() for kind, tally in tallies.items() if tally.inputs},
        "outside": dict(sorted(outside.items())),
        "faults": dict(sorted(Counter(faults).items())),
        "conditions": asdict(conditions_now()),
    }


def forget(folder: Path) -> None:
    """Delete an input with all that was made of it."""
    import shutil

    shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
