"""Sensors that are read meanwhile: the side of the process that is measured."""

import json
import logging
import os
import select
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType

from edge_arseg.bench.records.energy import Channel
from edge_arseg.bench.sensors.base import BoardRails
from edge_arseg.ended import told_end
from edge_arseg.errors import EnvironmentUnfitError, SinkError
from edge_arseg.spec.targets.files import targets

_log = logging.getLogger(__name__)

START_S = 30.0
"""To start an interpreter and look for sensors, on a board with a slow card."""


class Sampling:
    """A process that reads the sensors of this machine, from the beginning to ``close``; a context manager.

    Args:
        journal: file that readings are appended to.
        zero: ``time.monotonic()`` when the record's clock was at 0.
        root: of the file system that ``/sys`` and ``/proc`` are read from.

    Attributes:
        channels: what is read.
        total: what makes the machine's total, in words; ``None``: nothing does.
        seen: what every sensor says it reads.

    Raises:
        EnvironmentUnfitError: the process cannot be started.
        SinkError: the journal cannot be written, now or before the end.
        TargetError: a file in ``targets/`` has faults.
    """

    def __init__(self, journal: Path, *, zero: float, root: Path = Path("/")) -> None:
        asked = {
            "root": str(root),
            "boards": [asdict(rails) for rails in board_rails()],
            "process": os.getpid(),
            "zero": zero,
            "journal": str(journal),
        }
        self._fault: str | None = None
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "edge_arseg.bench.sampling.sampler"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=environment,
                start_new_session=True,  # Ctrl+C is for the one that is measured, which then closes this one
            )
        except OSError as error:
            raise EnvironmentUnfitError(f"the process that reads sensors cannot be started: {error}") from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = ""
        with suppress(OSError):
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
            if select.select([self._process.stdout], [], [], START_S)[0]:
                line = self._process.stdout.readline()
        if not line.endswith("\n"):  # it ended before, or on the way
            self.close()
            raise EnvironmentUnfitError(
                "the process that reads sensors did not say what it reads, and ended "
                f"{told_end(self._process.returncode)}; type the same again"
            )
        told = json.loads(line)
        if "fault" in told:
            self.close()
            raise SinkError(told["fault"])
        self.channels = tuple(Channel(**entry) for entry in told["channels"])
        self.total: str | None = told["total"]
        self.seen: tuple[str, ...] = tuple(told["seen"])

    def close(self) -> None:
        """Let the last readings be written, and end the process; safe to call twice."""
        with suppress(OSError):
            if self._process.stdin:
                self._process.stdin.close()
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout and not self._process.stdout.closed:
            whole = (line for line in self._process.stdout if line.endswith("\n"))
            self._fault = next((json.loads(line)["fault"] for line in whole if "fault" in line), None)
            self._process.stdout.close()

    def __enter__(self) -> "Sampling":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if self._fault is not None and kind is None:
            raise SinkError(self._fault)
        if self._fault is None and self._process.returncode:
            _log.warning(
                "the process that reads sensors ended early, %s; what they said after that is missing",
                told_end(self._process.returncode),
            )


def board_rails() -> tuple[BoardRails, ...]:
    """Return the rails of every board that is declared.

    Raises:
        TargetError: a file in ``targets/`` has faults.
    """
    rails = (target.rails for target in targets().values() if target.rails)
    return tuple(BoardRails(one.driver, one.total) for one in rails)
