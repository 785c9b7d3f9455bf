"""Commands in processes of their own, which say where they stand when they take too long."""

import os
import signal
import subprocess
import threading
from contextlib import suppress
from tempfile import TemporaryFile


class Child(subprocess.Popen):
    """A process with a limit of time, for a ``with`` block.

    One that takes longer than ``limit_s`` seconds is ended, so that whoever reads from it reads to the end. The block
    then fails with what each of its threads was doing. Where the block fails for another reason, the process is ended,
    and what it said is printed.
    """

    def __init__(self, command, *, limit_s=120, env=None, stderr=None, **options):
        self._limit_s, self._late, self._said = limit_s, False, None
        self._file = TemporaryFile() if stderr is None else None  # noqa: SIM115 - closed by the block
        environment = {**(os.environ if env is None else env), "PYTHONFAULTHANDLER": "1"}
        super().__init__(list(map(str, command)), env=environment, stderr=self._file or stderr, **options)
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._wait_for_limit, daemon=True)
        self._watch.start()

    def _wait_for_limit(self):
        """Wait in steps: seconds in which this process was stopped too do not count."""
        left_s = self._limit_s
        while left_s > 0:
            if self._over.wait(min(left_s, 1.0)):
                return
            left_s -= 1.0
        self.end_late()

    def end_late(self):
        """End it as its limit does: its threads say where they are."""
        self._late = True
        self.send_signal(signal.SIGABRT)

    def communicate(self, *arguments, **options):
        """Keep what it says of faults, for the error."""
        out, self._said = super().communicate(*arguments, **options)
        return out, self._said

    def __exit__(self, kind, error, trace):
        if kind is not None:
            self.send_signal(signal.SIGABRT)
        if kind is not None or self._late:
            with suppress(subprocess.TimeoutExpired, ValueError):  # others may hold its pipes, or they are closed
                self.communicate(timeout=5)
            self.kill()
        super().__exit__(kind, error, trace)
        self._over.set()
        self._watch.join()
        said = self._words()
        if self._late:
            raise AssertionError(f"still running after {self._limit_s} s: {self.args}\n{said}")
        if kind is not None and said:
            print(said)

    def _words(self):
        said = self._said or ""
        if self._file is not None:
            self._file.seek(0)
            said = self._file.read()
            self._file.close()
        return said.decode(errors="replace") if isinstance(said, bytes) else said


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
