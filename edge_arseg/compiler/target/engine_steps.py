"""The steps that build engines on the machine that runs them, one for each graph; elsewhere one that says where."""

from dataclasses import replace
from pathlib import Path

from edge_arseg.compiler.engines.memory import MemoryNeed, need_of_build, workspace_from_memory
from edge_arseg.compiler.engines.store import PlanStore
from edge_arseg.compiler.engines.workshop import Workshop
from edge_arseg.compiler.target.bundle_steps import BundleStep
from edge_arseg.compiler.target.options import CompileSetting
from edge_arseg.compiler.target.steps import Step, StepReport, StepState
from edge_arseg.errors import MemoryExhaustedError, SinkError
from edge_arseg.runtime.bundles.plans import engine_roots
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.device.host_memory import HostMemory
from edge_arseg.spec.manifest import GraphEntry, Precision, Role
from edge_arseg.spec.progress import Announce
from edge_arseg.spec.targets.target import Kind
from edge_arseg.storage.folders import check_writable

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

    def __init__(self, setting: CompileSetting, bundle: BundleStep, workshop: Workshop, role: Role):
        self.role, self.name = role, f"engine {role.value}"
        self.warnings: tuple[str, ...] = ()
        self._setting, self._bundle, self._workshop = setting, bundle, workshop
        self._made_bytes: int | None = None

    def store(self) -> PlanStore | None:
        """Return the folder of the plans; ``None`` while the bundle is not written: its digests name the folder."""
        ready = self._bundle.ready
        return None if ready is None else self._workshop.store(ready, user_cache=self._setting.options.user_cache)

    def state(self) -> StepState:
        """See ``Step``."""
        if self._made_bytes is not None:
            return StepState.MADE
        there = self._there() is not None and not self._setting.options.force
        return StepState.DONE if there else StepState.TODO

    def report(self) -> StepReport:
        """See ``Step``."""
        state, store = self.state(), self.store()
        if self._made_bytes is not None:
            return StepReport(self.name, state, f"{self._made_bytes / 1e6:.1f} MB")
        if state is StepState.DONE:
            return StepReport(self.name, state, str(self._there()))
        need, seconds = self._need(), None if store is None else store.earlier_seconds(self.role)
        free = self._setting.machine.board.memory.available
        took = "minutes not known, none was built here yet"
        if seconds is not None:
            took = f"{seconds / 60:.1f} minutes when it was built here before"
        detail = f"{self._workshop.library}, {need.workspace >> 20} MiB of scratch memory, {free / 1e9:.1f} GB free"
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
            self._workshop.check_memory(self.role.value, self._need())

    def run(self, progress: Announce) -> None:
        """Check again, since memory and disk are what the builds before left, build, and keep the plan.

        Raises:
            BuildError, EnvironmentUnfitError, MemoryExhaustedError: see ``check`` and ``Workshop.build``.
            SinkError: the plan cannot be kept.
        """
        try:
            self.check()
            self._build(progress)
        except MemoryExhaustedError as error:
            raise MemoryExhaustedError(f"{error}{self._rest()}") from error

    def _build(self, progress: Announce) -> None:
        ready, store = self._bundle.ready, self.store()
        assert ready is not None
        assert store is not None
        options, entry = self._setting.options, ready.manifest.graphs[self.role]
        advice = USER_CACHE_ADVICE if options.user_cache else BUNDLE_ADVICE
        store.check_writable(advice)
        progress(f"building {self.role.value} ({entry.precision.value})")
        part = store.part(self.role)
        try:
            result = self._workshop.build(self.role, ready, part, store.timing_cache(), progress)
            extra = {f"{self.role.value}.layers.json": result.layers} if result.layers else {}
            self._made_bytes = store.keep(self.role, part, extra, seconds=result.seconds).bytes
        except SinkError as error:
            raise SinkError(f"{error}. What was built before is kept: then type the same again. Or {advice}") from error
        finally:
            part.unlink(missing_ok=True)
        store.keep_timing_cache(result.timing_cache)
        self.warnings = tuple(f"{self.role.value}: {text}" for text in result.warnings)
        progress(f"built {self.role.value} in {result.seconds:.0f} s")

    def _there(self) -> Path | None:
        """Return the folder of the plan; one that was built with other flags does where none are asked for."""
        store, options = self.store(), self._setting.options
        if store is None:
            return None
        if store.has(self.role):
            return store.folder
        asked = options.workspace_bytes is not None or options.optimization_level is not None
        return None if asked else store.beside(self.role)

    def _rest(self) -> str:
        """Say what to type, so that engines that are there are not built again with another amount of memory."""
        roles = self._setting.roles
        done = roles.index(self.role)
        left = " ".join(f"--graph {role.value}" for role in roles[done:])
        return f". With another --workspace leave out what is built: {left}" if done else ""

    def _need(self) -> MemoryNeed:
        entry, size, precision, fuse = _graph(self._setting, self._bundle.ready, self.role)
        return self._workshop.need(entry, size, precision, fuse=fuse)


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
        needs = {role: _need_there(setting, role, workspace).total for role in setting.roles}
        largest = max(needs, key=lambda role: needs[role])
        told = (
            f"estimate: {largest.value} takes the most there, {needs[largest] / 1e9:.1f} of the board's "
            f"{board.total / 1e9:.0f} GB of RAM"
        )
        return replace(report, estimate=told, ram_bytes=needs[largest])


def _need_there(setting: CompileSetting, role: Role, workspace: int) -> MemoryNeed:
    """Estimate what building the engine of a role takes on the board."""
    entry, size, precision, fuse = _graph(setting, setting.ready, role)
    return need_of_build(entry, size, precision, fuse=fuse, workspace_bytes=workspace)


def _graph(
    setting: CompileSetting, ready: Bundle | None, role: Role
) -> tuple[GraphEntry, int, Precision, Precision | None]:
    """Return what is known of a role's graph: its entry and size on disk, as it is in the bundle that is there, and the
    precisions of it and of the fusion that it is converted to.

    Args:
        setting: of the compilation.
        ready: the target's bundle; ``None``: not written yet.
        role: of the graph.
    """
    bundle = ready or setting.bundle
    entry, wanted = bundle.manifest.graphs[role], setting.precisions
    return entry, bundle.graph_path(role).stat().st_size, wanted[role], wanted.get(Role.FUSE)
