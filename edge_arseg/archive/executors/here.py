"""Tasks one after the other, in this process."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from edge_arseg.archive.executors.contract import Task
from edge_arseg.archive.segmenting import Place
from edge_arseg.archive.settings import Settings
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.spec.frame import SegmentedFrame


class Here:
    """An ``Executor`` in this process. The engines are opened with the first task.

    Args:
        settings: of the archive.
        told: called with each result.
    """

    def __init__(self, settings: Settings, told: Callable[[SegmentedFrame], None]) -> None:
        self._tasks: deque[Task] = deque()
        self._opened = ExitStack()
        self._segmenter: Segmenter | None = None
        self._place = Place(settings, self._open, told)

    def submit(self, task: Task) -> None:
        """See ``Executor``."""
        self._tasks.append(task)

    def completed(self) -> Iterator[tuple[Task, Any]]:
        """See ``Executor``."""
        while self._tasks:
            task = self._tasks.popleft()
            yield task, task.perform(self._place)

    def _open(self) -> Segmenter:
        if self._segmenter is None:
            self._segmenter = self._opened.enter_context(self._place.settings.open())
        return self._segmenter

    def __enter__(self) -> "Here":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()
