"""Where engines are built: one library on one machine, what a build may use there, and the folders of its plans."""

from pathlib import Path

from edge_arseg.compiler.engines.contract import BuildSettings
from edge_arseg.compiler.engines.memory import MemoryNeed, check_memory, need_of_build, workspace_from_memory
from edge_arseg.compiler.engines.process import BuildJob, BuildResult, builder_from_name, result_from_job
from edge_arseg.compiler.engines.store import PlanStore
from edge_arseg.compiler.machine import Machine
from edge_arseg.runtime.bundles.plans import engine_roots
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.spec.engine_key import EngineKey, graph_digests
from edge_arseg.spec.manifest import GraphEntry, Precision, Role
from edge_arseg.spec.progress import Announce


class Workshop:
    """Builds with one library on this machine.

    Attributes:
        library: name and version of the library.
        settings: what a build may use.
    """

    def __init__(
        self, builder: str, machine: Machine, *, workspace_bytes: int | None, optimization_level: int | None
    ) -> None:
        """Open it.

        Args:
            builder: ``module:class`` of the builder.
            machine: this one; it has a GPU.
            workspace_bytes: scratch memory of a build; ``None``: from the size of the machine's memory.
            optimization_level: see ``BuildSettings``.

        Raises:
            EnvironmentUnfitError: the library is not installed.
        """
        self._name, self._machine = builder, machine
        self._builder = builder_from_name(builder)
        self.library = f"{self._builder.library} {self._builder.version}"
        self.settings = BuildSettings(
            workspace_bytes or workspace_from_memory(machine.board.memory), optimization_level
        )

    def store(self, bundle: Bundle, *, user_cache: bool) -> PlanStore:
        """Return the folder of a bundle's plans, in the user's cache or inside the bundle."""
        facts = self._machine.facts
        assert facts is not None
        inside, cache = engine_roots(bundle.path, bundle.digest)
        key = EngineKey(
            graph_digests(bundle.manifest),
            self._builder.library,
            self._builder.version,
            facts.compute_capability,
            facts.sm_count,
            facts.name,
            self._builder.flags(self.settings),
        )
        return PlanStore(cache if user_cache else inside, key)

    def need(self, entry: GraphEntry, file_bytes: int, precision: Precision, *, fuse: Precision | None) -> MemoryNeed:
        """Estimate the memory that a build takes here; see ``need_of_build``."""
        return need_of_build(entry, file_bytes, precision, fuse=fuse, workspace_bytes=self.settings.workspace_bytes)

    def check_memory(self, name: str, need: MemoryNeed) -> None:
        """Refuse a build that there is not memory enough for now: the one before it has given its own back.

        Raises:
            MemoryExhaustedError: see ``memory.check_memory``.
        """
        check_memory(name, need, self._machine.read_memory())

    def build(self, role: Role, bundle: Bundle, plan: Path, timing_cache: bytes, progress: Announce) -> BuildResult:
        """Build the engine of one graph in a process of its own.

        Args:
            role: of the graph.
            bundle: that holds it.
            plan: file to write.
            timing_cache: what an earlier build learnt, or empty.
            progress: called with a line while it lasts.

        Raises:
            BuildError, EnvironmentUnfitError, MemoryExhaustedError: see ``result_from_job``.
        """
        graph, precision = bundle.graph_path(role), bundle.manifest.graphs[role].precision
        job = BuildJob(self._name, role.value, graph, precision, self.settings, plan, timing_cache)
        return result_from_job(job, progress)
