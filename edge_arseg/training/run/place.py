"""Where a run takes place: on this machine, and in which folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from edge_arseg.runtime.device.cores import check_at_once
from edge_arseg.training.run.device import device_from_name
from edge_arseg.training.run.folder import RunFolder


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

    def folder(self, path: str | Path, kept: Mapping[str, Any]) -> RunFolder:
        """Open the folder of the run: a new one, or that of the run that continues.

        Args:
            path: of the folder.
            kept: all settings that the result depends on.

        Raises:
            OptionError, DataError, SinkError: see ``RunFolder``.
        """
        if self.resume:
            return RunFolder.resume(Path(path), kept)
        return RunFolder.create(Path(path), kept, typed=self.typed)


HERE = RunPlace()
