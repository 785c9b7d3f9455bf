"""Tasks that do what videos do to a process now and then."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from edge_arseg.archive.outcome import Outcome


@dataclass(frozen=True)
class Deadly:
    """Kills the process that runs it, as often as is asked for.

    Attributes:
        label: of its outcome.
        times: that it kills.
        log: file that gets a line for each time it was begun.
    """

    label: str
    times: int
    log: Path

    def perform(self, place):
        with self.log.open("a") as log:
            log.write(f"{self.label}\n")
        if self.log.read_text().splitlines().count(self.label) <= self.times:
            os.kill(os.getpid(), signal.SIGKILL)
        return Outcome(self.label, frames=place.segmenter().bundle.manifest.gop)

    def failed(self, error):
        return Outcome(self.label, error=error)
