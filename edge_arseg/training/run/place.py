"""Where a run takes place: on this machine, and in which folder."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakSet

import torch
from torch import Tensor

from edge_arseg.errors import SinkError
from edge_arseg.runtime.device.cores import check_at_once
from edge_arseg.storage.fault import advice_on
from edge_arseg.storage.files.lock import Lock, lock_on
from edge_arseg.storage.folders import made_folders, remove_folders
from edge_arseg.training.run.device import device_from_name
from edge_arseg.training.run.folder import RunFolder

_held: WeakSet[Lock] = WeakSet()
"""Locks on folders of runs. A process that makes views would hold them too, and may outlive a run that is killed."""


def _let_go() -> None:
    for lock in list(_held):
        lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)


@dataclass(frozen=True, slots=True)
class RunPlace:
    """What a run takes of the machine, and whether it continues an earlier one. No result depends on it.

    Attributes:
        device: ``cpu``, ``cuda``, ``cuda:N``, or ``auto`` for a GPU where there is one.
        threads: of torch on the CPU, in this whole process; ``None`` leaves them.
        workers: processes that make views ahead.
        resume: continue the run in the folder. More steps than it was started with lengthen it.
        typed: kept in the settings of a new run for whoever resumes it, plain containers; not looked at here.

    Raises:
        OptionError: threads or workers are out of range.
    """

    device: str = "auto"
    threads: int | None = None
    workers: int = 1
    resume: bool = False
    typed: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Refuse threads and processes that would leave the machine no time for anything else."""
        check_at_once(self.threads, "threads", "leave --threads out to use all cores")
        check_at_once(self.workers, "workers", "leave --workers out for one", least=0)

    def begin(self, seed: int) -> None:
        """Set torch's threads and its random numbers."""
        if self.threads:
            torch.set_num_threads(self.threads)
        torch.manual_seed(seed)

    def torch_device(self) -> torch.device:
        """Return the device; for errors see ``device_from_name``."""
        return device_from_name(self.device)

    @contextmanager
    def folder(self, path: str | Path, kept: Mapping[str, Any]) -> Iterator[RunFolder]:
        """Open the folder of the run, for this process alone: a new one, or that of the run that continues.

        What killed runs left half-written in it is removed. Of a new run that fails before anything is saved nothing is
        left, unless it was the disk that failed: other settings may be tried under the same name.

        Args:
            path: of the folder.
            kept: all settings that the result depends on.

        Raises:
            OptionError, DataError: see ``RunFolder``.
            SinkError: see ``RunFolder``; or another process trains in it.
        """
        path = Path(path)
        with _claimed(path, new=not self.resume):
            if self.resume:
                folder = RunFolder.resume(path, kept)
                folder.remove_parts()
            else:
                folder = RunFolder.create(path, kept, typed=self.typed)
            try:
                yield folder
            except SinkError:
                raise
            except Exception:
                if not self.resume:
                    folder.leave_nothing()
                raise

    def weights_so_far(self, path: str | Path) -> dict[str, Tensor]:
        """Return the weights that the run in a folder continues with; none where it begins.

        Raises:
            DataError: they are damaged.
        """
        state = RunFolder(Path(path)).load_state() if self.resume else None
        return dict(state["network"]) if state and isinstance(state.get("network"), Mapping) else {}


@contextmanager
def _claimed(path: Path, *, new: bool) -> Iterator[None]:
    """Hold the lock on the folder of a run; one that was made for it goes again where nothing is written into it.

    Raises:
        SinkError: another process holds it, or it cannot be made.
    """
    made: list[Path] = []
    lock: Lock | None = None
    try:
        try:
            made = made_folders(path) if new else []
            with suppress(FileNotFoundError):  # then there is no run to continue, which is said elsewhere
                lock = lock_on(path)
                if lock is None:
                    raise SinkError(
                        f"{path}: a running process trains in it; wait for it, or name another folder with -o"
                    )
                _held.add(lock)
        except SinkError:
            raise
        except OSError as error:
            raise SinkError(f"cannot write {path}: {advice_on(error, path, option='-o')}") from error
        yield
    except BaseException:
        remove_folders(made)
        raise
    finally:
        if lock is not None:
            lock.release()


HERE = RunPlace()
