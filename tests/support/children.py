"""Commands in processes of their own, which say where they stand when they take too long."""

import os
import signal
import subprocess


def finished(command, *, timeout=120, env=None, **options):
    """Return what a command printed and exited with, as text.

    One that takes longer than ``timeout`` seconds fails the test with what each of its threads was doing.
    """
    process = subprocess.Popen(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**(os.environ if env is None else env), "PYTHONFAULTHANDLER": "1"},
        start_new_session=True,
        **options,
    )
    with process:
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGABRT)
            out, err = process.communicate()
            text = err.decode(errors="replace")
            raise AssertionError(f"not finished in {timeout} s: {command}\n{text}") from None
    return subprocess.CompletedProcess(command, process.returncode, out.decode(), err.decode(errors="replace"))
