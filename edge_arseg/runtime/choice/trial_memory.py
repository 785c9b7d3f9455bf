"""Trials that were made before, in the user's cache: a bundle proves itself on a machine once, not at every start.

One small file for each trial, named by a digest of all that its outcome depends on. No engine library is imported to
read it.
"""

import hashlib
import json
from dataclasses import asdict
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import Any

from edge_arseg.runtime.bundles.plans import engine_roots
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.choice.machine_state import machine_state
from edge_arseg.runtime.choice.trial import Trial
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.mode import Mode
from edge_arseg.spec.engine_key import RECORD
from edge_arseg.storage.files.whole import write_whole
from edge_arseg.storage.user_folders import user_cache

REVISION = 1
FOLDER = "trials"


class TrialMemory:
    """What is known of this machine.

    Attributes:
        folder: where the trials lie.
        unwritable: whether a trial could not be kept.
    """

    def __init__(self, folder: Path | None = None, *, forget: bool = False):
        """Look into a folder; nothing is read yet.

        Args:
            folder: by default in the user's cache.
            forget: recall nothing, so that every pair is tried again and its trial is replaced.
        """
        self._forget = forget
        self.folder = folder or user_cache() / FOLDER
        self.unwritable = False

    def recall(self, bundle: Bundle, mode: Mode, options: EngineOptions) -> Trial | None:
        """Return the trial of a bundle on the backend that ``options`` names, or ``None``.

        A damaged file is ignored.
        """
        if self._forget:
            return None
        key = self._key(bundle, mode, options)
        try:
            data = json.loads(self._file(key).read_bytes())
            if data["revision"] != REVISION or data["key"] != key:
                return None
            return _trial(bundle.manifest.name, options.backend, data["trial"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, trial: Trial, bundle: Bundle, mode: Mode, options: EngineOptions) -> None:
        """Write a trial down, whole or not at all; where that cannot be done, ``unwritable`` is set."""
        if not trial.lasting:
            return
        key = self._key(bundle, mode, options)
        outcome = {name: value for name, value in asdict(trial).items() if name != "lasting"}
        taken = datetime.now(timezone.utc).isoformat(timespec="seconds")
        kept = {"revision": REVISION, "taken": taken, "key": key, "trial": outcome}
        try:
            write_whole(self._file(key), f"{json.dumps(kept, indent=1)}\n".encode())
        except OSError:
            self.unwritable = True

    def _file(self, key: dict[str, Any]) -> Path:
        name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:24]
        return self.folder / f"{name}.json"

    def _key(self, bundle: Bundle, mode: Mode, options: EngineOptions) -> dict[str, Any]:
        return {
            "bundle": bundle.digest,
            "plans": plans_state(bundle),
            "backend": options.backend,
            "mode": mode.value,
            "fusion": options.fusion,
            "threads": options.threads or 0,
            **self._machine,
        }

    @cached_property
    def _machine(self) -> dict[str, Any]:
        return machine_state()


def _trial(bundle: str, backend: str, seen: dict[str, Any]) -> Trial:
    """Return a trial that was written down.

    Raises:
        ValueError, KeyError, TypeError: it cannot be meant.
    """
    trial = Trial(bundle, backend, seen["agreement"], seen["frame_ms"], seen["reason"], seen["exit_code"])
    numbers = [value for value in (trial.agreement, trial.frame_ms) if value is not None]
    if any(type(number) not in (int, float) for number in numbers):
        raise TypeError("no number")
    if not isinstance(trial.reason, str) or type(trial.exit_code) is not int:
        raise TypeError("no reason")
    if bool(trial.reason) != (trial.agreement is None):
        raise ValueError("ran, and did not run")
    return trial


def plans_state(bundle: Bundle) -> list[list[Any]]:
    """Return which folders of engines a bundle has, and when each was built."""
    found = []
    for root in engine_roots(bundle.path, bundle.digest):
        try:
            records = sorted(root.glob(f"*/{RECORD}"))
            found += [[record.parent.name, record.stat().st_mtime_ns] for record in records]
        except OSError:
            continue
    return found
