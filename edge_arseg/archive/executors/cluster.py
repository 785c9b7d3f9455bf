"""Tasks on the workers of a Dask cluster."""

import logging
import os
import warnings
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

from edge_arseg import __version__
from edge_arseg.archive.executors.bundle_parcel import parcel_from_bundle
from edge_arseg.archive.executors.contract import Task
from edge_arseg.archive.executors.on_worker import perform
from edge_arseg.archive.outcome import Outcome
from edge_arseg.archive.settings import Settings
from edge_arseg.errors import ArsegError, EnvironmentUnfitError
from edge_arseg.installation import install_extra
from edge_arseg.storage.url import label_of, text_without_logins

ATTEMPTS = 4
"""Times that a task is handed in where the scheduler gave it up: each time it has seen some workers die on it."""

_CONNECT_S = 10.0


class Cluster:
    """An ``Executor`` on a cluster that is there.

    The scheduler hands a task of a worker that died to another one. The bundle goes to the workers as a result that
    every task depends on: to each once, and again where it was lost.

    Args:
        address: of the scheduler, ``tcp://host:8786``.
        settings: of the archive.
        told: called with the frames of each task that is done.
        noted: called with a line that the user has to know.

    Raises:
        EnvironmentUnfitError: Dask is not installed, or there is no scheduler.
    """

    def __init__(
        self, address: str, settings: Settings, told: Callable[[int], None], noted: Callable[[str], None]
    ) -> None:
        try:
            import distributed
        except ModuleNotFoundError as error:
            raise EnvironmentUnfitError(
                f"--cluster needs {error.name}, which is not installed; type: {install_extra('cluster')}"
            ) from error
        # It prints traces of what is told here in a line.
        for name in ("distributed", "distributed.client"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._address, self._settings, self._told = label_of(address), settings, told
        self._client = distributed.Client.__new__(distributed.Client)
        try:
            distributed.Client.__init__(self._client, address, timeout=_CONNECT_S, set_as_default=False)
        except (OSError, ValueError, TypeError, RuntimeError, ImportError) as error:
            # Dask closes what could not connect, and not what could not read its address: when it is freed, it would
            # wait for an answer, and then print a trace.
            self._client.status = "closed"
            host = address.rpartition("://")[2]
            why = text_without_logins(str(error).replace(host, "...") if host else str(error))
            raise EnvironmentUnfitError(
                f"--cluster {self._address}: no scheduler answers ({why}); start one: dask scheduler"
            ) from error
        if not self._client.scheduler_info().get("workers"):
            noted(f"{self._address} has no worker yet; start some on each machine: dask worker {self._address}")
        self._coming = distributed.as_completed(loop=self._client.loop)
        self._tasks: dict[str, tuple[Task, int]] = {}
        self._run = os.urandom(8).hex()
        self._count = 0
        self._parcel: Any = None

    def submit(self, task: Task) -> None:
        """See ``Executor``."""
        self._hand_in(task, 1)

    def _hand_in(self, task: Task, attempt: int) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of large graphs: the bundle is one, once
            if self._parcel is None:
                self._parcel = self._client.submit(
                    bytes,
                    parcel_from_bundle(self._settings.bundle),
                    key=f"edge-arseg-bundle-{self._settings.bundle_digest}",
                )
            self._count += 1
            key = f"edge-arseg-{self._run}-{self._count}"  # no name in it: keys are shown
            future = self._client.submit(
                perform, task, self._settings, self._parcel, __version__, key=key, pure=False, priority=-self._count
            )
        self._tasks[key] = task, attempt
        self._coming.add(future)

    def completed(self) -> Iterator[tuple[Task, Any]]:
        """See ``Executor``."""
        while self._tasks:
            try:
                future = next(self._coming)
            except StopIteration:
                raise self._gone() from None
            task, attempt = self._tasks.pop(future.key)
            status = future.status
            if status == "finished":
                try:
                    result = future.result()
                except OSError as error:  # it went while the result was on its way
                    raise self._gone() from error
                if isinstance(result, Outcome):
                    self._told(result.frames)
                yield task, result
            elif status in ("cancelled", "lost"):
                raise self._gone()
            else:
                fault = future.exception()
                if isinstance(fault, ArsegError):
                    raise fault
                if type(fault).__name__ == "KilledWorker" and attempt < ATTEMPTS:
                    self._hand_in(task, attempt + 1)
                    continue
                yield task, task.failed(f"{type(fault).__name__} on the cluster: {text_without_logins(str(fault))}")

    def _gone(self) -> EnvironmentUnfitError:
        return EnvironmentUnfitError(
            f"the scheduler {self._address} is gone; what is whole stays: type the same again with --resume, on a "
            "cluster that runs"
        )

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close(timeout=2)
