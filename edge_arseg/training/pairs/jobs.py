"""The work of preparing a store: one clip after the other, each of them repeatable."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from edge_arseg.errors import DataError
from edge_arseg.runtime.device.cores import check_at_once
from edge_arseg.spec.progress import Progress, no_progress
from edge_arseg.training.pairs.decoded_clip import DecodedClip
from edge_arseg.training.pairs.store import ClipEntry
from edge_arseg.training.pairs.writer import StoreWriter


@dataclass(frozen=True, slots=True)
class Job:
    """One clip to be made.

    Attributes:
        key: its name in the store.
        part: ``train`` or ``held_back``.
        made_from: all that its content depends on, as JSON takes it.
        make: makes it; the same ``made_from`` gives the same content.
        labelled: whether it has labels.
        encoding: how it was encoded, for people.
    """

    key: str
    part: str
    made_from: dict[str, Any]
    make: Callable[[], DecodedClip]
    labelled: bool = True
    encoding: str = ""


def store_from_jobs(
    writer: StoreWriter, jobs: Sequence[Job], *, workers: int = 1, progress: Progress = no_progress
) -> int:
    """Make the clips that the store does not have yet, and add them in the order of the jobs.

    Killed at any time and started again, it ends with the same store.

    Args:
        writer: of the store.
        jobs: all of them, also those that were done before.
        workers: clips in the making at once.
        progress: told after each.

    Returns:
        How many were made; the others were there.

    Raises:
        DataError: the store has a clip of the same name made from something else, or two jobs have one name; or see
            ``Job.make``.
    """
    if often := sorted(key for key, times in Counter(job.key for job in jobs).items() if times > 1):
        told = ", ".join(often[:5]) + (f" and {len(often) - 5} more" if len(often) > 5 else "")
        raise DataError(f"{writer.path}: two clips would be called {told}; give the images names of their own")
    check_at_once(workers, "workers", "leave --workers out for the default")
    missing = [job for job in jobs if not writer.has(job.key, job.part, job.made_from)]
    done = len(jobs) - len(missing)
    progress(done, len(jobs), "preparing")
    for job, clip in _made(missing, workers):
        entry = ClipEntry(job.key, job.part, clip.motion, clip.distances, job.labelled, job.made_from, job.encoding)
        writer.add(entry, clip.records)
        done += 1
        progress(done, len(jobs), "preparing")
    return len(missing)


def _made(jobs: Sequence[Job], workers: int) -> Iterator[tuple[Job, DecodedClip]]:
    if workers == 1:
        for job in jobs:
            yield job, job.make()
        return
    # Threads suffice: rendering, encoding and decoding all run without the interpreter's lock.
    with ThreadPoolExecutor(workers) as pool:
        running: deque[tuple[Job, Future[DecodedClip]]] = deque()
        try:
            for job in jobs:
                running.append((job, pool.submit(job.make)))
                if len(running) > workers:
                    first, future = running.popleft()
                    yield first, future.result()
            while running:
                first, future = running.popleft()
                yield first, future.result()
        finally:
            for _, future in running:
                future.cancel()


def chosen_distances(rng: np.random.Generator, gop: int) -> tuple[int, ...]:
    """Draw distances to keep: always the largest, and one from each half of the rest."""
    halves = np.array_split(np.arange(1, gop - 1), 2)
    drawn = [int(rng.choice(half)) for half in halves if len(half)]
    return (*drawn, gop - 1)


def digest_of_files(*paths: Path) -> str:
    """First 16 hex digits of the SHA-256 of the contents, one after the other."""
    total = sha256()
    for path in paths:
        total.update(path.read_bytes())
    return total.hexdigest()[:16]
