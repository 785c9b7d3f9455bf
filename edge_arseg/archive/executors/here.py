"""Tasks one after the other, in this process."""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from edge_arseg.archive.executors.contract import Task
from edge_arseg.archive.segmenting import Place
from edge_arseg.archive.settings import Settings
from edge_arseg.errors import ArsegError
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.storage.url import text_without_logins

_log = logging.getLogger(__name__)


class Here:
    """An ``Executor`` in this process. The engines are opened with the first task.

    A task that ends in an error that nobody foresaw has failed, as where its process would have died of it.

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
            try:
                result = task.perform(self._place)
            except ArsegError:
                raise
            except Exception as error:
                _log.debug("an error that nobody foresaw", exc_info=error)
                told = "not enough memory" if isinstance(error, MemoryError) else "this is a fault of edge-arseg"
                result = task.failed(text_without_logins(f"unforeseen {type(error).__name__}: {error}; {told}"))
            yield task, result

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
