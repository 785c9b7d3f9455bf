"""The contract of what runs tasks."""

from collections.abc import Iterator
from typing import Protocol

from edge_arseg.archive.outcome import Outcome
from edge_arseg.archive.segmenting import Place


class Task(Protocol):
    """What is run: a video. It can be pickled."""

    def perform(self, place: Place) -> Outcome:
        """Do it; what is wrong with one video alone is part of the outcome."""

    def failed(self, error: str) -> Outcome:
        """Return the outcome where it could not be done."""


class Executor(Protocol):
    """Runs tasks; a context manager, which ends what still runs."""

    def submit(self, task: Task) -> None:
        """Have a task run, now or later."""

    def completed(self) -> Iterator[tuple[Task, Outcome]]:
        """The tasks as they are done, until none is left; others may be submitted meanwhile.

        Raises:
            ArsegError: no task can be run.
        """
