"""The steps that build engines on the machine that runs them, one for each graph; elsewhere one that says where."""

from dataclasses import replace

from edge_arseg.compiler.engines.contract import EngineBuilder
from edge_arseg.compiler.engines.memory import (
    MemoryNeed,
    check_memory,
    entry_in_precision,
    need_from_graph,
    workspace_from_memory,
)
from edge_arseg.compiler.engines.process import BuildJob, result_from_job
from edge_arseg.compiler.engines.store import PlanStore
from edge_arseg.compiler.target.bundle_steps import BundleStep
from edge_arseg.compiler.target.options import CompileSetting
from edge_arseg.compiler.target.steps import Progress, Step, StepReport, StepState
from edge_arseg.compiler.writing import check_writable
from edge_arseg.runtime.bundles.plans import engine_roots
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.device.host_memory import HostMemory
from edge_arseg.spec.engine_key import EngineKey, graph_digests
from edge_arseg.spec.manifest import Role
from edge_arseg.spec.targets.target import Kind

BUNDLE_ADVICE = (
    "keep the engines in your own cache, where `run` looks too: --user-cache; or copy the bundle to where it can be "
    "written"
)
USER_CACHE_ADVICE = (
    "name a cache that can be written, for `compile` and for `run`: export XDG_CACHE_HOME=FOLDER; or copy the bundle "
    "to where it can be written and leave out --user-cache"
)


class EngineStep(Step):
    """Builds the engine of one graph.

    Attributes:
        role: of the graph.
        warnings: of the library, after ``run``.
    """

    def __init__(self, setting: CompileSetting, bundle: BundleStep, builder: EngineBuilder, role: Role):
        self.role, self.name = role, f"engine {role.value}"
        self.warnings: tuple[str, ...] = ()
        self._setting, self._bundle, self._builder = setting, bundle, builder
        self._made_bytes: int | None = None

    def store(self) -> PlanStore | None:
        """Return the folder of the plans; ``None`` while the bundle is not written: its digests name the folder."""
        ready, facts = self._bundle.ready, self._setting.machine.facts
        if ready is None:
            return None
        assert facts is not None
        inside, cache = engine_roots(ready.path, ready.digest)
        key = EngineKey(
            graph_digests(ready.manifest),
            self._builder.library,
            self._builder.version,
            facts.compute_capability,
            facts.sm_count,
            facts.name,
            self._builder.flags(self._setting.build_settings()),
        )
        return PlanStore(cache if self._setting.options.user_cache else inside, key)

    def state(self) -> StepState:
        """See ``Step``."""
        if self._made_bytes is not None:
            return StepState.MADE
        store = self.store()
        there = store is not None and store.has(self.role) and not self._setting.options.force
        return StepState.DONE if there else StepState.TODO

    def report(self) -> StepReport:
        """See ``Step``."""
        state, store = self.state(), self.store()
        if self._made_bytes is not None:
            return StepReport(self.name, state, f"{self._made_bytes / 1e6:.1f} MB")
        if state is StepState.DONE:
            assert store is not None
            return StepReport(self.name, state, str(store.folder))
        need, seconds = self._need(), None if store is None else store.earlier_seconds(self.role)
        free = self._setting.machine.board.memory.available
        took = "minutes not known, none was built here yet"
        if seconds is not None:
            took = f"{seconds / 60:.1f} minutes when it was built here before"
        detail = (
            f"{self._builder.library} {self._builder.version}, {need.workspace >> 20} MiB of scratch memory, "
            f"{free / 1e9:.1f} GB free"
        )
        estimate = f"estimate: {need.total / 1e9:.1f} GB of RAM; {took}"
        return StepReport(self.name, state, detail, estimate, need.total, None if seconds is None else seconds / 60)

    def check(self) -> None:
        """Refuse a build that there is no room for, on disk or in memory as it is now.

        Raises:
            SinkError: the folder of the plans cannot be written.
            MemoryExhaustedError: see ``check_memory``.
        """
        if self.state() is not StepState.TODO:
            return
        options = self._setting.options
        if (store := self.store()) is not None:
            check_writable(store.folder, USER_CACHE_ADVICE if options.user_cache else BUNDLE_ADVICE)
        elif options.user_cache:  # else the plans go into a bundle that is yet to be written, which has its own check
            check_writable(engine_roots(self._setting.output, "0" * 64)[1], USER_CACHE_ADVICE)
        if options.memory_check:
            # what is free now: the build before this one has given its memory back
            check_memory(self.role.value, self._need(), self._setting.machine.read_memory())

    def run(self, progress: Progress) -> None:
        """Build in a child process and keep the plan.

        Raises:
            BuildError, EnvironmentUnfitError, MemoryExhaustedError: see ``result_from_job``.
            SinkError: the plan cannot be kept.
        """
        ready, store = self._bundle.ready, self.store()
        assert ready is not None
        assert store is not None
        options, entry = self._setting.options, ready.manifest.graphs[self.role]
        store.check_writable(USER_CACHE_ADVICE if options.user_cache else BUNDLE_ADVICE)
        progress(f"building {self.role.value} ({entry.precision.value})")
        part = store.part(self.role)
        job = BuildJob(
            options.builder,
            self.role.value,
            ready.graph_path(self.role),
            entry.precision,
            self._setting.build_settings(),
            part,
            store.timing_cache(),
        )
        try:
            result = result_from_job(job, progress)
            extra = {f"{self.role.value}.layers.json": result.layers} if result.layers else {}
            self._made_bytes = store.keep(self.role, part, extra, seconds=result.seconds).bytes
        finally:
            part.unlink(missing_ok=True)
        store.keep_timing_cache(result.timing_cache)
        self.warnings = tuple(f"{self.role.value}: {text}" for text in result.warnings)
        progress(f"built {self.role.value} in {result.seconds:.0f} s")

    def _need(self) -> MemoryNeed:
        return need_from_role(
            self._setting, self._bundle.ready, self.role, self._setting.build_settings().workspace_bytes
        )


class ElsewhereStep(Step):
    """Says where the engines are built, or why there are none; there is nothing to do here."""

    name = "engines"

    def __init__(self, setting: CompileSetting):
        self._setting = setting

    def state(self) -> StepState:
        """See ``Step``."""
        nothing = self._setting.target.kind is Kind.CPU or not self._setting.options.engines
        return StepState.NONE if nothing else StepState.ELSEWHERE

    def report(self) -> StepReport:
        """See ``Step``; for a board, with the memory that its largest build takes there."""
        setting, report = self._setting, StepReport(self.name, self.state(), self._setting.place.why)
        if report.state is StepState.NONE or setting.target.memory is None or setting.target.tier == 3:
            return report
        board = HostMemory(total=10**9 * min(setting.target.memory.gb))
        workspace = setting.options.workspace_bytes or workspace_from_memory(board)
        needs = {role: need_from_role(setting, setting.ready, role, workspace).total for role in setting.roles}
        largest = max(needs, key=lambda role: needs[role])
        told = (
            f"estimate: {largest.value} takes the most there, {needs[largest] / 1e9:.1f} of the board's "
            f"{board.total / 1e9:.0f} GB of RAM"
        )
        return replace(report, estimate=told, ram_bytes=needs[largest])


def need_from_role(setting: CompileSetting, ready: Bundle | None, role: Role, workspace: int) -> MemoryNeed:
    """Estimate what building the engine of a role takes, from the graph that is there or from the one it will be.

    Args:
        setting: of the compilation.
        ready: the target's bundle; ``None``: not written yet.
        role: of the graph.
        workspace: scratch memory, bytes.
    """
    bundle = ready or setting.bundle
    entry, size = bundle.manifest.graphs[role], bundle.graph_path(role).stat().st_size
    if ready is None:
        entry, size = entry_in_precision(entry, size, setting.precisions[role], fuse=setting.precisions.get(Role.FUSE))
    return need_from_graph(entry, size, workspace)
