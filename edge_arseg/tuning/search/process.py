"""A Gaussian process: what is known of some settings, spread to those that are like them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Reach = TypeVar("Reach")

SUSPECT = 3.0
"""Deviations above what all others foretell from which a value is taken for a disturbance."""

MISTRUST = 5.0
"""Times as much noise that such a value has."""


@dataclass(frozen=True, slots=True)
class Known:
    """Values that are known, with what they have in common.

    Attributes:
        values: ``[N]``.
        middle: what is expected where nothing is known.
        covariance: ``[N, N]``, of what is looked for.
        noise: ``[N, N]``, of the values beside it.
    """

    values: Matrix
    middle: float
    covariance: Matrix
    noise: Matrix

    def likelihood(self) -> float:
        """Return the logarithm of how likely the values are, but for a constant."""
        factor = np.linalg.cholesky(self.covariance + self.noise)
        half = np.linalg.solve(factor, self.values - self.middle)
        return -0.5 * float(half @ half) - float(np.log(np.diag(factor)).sum())

    def guess(self, others: Matrix, own: Matrix) -> tuple[Matrix, Matrix]:
        """Return mean and standard deviation of what is looked for.

        Args:
            others: ``[N, M]``, its covariance with the values.
            own: ``[M]``, its variance where nothing is known.
        """
        factor = np.linalg.cholesky(self.covariance + self.noise)
        halves = np.linalg.solve(factor, np.column_stack((others, self.values - self.middle)))
        variance = np.maximum(own - (halves[:, :-1] ** 2).sum(axis=0), 0.0)
        return self.middle + halves[:, :-1].T @ halves[:, -1], np.sqrt(variance)

    def without_disturbances(self) -> "Known":
        """Give more noise to values that lie far above what all others foretell: the machine did something else."""
        inverse = np.linalg.inv(self.covariance + self.noise)
        ahead = (inverse @ (self.values - self.middle)) / np.sqrt(np.diag(inverse))
        more = np.where(ahead > SUSPECT, MISTRUST, 1.0)
        return Known(self.values, self.middle, self.covariance, self.noise * np.outer(more, more))


def likeliest(
    reaches: Sequence[Reach], known: Callable[[Reach], Known], before: Callable[[Reach], float] = lambda _: 0.0
) -> Reach:
    """Return that of ``reaches`` under which the values are likeliest.

    Args:
        reaches: what is tried.
        known: the values under one of them.
        before: logarithm of how likely each is before a value is known.
    """
    return max(reaches, key=lambda reach: known(reach).likelihood() + before(reach))
