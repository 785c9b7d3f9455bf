"""What a training sees, by number: one random view of its data after the other, in batches."""

import sys
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset


class Views(Dataset[Any], ABC):
    """Views by number. View ``n`` depends on the seed and on ``n`` alone, so that a run can continue anywhere.

    Args:
        seed: of all that is random.
        first: number of the first view; ``last``: one behind the last of the whole run.
    """

    def __init__(self, *, seed: int, first: int, last: int):
        self.seed, self.first, self.last = seed, first, last

    def __len__(self) -> int:
        return self.last - self.first

    def __getitem__(self, index: int) -> Any:
        number = self.first + index
        return self.view(number, np.random.default_rng((self.seed, number)))

    @abstractmethod
    def view(self, number: int, random: np.random.Generator) -> Any:
        """Return view ``number``: arrays, a tuple of them. All that is random is drawn from ``random``."""

    def shuffled(self, number: int, count: int) -> int:
        """Return which of ``count`` things view ``number`` shows: each comes once before any comes again."""
        epoch, place = divmod(number, count)
        return int(np.random.default_rng((self.seed, 1 << 32, epoch)).permutation(count)[place])


def batches(views: Views, batch: int, *, workers: int) -> DataLoader[Any]:
    """Batches of views in order, a tensor for each array; ``workers`` processes make them ahead."""
    return DataLoader(
        views,
        batch,
        num_workers=workers,
        drop_last=True,
        prefetch_factor=4 if workers else None,
        worker_init_fn=_quiet_worker,
        # A loader draws from it when it starts. Without one it would draw from the run's own random numbers, and a run
        # that continues starts one more loader than a run that was never stopped.
        generator=torch.Generator().manual_seed(views.seed),
    )


def _quiet_worker(_: int) -> None:
    torch.set_num_threads(1)
    sys.excepthook = _told


def _told(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print an error that nothing caught, unless it is a run that was ended while it took a batch from this worker."""
    if not issubclass(kind, ConnectionError):
        sys.__excepthook__(kind, error, trace)
