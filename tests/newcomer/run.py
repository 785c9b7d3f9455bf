#!/usr/bin/env python3
"""A newcomer's first hour: the wheel alone in a fresh environment, then README's commands as they are typed.

usage: python tests/newcomer/run.py dist/edge_arseg-*.whl [--clip drive.mp4]

Every ``sh`` block of README is typed line by line into a shell, in an empty folder with drive.mp4. Every ``python``
block runs. Each command has a row in EXPECTED: exit code, what it must print, files that it must leave. A command
without a row fails: README cannot grow one that nobody tried. pip needs an index of packages.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"


@dataclass(frozen=True)
class Expected:
    """What a command must do: exit code, patterns in what it prints, files that it leaves."""

    code: int = 0
    prints: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()


NEEDS_HOST = (r"torch|onnx", r"pip install")
"""What commands of the host half say where only the wheel is: what is missing, and what to type."""

EXPECTED = {
    "make run": None,  # needs the clone: see make_run
    "make host": None,  # is what `make test` begins with
    "edge-arseg doctor": Expected(0, (r"python +ok", r"onnxruntime +ok", r"run +ok +camvid-compact")),
    "edge-arseg run drive.mp4 overlay.mp4": Expected(
        0, (r"motion: \w+ \(", r"\d+ frames, \d+ keyframes"), ("overlay.mp4", "masks", "frames.jsonl")
    ),
    "edge-arseg bench drive.mp4": Expected(0, (r"AR", r"HR|hr", r"\bms\b")),
    "edge-arseg export runs/lr": Expected(3, NEEDS_HOST),
    "edge-arseg quantize mine.arseg": Expected(3, (r"mine\.arseg|torch|onnx",)),
    "edge-arseg compile mine-int8.arseg": Expected(3, (r"mine-int8\.arseg|onnx",)),
}
"""By the beginning of the command; the longest that fits counts."""

PROGRAM = Expected(0, (r"(?m)^0\.0 hr \(\d+, \d+\)$", r"(?m)^0\.\d+ lr \(\d+, \d+\)$"))
"""What the program of README prints: a line for each frame, a keyframe first."""


def commands(text: str) -> list[str]:
    """Return the lines of the ``sh`` blocks, without comments."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = [line.partition(" #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def programs(text: str) -> list[str]:
    """Return the ``python`` blocks."""
    return re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def expected_of(command: str) -> Expected | None:
    fitting = [start for start in EXPECTED if command.startswith(start)]
    if not fitting:
        raise SystemExit(f"README has a command that nobody tried: {command}\nadd a row to EXPECTED in {__file__}")
    return EXPECTED[max(fitting, key=len)]


def faults_of(expected: Expected, code: int, printed: str, folder: Path) -> list[str]:
    """Return what a command did otherwise than expected."""
    found = [] if code == expected.code else [f"exit code {code}, expected {expected.code}"]
    found += [f"nothing printed fits {one!r}" for one in expected.prints if not re.search(one, printed)]
    found += [f"no {name}, or an empty one" for name in expected.leaves if not filled(folder / name)]
    return [*found, "a traceback"] if "Traceback" in printed else found


def filled(path: Path) -> bool:
    return any(path.iterdir()) if path.is_dir() else path.is_file() and path.stat().st_size > 0


def fresh_environment(folder: Path, wheel: Path) -> dict[str, str]:
    """Make an environment with the wheel alone, and return the variables of a shell in which it is active."""
    venv.create(folder, with_pip=True)
    pip = [folder / "bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check", wheel]
    subprocess.run([str(part) for part in pip], check=True, timeout=1200)
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL", "EDGE_ARSEG"))
    }
    return {
        **kept,
        "PATH": f"{folder / 'bin'}:{kept['PATH']}",
        "XDG_CACHE_HOME": str(folder / "cache"),
        "COLUMNS": "80",
    }


def make_run(folder: Path) -> list[str]:
    """Type ``make run`` in a copy of what is committed."""
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True, timeout=600)
    done = subprocess.run(["make", "run"], cwd=folder, capture_output=True, text=True, timeout=1800)
    left = ("demo/overlay.mp4", "demo/frames.jsonl", "demo/summary.json")
    return faults_of(
        Expected(0, (r"frames +\d+", r"overlay +demo/overlay"), left), done.returncode, done.stdout, folder
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--clip", type=Path, help="Video that is drive.mp4. [default: a rendered street]")
    parser.add_argument(
        "--no-clone", action="store_true", help="Omission of make run in a clone. [default: it is typed too]"
    )
    given = parser.parse_args()
    text = README.read_text(encoding="utf-8")
    failed = 0
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary) / "work"
        work.mkdir()
        shell = fresh_environment(Path(temporary) / "venv", given.wheel.resolve())
        if given.clip:
            shutil.copy(given.clip, work / "drive.mp4")
        else:
            subprocess.run(
                ["edge-arseg", "demo", "-o", "d", "--limit", "60"], cwd=work, env=shell, check=True, timeout=600
            )
            shutil.move(work / "d/street.mp4", work / "drive.mp4")
        for command in commands(text):
            expected = expected_of(command)
            if expected is not None:
                done = subprocess.run(
                    ["bash", "-c", command], cwd=work, env=shell, capture_output=True, text=True, timeout=1200
                )
                failed += told(command, faults_of(expected, done.returncode, done.stdout + done.stderr, work), done)
        for number, program in enumerate(programs(text), 1):
            done = subprocess.run(
                ["python", "-c", program], cwd=work, env=shell, capture_output=True, text=True, timeout=1200
            )
            faults = faults_of(PROGRAM, done.returncode, done.stdout + done.stderr, work)
            failed += told(f"python block {number}", faults, done)
        if not given.no_clone:
            failed += told("make run", make_run(Path(temporary) / "clone"), None)
    print(f"{failed} failed" if failed else "a newcomer gets through")
    return 1 if failed else 0


def told(command: str, faults: list[str], done: subprocess.CompletedProcess[str] | None) -> int:
    """Print how a command went; return how many failed."""
    print(f"{'FAILED' if faults else 'ok':7}{command}", flush=True)
    for fault in faults:
        print(f"       {fault}")
    if faults and done is not None:
        print((done.stdout + done.stderr)[-1500:])
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
