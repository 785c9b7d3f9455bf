"""An engine that computes nothing, for dry runs and tests where there is no engine library."""

from collections.abc import Mapping
from zlib import crc32

import numpy as np

from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.engines.contract import Buffer, Engine
from edge_arseg.spec.manifest import Role
from edge_arseg.spec.tensor import TensorSpec

STEPS = 8
"""Different values in an output: 0 to 7, so that a class map shows known classes wherever there are eight."""

_SEEN = 4096


class FakeEngine(Engine):
    """Takes what the manifest says of a graph and gives outputs of its types and shapes, in hardly any time.

    Every output falls into ``STEPS`` bands along its last axis but one (its last, if it has no other), with the values
    0 to 7 in turn; which comes first depends on the inputs. The same inputs give the same outputs, on every machine.
    """

    def __init__(self, name: str, inputs: Mapping[str, TensorSpec], outputs: Mapping[str, TensorSpec]):
        """Take memory for the outputs."""
        super().__init__(name, inputs, outputs)
        self._outputs: dict[str, Buffer] | None = {
            name: np.zeros(spec.shape, spec.dtype) for name, spec in self.outputs.items()
        }

    @classmethod
    def from_bundle(cls, bundle: Bundle, role: Role, *, threads: int | None = None) -> "FakeEngine":
        """Open what the manifest says of a role; no graph is read, and threads are of no use."""
        entry = bundle.manifest.graphs[role]
        return cls(role.value, entry.inputs, entry.outputs)

    def twin(self) -> "FakeEngine":
        """See ``Engine``; there are no weights."""
        return FakeEngine(self.name, self.inputs, self.outputs)

    def _run(self, feeds: Mapping[str, Buffer]) -> Mapping[str, Buffer]:
        if self._outputs is None:
            raise self._closed_error()
        first = first_step(feeds)
        for output in self._outputs.values():
            fill_bands(output, first)
        return self._outputs

    def close(self) -> None:
        """Let go of the outputs."""
        self._outputs = None


def first_step(feeds: Mapping[str, Buffer]) -> int:
    """Return a number from 0 to 7 that depends on inputs: on about 4096 values of each, evenly spread."""
    total = 0
    for name in sorted(feeds):
        flat = feeds[name].reshape(-1)
        total = crc32(np.ascontiguousarray(flat[:: flat.size // _SEEN + 1]).data, total)
    return total % STEPS


def fill_bands(output: np.ndarray, first: int) -> None:
    """Fill an output in place."""
    bands = output.swapaxes(-1, -2) if output.ndim > 1 else output
    length = bands.shape[-1]
    for step in range(STEPS):
        bands[..., length * step // STEPS : length * (step + 1) // STEPS] = (step + first) % STEPS
