"""Which bundle runs on which backend, and the proof that it gives the right class maps on this machine.

============= ============= ==========================================================================================
bundle        backend       what runs
============= ============= ==========================================================================================
not named     not named     the fastest pair of a bundle of the lightest shipped model and a backend, of those whose
                            golden frames pass here
not named     named         the fastest bundle of that model that passes on it
named         not named     the engine of the bundle's target; where it is missing, or there is no target, the fastest
                            backend that passes
named         named         just that
============= ============= ==========================================================================================

What does not pass is refused, with the figure and the ways out, unless ``unchecked``. Each pair is tried once and
remembered (``trial_memory``).
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import TypeAlias

from edge_arseg.errors import BuildError, EnvironmentUnfitError
from edge_arseg.runtime.bundles.gate import required_agreement
from edge_arseg.runtime.bundles.reading import Bundle, read_bundle
from edge_arseg.runtime.bundles.zoo import bundle_given, lightest_bundles, shipped_bundles, typed_name
from edge_arseg.runtime.choice.refusal import refusal
from edge_arseg.runtime.choice.target_engine import engine_of_target, missing_engine
from edge_arseg.runtime.choice.trial import Trial, attempt_of, trial_of
from edge_arseg.runtime.choice.trial_memory import TrialMemory
from edge_arseg.runtime.engines.contract import AUTO, EngineOptions
from edge_arseg.runtime.engines.opening import UNPROVED, checked_backend
from edge_arseg.runtime.fusion.opening import checked_fusion
from edge_arseg.runtime.mode import Mode, modes_to_run
from edge_arseg.spec.progress import Announce, no_announcement

CANDIDATES = ("tensorrt", "openvino-bf16", "openvino", "onnxruntime-cuda", "onnxruntime")
"""Backends that are tried. ``onnxruntime-tensorrt`` is not one: it builds for minutes where it has not run yet."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Choice:
    """A bundle and what it runs on.

    Attributes:
        bundle: checked.
        options: with a backend named.
        how: why these two, in words.
        trials: what became of every pair that was looked at; of each, the worst of the modes asked for.
        warnings: what the user has to know.
    """

    bundle: Bundle
    options: EngineOptions
    how: str
    trials: tuple[Trial, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def trial(self) -> Trial | None:
        """The trial of the pair that was taken; ``None`` where it was not tried."""
        name, backend = self.bundle.manifest.name, self.options.backend
        return next((trial for trial in self.trials if (trial.bundle, trial.backend) == (name, backend)), None)

    @property
    def agreement(self) -> float | None:
        """Share of the golden pixels that get the expected class here, 0 to 1; ``None`` where they were not run."""
        return self.trial.agreement if self.trial else None

    def __str__(self) -> str:
        return f"{self.bundle.manifest.name} on {self.options.backend}: {self.how}"


Choosable: TypeAlias = Choice | Bundle | str | PathLike[str] | None
"""A choice that was made, a bundle, its folder or the name of a shipped one, or ``None`` for one of those."""


def unproved(bundle: Bundle, options: EngineOptions) -> Choice:
    """Return a choice that is taken as it is: for bundles in the making, which are measured by other means."""
    return Choice(bundle, options, "as named, not proved")


def settled(
    what: Choosable, asked: Sequence[Mode], usual: Sequence[Mode], options: EngineOptions
) -> tuple[Choice, tuple[Mode, ...]]:
    """Return the choice and the modes. A choice that was made already is taken as it is; warnings are logged.

    Args:
        what: see ``Choosable``.
        asked, usual: see ``modes_to_run``.
        options: count for nothing where ``what`` is a choice.

    Raises:
        ArsegError: see ``choice_from_options`` and ``modes_to_run``.
    """
    if isinstance(what, Choice):
        return what, modes_to_run(what.bundle, asked, usual)
    bundle = None if what is None else bundle_given(what)
    modes = modes_to_run(bundle, asked, usual)
    choice = choice_from_options(bundle, modes, options)
    for warning in choice.warnings:
        _log.warning("%s", warning)
    return choice, modes


def choice_from_options(
    what: Bundle | str | PathLike[str] | None,
    modes: Sequence[Mode],
    options: EngineOptions,
    *,
    memory: TrialMemory | None = None,
    candidates: Sequence[str] | None = None,
    gate: bool = True,
    progress: Announce = no_announcement,
) -> Choice:
    """Choose bundle and backend, as in the table above.

    Args:
        what: the bundle or its folder; ``None``: one of the lightest model in the package.
        modes: that will run; a pair must pass in all of them, and is timed in the first.
        options: fusion, threads, and the backend or ``auto``.
        memory: of earlier trials.
        candidates: backends that are tried; by default ``CANDIDATES``.
        gate: refuse what does not pass, or warn of it; without, whoever asks compares the agreement.
        progress: called with a line before each trial that was not remembered.

    Raises:
        BundleError: the bundle is missing or damaged, or the package has none.
        OptionError: no such backend or fusion.
        EnvironmentUnfitError: nothing passes; with the figures and the ways out.
        BuildError: the backend named cannot run the bundle, or none can and one has no engine of it.
    """
    bundle = None if what is None else bundle_given(what)
    if options.backend != AUTO:
        checked_backend(options.backend)
    checked_fusion(options.fusion)
    candidates = CANDIDATES if candidates is None else candidates
    tries = _Tries(modes, options, memory or TrialMemory(), candidates, gate, progress)
    if bundle is None:
        bundles = tries.doubtful = lightest_bundles(shipped_bundles())
    else:
        bundles = [bundle]
    if options.backend in UNPROVED:
        return Choice(tries.sound(bundles[0]), options, "as named; it computes nothing")
    if bundle is not None:
        return _for_one(bundle, tries) if options.backend == AUTO else tries.as_named(bundle)
    backends = candidates if options.backend == AUTO else [options.backend]
    return tries.fastest([(bundle, backend) for bundle in bundles for backend in backends])


def _for_one(bundle: Bundle, tries: "_Tries") -> Choice:
    """Choose a backend for a bundle that was named."""
    engine = engine_of_target(bundle.manifest.target)
    if engine is None:
        return tries.fastest([(bundle, backend) for backend in tries.candidates])
    trial = tries.look(bundle, engine)
    if trial.agreement is not None:
        how = f"the engine of its target {bundle.manifest.target}"
        return tries.proved(bundle, trial, how, (trial,))
    choice = tries.fastest([(bundle, backend) for backend in tries.candidates if backend != engine])
    line = missing_engine(bundle, trial.reason, choice.options.backend)
    return replace(choice, trials=(trial, *choice.trials), warnings=(line, *choice.warnings))


class _Tries:
    """Tries pairs in the modes and with the options asked for, unless they were tried before.

    Attributes:
        candidates: backends to try.
        doubtful: bundles whose files were not compared with their digests yet.
    """

    def __init__(
        self,
        modes: Sequence[Mode],
        options: EngineOptions,
        memory: TrialMemory,
        candidates: Sequence[str],
        gate: bool,
        progress: Announce,
    ):
        self._modes, self._options, self._memory, self._progress = modes, options, memory, progress
        self.candidates, self._gate = candidates, gate
        self.doubtful: list[Bundle] = []
        self._fresh = 0

    def sound(self, bundle: Bundle) -> Bundle:
        """Return the bundle, its files compared with their digests."""
        if bundle in self.doubtful:
            self.doubtful = [other for other in self.doubtful if other is not bundle]
            return read_bundle(bundle.path)
        return bundle

    def as_named(self, bundle: Bundle) -> Choice:
        """Prove the pair that the user named; what keeps it from running is raised as it is."""
        options, required = self._options, required_agreement(bundle.manifest)
        worst: Trial | None = None
        for mode in self._modes:
            trial = self._memory.recall(bundle, mode, options)
            if trial is None or trial.agreement is None:
                trial = trial_of(bundle, mode, options, required=required, timed=False)
                self._keep(trial, bundle, mode, options)
            worst = _worse(worst, trial)
        assert worst is not None
        return self.proved(bundle, worst, f"as named; {worst.agreement:.2%} of the golden pixels agree", (worst,))

    def look(self, bundle: Bundle, backend: str) -> Trial:
        """Return what becomes of a pair: in the first mode where it passes in all of them, else in the worst."""
        options, required = replace(self._options, backend=backend), required_agreement(bundle.manifest)
        found: Trial | None = None
        for mode in self._modes:
            trial = self._memory.recall(bundle, mode, options)
            if trial is None or (trial.passes(required) and trial.frame_ms is None):
                self._progress(f"trying {bundle.manifest.name} on {backend}")
                trial = attempt_of(self.sound(bundle), mode, options, required=required)
                self._keep(trial, bundle, mode, options)
            found = _worse(found, trial)
            if not found.passes(required):
                break
        assert found is not None
        return found

    def fastest(self, pairs: Sequence[tuple[Bundle, str]]) -> Choice:
        """Return the fastest pair that passes; with ``unchecked``, where none does, the one that agrees most."""
        tried = [(bundle, self.look(bundle, backend)) for bundle, backend in pairs]
        trials = tuple(trial for _, trial in tried)
        passing = [(b, t) for b, t in tried if t.passes(required_agreement(b.manifest)) and t.frame_ms is not None]
        if passing:
            bundle, trial = min(passing, key=lambda pair: pair[1].frame_ms or 0.0)
            count = f"the fastest of {len(passing)} that give" if len(passing) > 1 else "the only one that gives"
            how = f"{count} the right classes here, {trial.frame_ms:.1f} ms a frame"
            return self.proved(bundle, trial, how, trials)
        ran = [(b, t) for b, t in tried if t.agreement is not None]
        if not ran:
            alike: dict[tuple[str, str], list[str]] = {}  # a reason is told once for all bundles that it holds for
            for trial in trials:
                alike.setdefault((trial.backend, trial.reason), []).append(trial.bundle)
            lines = "\n".join(f"  {', '.join(of)} on {backend}: {reason}" for (backend, reason), of in alike.items())
            message = f"no backend runs {_names(pairs)} here; see `edge-arseg doctor`\n{lines}"
            build = any(trial.exit_code == BuildError.exit_code for trial in trials)
            raise BuildError(message) if build else EnvironmentUnfitError(message)
        bundle, trial = max(ran, key=lambda pair: pair[1].agreement or 0.0)
        return self.proved(bundle, trial, "the one that agrees most, none passes", trials)

    def proved(self, bundle: Bundle, trial: Trial, how: str, trials: tuple[Trial, ...]) -> Choice:
        """Return the choice of a pair that ran, or refuse it where it does not pass."""
        required = required_agreement(bundle.manifest)
        options = replace(self._options, backend=trial.backend)
        warnings = []
        if self._gate and not trial.passes(required):
            figure = (
                f"{typed_name(bundle.path)}: on {trial.backend} {trial.agreement:.2%} of the golden pixels get the "
                f"expected class here, {required:.2%} expected (mode {', '.join(mode.value for mode in self._modes)})"
            )
            if not options.unchecked:
                others = [self.look(bundle, other) for other in self.candidates if _untried(bundle, other, trials)]
                passing = [t for t in (*trials, *others) if t.bundle == trial.bundle and t.passes(required)]
                raise EnvironmentUnfitError(refusal(figure, bundle, passing))
            warnings.append(f"{figure}; it runs anyway, because of --unchecked")
        if self._memory.unwritable:
            warnings.append(
                f"{self._memory.folder} cannot be written: what was tried here is not remembered, and is tried again "
                "at every start; name a folder: export XDG_CACHE_HOME=FOLDER"
            )
        remembered = "" if self._fresh else "; remembered"
        return Choice(self.sound(bundle), options, how + remembered, trials, tuple(warnings))

    def _keep(self, trial: Trial, bundle: Bundle, mode: Mode, options: EngineOptions) -> None:
        self._fresh += 1
        self._memory.keep(trial, bundle, mode, options)


def _worse(one: Trial | None, other: Trial) -> Trial:
    """Return the trial that counts: the first, which was timed, unless the other did not run or agrees less."""
    if one is None or other.agreement is None:
        return other
    if one.agreement is None or one.agreement <= other.agreement:
        return one
    return replace(other, frame_ms=one.frame_ms)


def _untried(bundle: Bundle, backend: str, trials: Sequence[Trial]) -> bool:
    return not any((trial.bundle, trial.backend) == (bundle.manifest.name, backend) for trial in trials)


def _names(pairs: Sequence[tuple[Bundle, str]]) -> str:
    return ", ".join(dict.fromkeys(typed_name(bundle.path) for bundle, _ in pairs))
