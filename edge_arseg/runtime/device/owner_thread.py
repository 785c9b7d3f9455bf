"""A thread that owns something which other threads may not touch, and does what they ask for."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class OwnerThread:
    """Runs functions one after the other in one thread, for callers in any thread."""

    def __init__(self, name: str):
        self._tasks: SimpleQueue[tuple[Future, Callable, tuple] | None] = SimpleQueue()
        # A daemon: threads that are not are joined before ``atexit`` runs, too early for what must be undone in them.
        self._thread: threading.Thread | None = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether ``end`` was called."""
        return self._thread is None

    def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run a function in the thread and return what it returns, or raise what it raises."""
        if self._thread is None:
            raise RuntimeError("the thread has ended")
        if threading.current_thread() is self._thread:
            return function(*arguments)
        future: Future[T] = Future()
        self._tasks.put((future, function, arguments))
        return future.result()

    def end(self) -> None:
        """Finish what was asked for and end the thread; calling it twice is allowed."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._tasks.put(None)
            thread.join()

    def _work(self) -> None:
        while task := self._tasks.get():
            future, function, arguments = task
            try:
                future.set_result(function(*arguments))
            except BaseException as error:
                future.set_exception(error)
            del task, future, function, arguments  # else the last ones stay alive until the next come
