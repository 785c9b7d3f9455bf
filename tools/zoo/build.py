#!/usr/bin/env python3
"""Make shipped bundles from the data, step by step: ``make zoo DATA=...``.

usage: python -m tools.zoo.build [RECIPE] --data FOLDER [-o FOLDER] [--list]

RECIPE is a TOML file, by default tools/zoo/camvid-compact.toml. A step whose result is whole is skipped: it was
finished by the same command, from the same results, and has not changed since. A training that was stopped is
continued.
"""

import argparse
import hashlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from edge_arseg.errors import ArsegError, ExportError, OptionError
from edge_arseg.storage.files.whole import write_whole
from tools.zoo.factors import multiplied
from tools.zoo.recipe import Step, steps_from_file

ROOT = Path(__file__).parents[2]
FINISHED = "finished.json"
"""In the folder that is built in: of each result, what it was made by, and its digest."""

Run = Callable[[Sequence[str], Path, Step], None]


def build(
    steps: Sequence[Step], data: Path, folder: Path, *, run: Run, say: Callable[[str], None] = print
) -> list[str]:
    """Make what is not whole.

    Args:
        steps: in order; each may read the results of all before it.
        data: what ``{data}`` stands for.
        folder: that is built in.
        run: runs ``edge-arseg`` with arguments in the folder, for a step.
        say: called with a line for people.

    Returns:
        The results that were made now.

    Raises:
        OptionError: a result is there that something else made; it is not overwritten.
        ExportError: a step failed, or left no result.
    """
    folder.mkdir(parents=True, exist_ok=True)
    book = folder / FINISHED
    finished: dict[str, dict[str, str]] = json.loads(book.read_text()) if book.is_file() else {}
    made, before = [], hashlib.sha256()
    for step in steps:
        result = folder / step.result
        before.update(repr(step).encode())
        origin = before.hexdigest()
        entry = finished.get(step.result)
        if entry is not None and result.is_file():
            if entry["origin"] != origin:
                raise OptionError(
                    f"{folder / step.name}: made by another command, or from other results; remove it to make it "
                    "again, or name another folder with -o"
                )
            if entry["digest"] == _digest(result):
                say(f"{step.name}: whole")
                before.update(entry["digest"].encode())
                continue
        if result.is_file() and not step.continues:
            raise OptionError(
                f"{folder / step.name}: there already, and not as a step of this recipe left it; remove it to make it "
                "again, or name another folder with -o"
            )
        if step.factors is not None:
            say(f"{step.name}: {step.factors}")
            multiplied(folder / step.checkpoint, result, step.factors)
        else:
            arguments = step.arguments(data, folder)
            say(f"{step.name}: edge-arseg {shlex.join(arguments)}")
            run(arguments, folder, step)
        if not result.is_file():
            raise ExportError(f"{step.name}: ended without {result}; run the step alone and read what it says")
        made.append(step.result)
        finished[step.result] = {"origin": origin, "digest": _digest(result)}
        write_whole(book, (json.dumps(finished, indent=2) + "\n").encode())
        before.update(finished[step.result]["digest"].encode())
    return made


def run_command(arguments: Sequence[str], folder: Path, step: Step) -> None:
    """Run ``edge-arseg`` with this Python; stop a training that is to be stopped.

    Raises:
        ExportError: it fails.
    """
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    log = folder / step.name / "log.jsonl"
    if _reached(log, step.until):
        return
    command = [sys.executable, "-m", "edge_arseg", *arguments]
    with subprocess.Popen(command, cwd=folder, env={**os.environ, "PYTHONPATH": paths}) as process:
        stopped = False
        try:
            while process.poll() is None:
                if not stopped and _reached(log, step.until):
                    process.send_signal(signal.SIGINT)
                    stopped = True
                time.sleep(0.2)
        except BaseException:
            process.send_signal(signal.SIGINT)
            raise
    if process.returncode and not stopped:
        code = process.returncode
        raise ExportError(f"{step.name}: exit code {code}, for the reason above; without it, type the same again")


def _reached(log: Path, until: int | None) -> bool:
    """Whether a training has scored a step from ``until`` on."""
    if until is None or not log.is_file():
        return False
    lines = log.read_text().splitlines()
    try:
        return bool(lines) and json.loads(lines[-1])["step"] >= until
    except ValueError:  # half a line
        return False


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Build, or list the steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path, nargs="?", default=Path(__file__).parent / "camvid-compact.toml")
    parser.add_argument("--data", type=Path, required=True, help="folder that {data} stands for")
    parser.add_argument("-o", "--output", type=Path, default=Path("build/zoo"), help="folder that is built in")
    parser.add_argument("--list", action="store_true", help="print the steps alone")
    arguments = parser.parse_args()
    try:
        steps = steps_from_file(arguments.recipe)
        if arguments.list:
            for step in steps:
                print(f"{step.name}: {step.command or step.factors}")
            return
        build(steps, arguments.data.resolve(), arguments.output.resolve(), run=run_command)
    except ArsegError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
