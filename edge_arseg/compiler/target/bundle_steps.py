"""The steps that end in a bundle for the target: its kernels, and the bundle with its graphs."""

from collections.abc import Mapping

from edge_arseg.compiler.target.bundle import check_convertible, needs_conversion, write_target_bundle
from edge_arseg.compiler.target.options import CompileSetting
from edge_arseg.compiler.target.steps import Step, StepReport, StepState
from edge_arseg.compiler.writing import NewBundle
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.spec.entries import KernelEntry
from edge_arseg.spec.progress import Announce


class KernelStep(Step):
    """Compiles the fusion kernel.

    Attributes:
        kernels: what came of it.
    """

    name = "kernels"

    def __init__(self, setting: CompileSetting):
        self._setting = setting
        self.kernels: Mapping[KernelEntry, bytes] = {}

    def state(self) -> StepState:
        """See ``Step``."""
        return self._seen()[0]

    def report(self) -> StepReport:
        """See ``Step``."""
        return StepReport(self.name, *self._seen())

    def run(self, progress: Announce) -> None:
        """Compile.

        Raises:
            BuildError: see ``KernelChoice.compiled``.
        """
        progress(f"compiling the {self._setting.kernels.why}")
        self.kernels = self._setting.kernels.compiled()

    def _seen(self) -> tuple[StepState, str]:
        choice, ready = self._setting.kernels, self._setting.ready
        if ready is not None:
            if lacking := choice.lacking(ready):
                named = ", ".join(f"sm_{sm}" for sm in lacking)
                why = f"the bundle has none of this version for {named}: the fuse graph is used; --force puts it in"
                if self._setting.builds:
                    why += ", with --no-engines it alone"
                return StepState.NONE, why
            if there := ", ".join(f"sm_{kernel.sm}" for kernel in ready.manifest.kernels):
                return StepState.DONE, f"fusion kernel for {there}"
            return StepState.NONE, choice.why
        if choice.compilers:
            return StepState.MADE if self.kernels else StepState.TODO, choice.why
        return StepState.ELSEWHERE if choice.missing else StepState.NONE, choice.why


class BundleStep(Step):
    """Writes the bundle.

    Attributes:
        ready: the bundle, as soon as there is one.
    """

    name = "bundle"

    def __init__(self, setting: CompileSetting, kernels: KernelStep):
        self._setting, self._kernels = setting, kernels
        self.ready: Bundle | None = setting.ready
        self._place: NewBundle | None = None

    def state(self) -> StepState:
        """See ``Step``."""
        if self._setting.ready is not None:
            return StepState.DONE
        return StepState.TODO if self.ready is None else StepState.MADE

    def report(self) -> StepReport:
        """See ``Step``."""
        before = self._setting.bundle.manifest.graphs
        changes = [
            f"{role.value} {before[role].precision.value} to {precision.value}"
            for role, precision in self._setting.precisions.items()
            if before[role].precision is not precision
        ]
        told = ", ".join(changes) or "graphs as they are"
        bits = self._setting.bundle.manifest.rounded_bits
        if changes and bits is not None:
            told += f"; weights stay rounded to {bits} bits"
        detail = f"{self._setting.output} ({told})"
        return StepReport(self.name, self.state(), detail)

    def check(self) -> None:
        """Refuse what cannot be written or converted here.

        Raises:
            OptionError: something is there that may not be replaced.
            SinkError: the folder cannot be written, or has no room.
            EnvironmentUnfitError: graphs have to be converted and the host half is not installed.
        """
        if self.state() is StepState.TODO:
            options = self._setting.options
            inputs = [] if options.output is None else [self._setting.bundle.path]
            bundle, precisions = self._setting.bundle, self._setting.precisions
            converted, of_int8 = needs_conversion(bundle, precisions), not bundle.manifest.is_float32
            needed = bundle.size(graphs=0.5 if converted and not of_int8 else 1.0)  # of float16
            self._place = NewBundle(self._setting.output, force=options.force, inputs=inputs, needed=needed)
            check_convertible(bundle, precisions, target=self._setting.target)

    def run(self, progress: Announce) -> None:
        """Convert, check and write.

        Raises:
            EnvironmentUnfitError, ExportError, OptionError, SinkError: see ``write_target_bundle``.
        """
        setting, place = self._setting, self._place
        assert place is not None  # from ``check``
        self.ready = write_target_bundle(
            setting.bundle,
            setting.target,
            setting.precisions,
            place,
            kernels=self._kernels.kernels,
            progress=progress,
        )
