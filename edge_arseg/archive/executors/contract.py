"""The contract of what runs tasks."""

from collections.abc import Iterator
from typing import Any, Protocol

from edge_arseg.archive.outcome import Outcome
from edge_arseg.archive.segmenting import Place


class Task(Protocol):
    """What is run: a video, a piece of one, or what comes before and after. It can be pickled."""

    def perform(self, place: Place) -> Any:
        """Do it; what is wrong with one video alone is an ``Outcome`` with an error."""

    def failed(self, error: str) -> Outcome:
        """Return the outcome where it could not be done."""


class Executor(Protocol):
    """Runs tasks; a context manager, which ends what still runs."""

    def submit(self, task: Task) -> None:
        """Have a task run, now or later."""

    def completed(self) -> Iterator[tuple[Task, Any]]:
        """The tasks with their results as they are done, until none is left; others may be submitted meanwhile.

        Raises:
            ArsegError: no task can be run.
        """
