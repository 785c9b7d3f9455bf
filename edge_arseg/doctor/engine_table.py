"""Every bundle in the package on every engine that is here: does it give the right classes, and how fast?"""

from dataclasses import dataclass

from edge_arseg.doctor.findings import Finding
from edge_arseg.errors import ArsegError
from edge_arseg.runtime.bundles.gate import required_agreement
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.bundles.zoo import lightest_bundles, shipped_bundles
from edge_arseg.runtime.choice.engine_choice import Choice, choice_from_options
from edge_arseg.runtime.choice.trial_memory import TrialMemory
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.mode import Mode
from edge_arseg.spec.progress import Announce, no_announcement


@dataclass(frozen=True, slots=True)
class EngineRow:
    """One pair.

    Attributes:
        bundle, backend: their names.
        agreement: share of the golden pixels, 0 to 1, that get the expected class; ``None``: does not run here.
        required: that ``run`` asks for.
        frame_ms: mean over a GOP, without reading and motion; ``None`` where it was not timed.
        reason: why it does not run; empty where it does.
    """

    bundle: str
    backend: str
    agreement: float | None
    required: float
    frame_ms: float | None
    reason: str

    @property
    def passes(self) -> bool:
        """Whether ``run`` would take it."""
        return self.agreement is not None and self.agreement >= self.required


@dataclass(frozen=True, slots=True)
class EngineTable:
    """What was found.

    Attributes:
        rows: every pair.
        bundle, backend: what ``run`` takes where neither is named; ``None`` where nothing passes.
        how: why.
    """

    rows: tuple[EngineRow, ...]
    bundle: str | None
    backend: str | None
    how: str

    @property
    def finding(self) -> Finding:
        """What ``run`` will use, or that nothing does."""
        if self.bundle is None:
            return Finding("run", "missing", self.how, "name another bundle: run -b BUNDLE", "device")
        return Finding("run", "ok", f"{self.bundle} on {self.backend}: {self.how}", need="device")


def engine_table(*, again: bool = False, progress: Announce = no_announcement) -> EngineTable:
    """Try what was not tried before, and look the rest up.

    Args:
        again: try everything, and remember that instead.
        progress: called with a line before each trial.
    """
    memory = TrialMemory(forget=again)

    def chosen(what: Bundle | None) -> Choice:
        return choice_from_options(what, [Mode.AR], EngineOptions(), memory=memory, gate=False, progress=progress)

    try:
        shipped = shipped_bundles()
        choice = chosen(None)
        light = lightest_bundles(shipped)
        trials = [*choice.trials, *(trial for heavy in shipped if heavy not in light for trial in chosen(heavy).trials)]
    except ArsegError as error:
        return EngineTable((), None, None, str(error).splitlines()[0])
    required = {bundle.manifest.name: required_agreement(bundle.manifest) for bundle in shipped}
    rows = tuple(
        EngineRow(trial.bundle, trial.backend, trial.agreement, required[trial.bundle], trial.frame_ms, trial.reason)
        for trial in trials
    )
    if not any(row.passes and row.bundle == choice.bundle.manifest.name for row in rows):
        none = "no bundle of the lightest model" if any(row.passes for row in rows) else "no bundle in the package"
        return EngineTable(rows, None, None, f"{none} gives the right classes on an engine here")
    return EngineTable(rows, choice.bundle.manifest.name, choice.options.backend, choice.how)
