"""The engine contract: named buffers in, named buffers out.

An engine runs one graph. What all engines share is checked here, once, in ``run``; a backend writes ``_run`` and
``close`` and only computes. To add a backend: one file, one line in ``BACKENDS``, one subclass of the contract test.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Any, ClassVar, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from edge_arseg.arguments import check_kind
from edge_arseg.errors import BuildError, OptionError
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.device.cores import check_at_once
from edge_arseg.spec.manifest import Role
from edge_arseg.spec.tensor import TensorSpec, spec_of

E = TypeVar("E", bound="Engine")
Buffer = Any
"""An array of the host (``numpy.ndarray``), or whatever another engine of the same backend returned."""

AUTO = "auto"
"""The backend is chosen on this machine: see ``engine_choice``."""


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What a bundle's graphs run on.

    Attributes:
        fusion: ``auto``, ``kernel``, ``kernel-bf16`` or ``graph``, for fusing and decoding.
        backend: engine library, one of ``BACKENDS``, or ``auto`` for what ``engine_choice`` finds.
        threads: of each engine and kernel; ``None``: as many as there are cores.
        unchecked: run a bundle that does not give the right class maps here, with a warning.

    Raises:
        OptionError: fewer threads than one, or more than 256 and than four for each core; names that are no text.
    """

    fusion: str = "auto"
    backend: str = AUTO
    threads: int | None = None
    unchecked: bool = False

    def __post_init__(self) -> None:
        """Refuse threads that would leave the machine no time for anything else, and names that are none."""
        check_kind("fusion", self.fusion, str, "a name, such as 'auto'")
        check_kind("backend", self.backend, str, "a name, such as 'auto' or 'onnxruntime'")
        check_at_once(self.threads, "threads", "leave --threads out to use all cores")


DEFAULT_ENGINES = EngineOptions()


def checked_options(engines: object) -> EngineOptions:
    """Return the options of engines; refuse what is none.

    Raises:
        OptionError: it is something else.
    """
    check_kind("engines", engines, EngineOptions, "EngineOptions(...)")
    return cast(EngineOptions, engines)


@dataclass(frozen=True, slots=True)
class LayerTime:
    """Mean milliseconds of a layer, by its name and kind in the library's words.

    Attributes:
        origins: names of the graph's nodes, or of their outputs, that it was made of, as far as the library says.
    """

    name: str
    kind: str
    ms: float
    origins: tuple[str, ...] = ()


class Place(str, Enum):
    """Where features live: a kernel for the one place cannot read from another."""

    HOST = "host"
    CUDA = "cuda"
    ONNXRUNTIME_GPU = "onnxruntime-gpu"  # in buffers that only ONNX Runtime reads


class Engine(ABC):
    """Runs one graph with static shapes.

    Attributes:
        name: of the graph, for messages.
        inputs: name to type and shape of each input.
        outputs: name to type and shape of each output.
        feature_place: where outputs that are features (``FEATURES``) live: ``HOST`` for arrays.
        opens_together: several engines may be opened at the same time, each in a thread of its own.
    """

    feature_place: ClassVar[Place] = Place.HOST
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
            elif name in feeds and self.feature_place is Place.HOST:
                faults.append(f"input {name!r}: {type(buffer).__name__} seen, expected an array {wanted}")
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

    @classmethod
    def layer_times(
        cls, bundle: Bundle, role: Role, frame: NDArray[np.uint8], *, threads: int | None, runs: int
    ) -> tuple[LayerTime, ...]:
        """Return the time of each layer of a role that takes a frame, where the library says it.

        Args:
            bundle: checked.
            role: ``hr`` or ``lr``.
            frame: ``[H, W, 3] uint8``.
            threads: as in ``from_bundle``.
            runs: that are averaged, behind one that is not.

        Returns:
            In the order they run; nothing where the library does not say.
        """
        return ()

    def twin(self: E) -> E:
        """Return another engine of the same graph, with buffers of its own and the weights of this one.

        It may run at the same time in another thread, and lives on when this one is closed.

        Raises:
            OptionError: this backend's engines share no weights.
        """
        raise OptionError(
            f"{type(self).__name__} shares no weights between engines; open one engine for each stream, or take "
            "--backend onnxruntime or openvino"
        )

    @abstractmethod
    def _run(self, feeds: Mapping[str, Buffer]) -> Mapping[str, Buffer]:
        """Compute; names, types and shapes of ``feeds`` have been checked."""

    @abstractmethod
    def close(self) -> None:
        """Free what the engine holds; calling it twice is allowed."""

    def _closed_error(self) -> BuildError:
        """Return what ``_run`` raises after ``close``."""
        return BuildError(f"engine {self.name!r} was closed; open it again")

    def __enter__(self: E) -> E:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
