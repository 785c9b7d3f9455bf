"""The builder contract: a graph in, a plan out.

A library that has to compile graphs on the machine they run on gets one subclass. What is the same for all, the child
process, memory, cache and digests, is elsewhere: a builder only builds.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from edge_arseg.spec.manifest import Precision

Report = Callable[[str], None]
"""Called with a few words when a build reaches its next step, from whichever thread the library likes."""


@dataclass(frozen=True, slots=True)
class BuildSettings:
    """What a build may use.

    Attributes:
        workspace_bytes: scratch memory that a tactic may ask for. Less gives up fast tactics, never correctness.
        optimization_level: 0 to 5, how long to look for fast tactics; ``None``: the library's default.
    """

    workspace_bytes: int
    optimization_level: int | None = None


@dataclass(frozen=True, slots=True)
class BuiltEngine:
    """What a build gives.

    Attributes:
        plan: the engine, as the library serialises it, with nothing before or behind.
        timing_cache: what it learnt about the GPU, for the next build; empty where the library keeps none.
        layers: the library's own description of the engine, JSON; empty where the library gives none.
        warnings: of the library.
    """

    plan: bytes
    timing_cache: bytes = b""
    layers: str = ""
    warnings: tuple[str, ...] = ()


class EngineBuilder(ABC):
    """Builds plans with one library.

    Attributes:
        library: its name, as engine keys have it.
        version: of the library, in full.
    """

    library: str
    version: str

    @abstractmethod
    def flags(self, settings: BuildSettings) -> tuple[str, ...]:
        """Return what of the settings a plan depends on, sorted, for the engine key."""

    @abstractmethod
    def build(
        self, graph: bytes, precision: Precision, settings: BuildSettings, timing_cache: bytes, report: Report
    ) -> BuiltEngine:
        """Build one graph.

        Args:
            graph: an ONNX model in one piece.
            precision: of the graph, from the manifest.
            settings: see ``BuildSettings``.
            timing_cache: of an earlier build, or empty.
            report: told of progress.

        Raises:
            BuildError: the library does not take the graph, or the GPU lacks the precision.
            EnvironmentUnfitError: the library finds no GPU.
            MemoryExhaustedError: there is not enough memory.
        """
