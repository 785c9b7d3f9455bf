"""Where pictures wait until a frame is asked for."""

import logging
import time
from collections import deque
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge_arseg.video.frames import Step

_log = logging.getLogger(__name__)

MISSED_LIMIT = 100
"""Vectors of at most this many dropped frames are kept; beyond that the chain is given up, and a keyframe follows."""

IN_ORDER = 2
"""Pictures that wait where none is dropped: one is worked on, one is ready."""

_SAID_AFTER_S = 2.0

Vectors = NDArray[np.void] | None
Waiting = tuple[Step, tuple[Vectors, ...]]
"""A picture, and the vectors of those dropped just before it, the oldest first."""


class Room(Protocol):
    """Holds pictures between the thread that reads and the one that asks; their lock is the caller's."""

    @property
    def full(self) -> bool:
        """Whether the next picture has to wait."""

    def put(self, step: Step) -> None:
        """Take a picture in."""

    def take(self) -> Waiting | None:
        """Give out the next one; ``None``: there is none."""


class NewestRoom:
    """Keeps the newest picture, and the motion and the damage of those that nobody asked for in time.

    Args:
        label: of the source, for messages.
        max_age_s: an older picture is dropped as well; ``None``: none is too old.
    """

    full = False

    def __init__(self, label: str, max_age_s: float | None) -> None:
        self._label, self._max_age_s = label, max_age_s
        self.newest: Step | None = None
        self._missed: list[Vectors] = []
        self._damaged = False
        self._given_s = time.monotonic()
        self._said = False

    def put(self, step: Step) -> None:
        """See ``Room``."""
        self._drop_newest()
        self.newest = step

    def take(self) -> Waiting | None:
        """See ``Room``; too old is what came more than ``max_age_s`` ago."""
        step, now = self.newest, time.monotonic()
        if step is None:
            return None
        came = step.rest.arrived_s
        if self._max_age_s is not None and came is not None and now - came > self._max_age_s:
            self._drop_newest()
            if now - self._given_s > _SAID_AFTER_S and not self._said:
                self._said = True
                _log.warning(
                    "%s: no frame for %.0f s, each was older than %.0f ms when it was read; allow a greater age",
                    self._label, now - self._given_s, 1e3 * self._max_age_s,
                )  # fmt: skip
            return None
        missed = tuple(self._missed)
        if self._damaged:
            step = replace(step, rest=replace(step.rest, damaged=True))
        self.newest, self._missed, self._damaged, self._given_s = None, [], False, now
        return step, missed

    def _drop_newest(self) -> None:
        if self.newest is None:
            return
        self._missed.append(self.newest.rest.vectors)
        self._damaged |= self.newest.rest.damaged
        self.newest = None
        if len(self._missed) > MISSED_LIMIT:
            self._missed = [None]


class OrderedRoom:
    """Keeps pictures in order and drops none: where it is full, the source waits."""

    def __init__(self) -> None:
        self._steps: deque[Step] = deque()

    @property
    def full(self) -> bool:
        """See ``Room``."""
        return len(self._steps) >= IN_ORDER

    def put(self, step: Step) -> None:
        """See ``Room``."""
        self._steps.append(step)

    def take(self) -> Waiting | None:
        """See ``Room``."""
        return (self._steps.popleft(), ()) if self._steps else None
