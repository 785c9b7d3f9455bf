"""The engine contract: named buffers in, named buffers out.

An engine runs one graph. What all engines share is checked here, once, in ``run``; a backend writes ``_run`` and
``close`` and only computes. To add a backend: one file, one line in ``open_engine``, one subclass of the contract test.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import TracebackType
from typing import Any, ClassVar, TypeVar

import numpy as np

from edge_arseg.errors import OptionError
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.spec.manifest import Role
from edge_arseg.spec.tensor import TensorSpec, spec_of

E = TypeVar("E", bound="Engine")
Buffer = Any
"""An array of the host (``numpy.ndarray``), or whatever another engine of the same backend returned."""


class Engine(ABC):
    """Runs one graph with static shapes.

    Attributes:
        name: of the graph, for messages.
        inputs: name to type and shape of each input.
        outputs: name to type and shape of each output.
        feature_place: where outputs that are features (``FEATURES``) live: ``host`` for arrays, otherwise somewhere
            that the backend names; kernels for the one place cannot read from another.
        opens_together: several engines may be opened at the same time, each in a thread of its own. OpenVINO's may not:
            two of its Python calls can wait for each other forever.
    """

    feature_place: ClassVar[str] = "host"
    opens_together: ClassVar[bool] = False

    def __init__(self, name: str, inputs: Mapping[str, TensorSpec], outputs: Mapping[str, TensorSpec]):
        self.name = name
        self.inputs = dict(inputs)
        self.outputs = dict(outputs)

    def run(self, feeds: Mapping[str, Buffer]) -> Mapping[str, Buffer]:
        """Compute the outputs.

        Args:
            feeds: one buffer per input; arrays must be C-contiguous.

        Returns:
            One buffer per output. They belong to the engine and keep their content until its next ``run`` or ``close``;
            nothing is allocated after the first call.

        Raises:
            OptionError: names, types, shapes or layout do not fit: all of them in one message.
        """
        faults = [f"input {name!r} is missing" for name in self.inputs if name not in feeds]
        faults += [f"there is no input {name!r}" for name in feeds if name not in self.inputs]
        for name, wanted in self.inputs.items():
            if isinstance(buffer := feeds.get(name), np.ndarray):
                if (seen := spec_of(buffer)) != wanted:
                    faults.append(f"input {name!r}: {seen} seen, {wanted} expected")
                elif not buffer.flags.c_contiguous:
                    faults.append(f"input {name!r}: a strided view seen, expected a contiguous array")
        if faults:
            raise OptionError(f"engine {self.name!r}: " + "; ".join(faults))
        return self._run(feeds)

    @classmethod
    def from_bundle(cls: type[E], bundle: Bundle, role: Role, *, threads: int | None = None) -> E:
        """Open the engine of a role; backends that do not load the graph itself say here what they load.

        Raises:
            BuildError: the backend cannot load it.
        """
        return cls(bundle.graph_path(role), threads=threads)  # type: ignore[call-arg, arg-type]

    @abstractmethod
    def _run(self, feeds: Mapping[str, Buffer]) -> Mapping[str, Buffer]:
        """Compute; names, types and shapes of ``feeds`` have been checked."""

    @abstractmethod
    def close(self) -> None:
        """Free what the engine holds; calling it twice is allowed."""

    def __enter__(self: E) -> E:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
