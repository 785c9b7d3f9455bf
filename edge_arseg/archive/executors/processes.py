"""Tasks in several processes of this machine, each with engines of its own."""

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Any

from edge_arseg.archive.executors.contract import Task
from edge_arseg.archive.executors.served import STOP, serve
from edge_arseg.archive.settings import Settings
from edge_arseg.ended import told_end
from edge_arseg.errors import EnvironmentUnfitError

ATTEMPTS = 2
"""Times that a task is given to a process: one that dies may have been killed for what another task took."""

_END_S = 10.0


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: Connection
    ready: bool = False
    task: Task | None = None
    attempts: int = 0


class Processes:
    """An ``Executor`` of several processes. One that dies is replaced, and its task is given to another, once.

    Args:
        settings: of the archive.
        count: of processes; as many as there are tasks at most are started.
        told: called with the number of frames that were segmented since the last call.
        noted: called with a level and a line that a process logged.
    """

    def __init__(
        self, settings: Settings, count: int, told: Callable[[int], None], noted: Callable[[int, str], None]
    ) -> None:
        self._settings, self._count, self._told, self._noted = settings, count, told, noted
        self._context = multiprocessing.get_context("spawn")
        self._waiting: deque[tuple[Task, int]] = deque()  # with the attempts so far
        self._workers: list[_Worker] = []
        self._dead_at_start = 0

    def submit(self, task: Task) -> None:
        """See ``Executor``."""
        self._waiting.append((task, 0))

    def completed(self) -> Iterator[tuple[Task, Any]]:
        """See ``Executor``."""
        while self._waiting or any(worker.task for worker in self._workers):
            self._hand_out()
            by_pipe = {worker.pipe: worker for worker in self._workers}
            for pipe in wait(list(by_pipe)):
                done = self._heard(by_pipe[pipe])  # type: ignore[index]
                if done is not None:
                    yield done

    def _hand_out(self) -> None:
        busy = sum(worker.task is not None for worker in self._workers)
        while len(self._workers) < min(self._count, busy + len(self._waiting)):
            self._start()
        for worker in self._workers:
            if worker.ready and worker.task is None and self._waiting:
                worker.task, attempts = self._waiting.popleft()
                worker.attempts = attempts + 1
                with suppress(OSError):  # it died: its pipe says so next
                    worker.pipe.send(worker.task)

    def _start(self) -> None:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=serve, args=(theirs, self._settings), name="edge-arseg archive")
        process.start()
        theirs.close()
        self._workers.append(_Worker(process, ours))

    def _heard(self, worker: _Worker) -> tuple[Task, Any] | None:
        try:
            what, value = worker.pipe.recv()
        except (EOFError, OSError):
            return self._died(worker)
        if what == "ready":
            worker.ready, self._dead_at_start = True, 0
        elif what == "frames":
            self._told(value)
        elif what == "log":
            self._noted(*value)
        elif what == "raise":
            raise value
        elif worker.task is not None:  # done
            task, worker.task = worker.task, None
            return task, value
        return None

    def _died(self, worker: _Worker) -> tuple[Task, Any] | None:
        self._workers.remove(worker)
        worker.process.join()
        worker.pipe.close()
        told = told_end(worker.process.exitcode)
        if worker.process.exitcode == -signal.SIGKILL:
            told += "; perhaps memory ran out: type a smaller --processes"
        if not worker.ready:
            self._dead_at_start += 1
            if self._dead_at_start > ATTEMPTS:
                raise EnvironmentUnfitError(
                    f"processes end before they have opened the engines ({told}); type --processes 1 to see why"
                )
        if worker.task is None:
            return None
        if worker.attempts < ATTEMPTS:
            self._waiting.appendleft((worker.task, worker.attempts))
            return None
        return worker.task, worker.task.failed(f"the process that segmented it ended twice ({told})")

    def __enter__(self) -> "Processes":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            if error is None:
                with suppress(OSError):
                    worker.pipe.send(STOP)
            else:
                worker.process.terminate()
        for worker in self._workers:
            worker.process.join(_END_S)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.pipe.close()
