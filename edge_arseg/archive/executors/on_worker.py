"""What a worker of a cluster does with a task."""

import atexit
import logging
import threading
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from edge_arseg import __version__
from edge_arseg.archive.executors.bundle_parcel import bundle_from_parcel
from edge_arseg.archive.executors.contract import Task
from edge_arseg.archive.segmenting import Place
from edge_arseg.archive.settings import Settings
from edge_arseg.errors import EnvironmentUnfitError
from edge_arseg.runtime.choice.engine_choice import choice_from_options
from edge_arseg.runtime.segmenter import Segmenter

_log = logging.getLogger(__name__)


@dataclass
class _Engines:
    """The engines of one thread, which serve one loop at a time."""

    digest: str
    segmenter: Segmenter
    opened: ExitStack


_OWN = threading.local()
_ALL: list[ExitStack] = []
"""Closes the engines of every thread."""


def perform(task: Task, settings: Settings, parcel: bytes, version: str) -> Any:
    """Run a task with engines that the thread has open, or opens.

    Args:
        task: what to do.
        settings: bundle and options.
        parcel: see ``parcel_from_bundle``.
        version: of this package, where the command runs.

    Raises:
        ArsegError: no task could be run here.
    """
    if version != __version__:
        raise EnvironmentUnfitError(
            f"a worker of the cluster has edge-arseg {__version__}, and the command is of {version}; install the same "
            "version there"
        )
    return task.perform(Place(settings, lambda: _segmenter(settings, parcel)))


def _segmenter(settings: Settings, parcel: bytes) -> Segmenter:
    digest = settings.digest
    own: _Engines | None = getattr(_OWN, "engines", None)
    if own is not None and own.digest == digest:
        return own.segmenter
    if own is not None:
        own.opened.close()
        _ALL.remove(own.opened)
        _OWN.engines = None
    bundle = bundle_from_parcel(parcel, settings.bundle_digest)
    # A worker is another machine: what runs there is chosen and proved there.
    threads = settings.engines.threads or 1
    options = replace(settings.engines, backend=settings.asked_backend, threads=threads)
    choice = choice_from_options(bundle, (settings.mode,), options)
    for warning in choice.warnings:
        _log.warning("%s", warning)
    if note := note_on_profile():
        _log.warning("%s", note)
    opened = ExitStack()
    segmenter = opened.enter_context(replace(settings, engines=choice.options).opened(choice.bundle))
    _ = segmenter.pipeline
    _OWN.engines = _Engines(digest, segmenter, opened)
    _ALL.append(opened)
    return segmenter


def note_on_profile() -> str:
    """Say what Dask's profile costs in a worker that keeps one; it is on unless the worker was started without."""
    import dask

    if not dask.config.get("distributed.worker.profile.enabled", False):
        return ""
    seconds = dask.config.get("distributed.admin.low-level-log-length", 0)
    return (
        f"this worker keeps Dask's profile of the last {seconds} seconds, and grows by 0.1 to 0.2 MB in each of them; "
        "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED=False before dask worker saves that"
    )


@atexit.register
def _close_all() -> None:
    for opened in _ALL:
        opened.close()
