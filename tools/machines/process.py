"""Processes on this machine, ended with all their children where they hang."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence

from tools.machines.folders import PROJECT

TIMED_OUT = 124


def run_here(
    command: Sequence[str], *, before: Sequence[str] = (), capture: bool = False, seconds: float | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a command in the project's folder; tried once more where it hangs, since an emulator may.

    Args:
        command: program and arguments.
        before: an emulator and its options.
        capture: keep what it prints, instead of printing it.
        seconds: limit of each try. [default: none]

    Returns:
        What became of it; the exit code is 124 where both tries hung.
    """
    for _ in range(2):
        pipe = subprocess.PIPE if capture else None
        process = subprocess.Popen(
            [*before, *command], cwd=PROJECT, text=True, stdout=pipe, stderr=pipe, start_new_session=True
        )
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            _end(process)
            print(f"no end after {seconds:.0f} s: {' '.join(before)} {' '.join(command)[:200]}", file=sys.stderr)
            continue
        except BaseException:
            _end(process)
            raise
        return subprocess.CompletedProcess(command, process.returncode, out, err)
    return subprocess.CompletedProcess(command, TIMED_OUT, "", f"no end within {seconds:.0f} s, twice")


def output_of(command: Sequence[str]) -> str:
    """Return what a short command prints, or why it failed."""
    done = run_here(command, capture=True, seconds=120)
    return (done.stdout if done.returncode == 0 else f"exit code {done.returncode}").strip()


def _end(process: "subprocess.Popen[str]") -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
