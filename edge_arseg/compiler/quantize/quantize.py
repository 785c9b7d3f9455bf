"""A bundle to a quantized one."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from shlex import quote

import onnx

from edge_arseg.arguments import check_kind
from edge_arseg.compiler.entries import graph_entry, graph_file
from edge_arseg.compiler.machine import choose_target, this_machine
from edge_arseg.compiler.quantize.calibrate.flow import Calibration, prepared_branches, ranges_from_clips
from edge_arseg.compiler.quantize.dialects import dialect_from_name
from edge_arseg.compiler.quantize.options import QuantizeOptions, check_used, choice_from_options
from edge_arseg.compiler.quantize.precision import PrecisionChoice, graphs_from_choice
from edge_arseg.compiler.quantize.record import (
    CALIBRATION_FILE,
    SENSITIVITY_FILE,
    calibration_record,
    sensitivity_record,
    sha256_from_text,
)
from edge_arseg.compiler.quantize.rules.saturation import weight_bits
from edge_arseg.compiler.quantize.search.budget import (
    BudgetTrial,
    Judge,
    check_drop,
    drop_between,
    judge_from_options,
    layers_to_keep,
)
from edge_arseg.compiler.quantize.search.kept import costliest_layers, layers_named
from edge_arseg.compiler.quantize.search.sensitivity import LayerSensitivity, sensitivities
from edge_arseg.compiler.quantize.source import (
    check_source,
    float32_source,
    told_of_rounding,
)
from edge_arseg.compiler.writing import NewBundle
from edge_arseg.errors import GateError, OptionError
from edge_arseg.evaluation.scores import Scores
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.bundles.zoo import bundle_given
from edge_arseg.runtime.verification import Agreement, agreements_of_bundle
from edge_arseg.spec.entries import QuantizationEntry
from edge_arseg.spec.manifest import Manifest, Precision, Role
from edge_arseg.spec.progress import Announce, no_announcement
from edge_arseg.spec.recipe import Recipe, recipe_from_toml, recipe_path, recipe_text
from edge_arseg.storage.scratch import check_scratch_room

USUAL_OPTIONS = QuantizeOptions()


@dataclass(frozen=True, slots=True)
class QuantizedBundle:
    """What quantization made and found.

    Attributes:
        bundle: the result.
        layers: sensitivity by branch, the most sensitive first.
        choice: with the layers that stayed in float.
        agreement: of the golden frames with torch.
        scores: of float32 and of the result, where there were labels.
        target: id of the target that the result is for; ``None``: for none in particular.
    """

    bundle: Bundle
    layers: Mapping[Role, Sequence[LayerSensitivity]]
    choice: PrecisionChoice
    agreement: Sequence[Agreement]
    scores: tuple[Scores, Scores] | None
    target: str | None = None


def next_command(result: QuantizedBundle) -> str:
    """Return what to type next."""
    bundle = quote(str(result.bundle.path))
    if result.target is not None:
        return f"edge-arseg compile {bundle} --target {result.target}"
    return f"edge-arseg verify {bundle}"


def quantize_bundle(
    bundle: Bundle | str | PathLike[str],
    path: Path | str,
    options: QuantizeOptions = USUAL_OPTIONS,
    *,
    progress: Announce = no_announcement,
) -> QuantizedBundle:
    """Quantize a bundle, keep in float what accuracy needs, and write the result, whole or not at all.

    Args:
        bundle: float32, or with a quantization that can be taken off (``Manifest.rounded_bits``); or its path.
        path: the folder ``NAME.arseg`` to write.
        options: see ``QuantizeOptions``.
        progress: called with a line when a step begins.

    Raises:
        OptionError: the options contradict the bundle or the target, or ``path`` cannot be used.
        SourceError: a clip of the recipe cannot be read.
        EnvironmentUnfitError: the target is ``local``, and which one this machine is cannot be told.
        BundleError: ``bundle`` is compiled already, or has no float32 graphs.
        GateError: the budget does not hold, or the golden frames do not reach the gate; nothing is written.
        ExportError: two products of a uint8 graph can pass 16 bits.
        SinkError: the bundle cannot be written.
    """
    check_kind("options", options, QuantizeOptions, "QuantizeOptions(...)")
    bundle = bundle_given(bundle)
    check_source(bundle)
    target = None if options.target is None else choose_target(options.target, None, this_machine())
    asked = (options.precisions, options.activations, options.recipe)
    chosen = choice_from_options(bundle.manifest, target, *asked, bundle=str(bundle.path))
    choice = PrecisionChoice(chosen.precisions, dialect_from_name(chosen.activations))
    text = recipe_text(file := recipe_path(chosen.recipe))
    recipe = recipe_from_toml(text, where=file.name)
    check_used(options, chosen.precisions, recipe)
    rounded = None if bundle.manifest.is_float32 else bundle.manifest.rounded_bits
    if rounded is not None:
        progress(told_of_rounding(bundle.manifest))
        bits = min(rounded, choice.dialect.weight_bits)  # so they become the integers that they were
        choice = replace(choice, dialect=replace(choice.dialect, weight_bits=bits))
    share = 0.25 if rounded is None else 1.0  # weights of 8 bits in place of 32
    place = NewBundle(path, force=options.force, inputs=[bundle.path], needed=bundle.size(graphs=share))
    check_scratch_room(bundle.size(graphs=share if rounded is None else 5 * share))  # float32 beside it
    judge = judge_from_options(options, bundle)
    with float32_source(bundle, place) as source:
        work = _Work(source, place, choice, options.threads)
        work.name_what_is_kept(options.keep_float, options.keep_costliest)
        work.calibrate(recipe, options.data, progress)
        work.keep_what_is_named(options.keep_costliest)
        reference = None
        if judge is not None:
            progress("scoring float32")
            reference = judge.scorer(source, judge.modes)
            if options.max_drop is not None:
                for role in (Role.HR, Role.LR):
                    work.keep_what_is_needed(role, judge, reference, options.max_drop, progress)
        progress("running the golden frames")
        with work.written() as trial:
            agreement = agreements_of_bundle(trial, threads=options.threads)
        options.gate.check(min(agreement, key=lambda row: row.agreement))
        scores = None
        if judge is not None and reference is not None:
            progress("scoring the result")
            scores = reference, work.scored(judge)
            check_drop(judge, *scores, options.max_drop)
        record = sensitivity_record(work.choice, work.layers, work.trials, options.max_drop, scores, agreement)
        seen = calibration_record(work.calibration, recipe, choice.dialect)
        files = {CALIBRATION_FILE: seen, SENSITIVITY_FILE: record}
        calibrated = bool(work.integer_roles)
        entry = QuantizationEntry(
            choice.dialect.name,
            bundle.digest,
            recipe.name if calibrated else None,
            sha256_from_text(text) if calibrated else None,
            CALIBRATION_FILE,
            SENSITIVITY_FILE,
            work.weight_bits(),
        )
        manifest, contents = work.contents(files)
        manifest = replace(
            manifest,
            name=place.name,
            golden=replace(manifest.golden, min_agreement=options.gate.min_agreement, because=options.gate.because),
            quantization=entry,
        )
        written = place.write(manifest, contents)
    return QuantizedBundle(written, work.layers, work.choice, agreement, scores, None if target is None else target.id)


class _Work:
    """The quantized bundle as it comes to be.

    Attributes:
        choice: as far as it is known.
        layers: sensitivity by branch.
        trials: of the search, by branch.
        calibration: ranges; none where no branch becomes int8.
        integer_roles: branches that become int8.
    """

    def __init__(self, bundle: Bundle, place: NewBundle, choice: PrecisionChoice, threads: int | None) -> None:
        self.integer_roles = [role for role, precision in choice.branches.items() if precision is Precision.INT8]
        self.calibration = Calibration(prepared_branches(bundle, self.integer_roles), {}, {}, (), ())
        self.bundle, self.choice, self._place, self._threads = bundle, choice, place, threads
        self.layers: dict[Role, list[LayerSensitivity]] = {}
        self.trials: dict[Role, list[BudgetTrial]] = {}
        self._named: dict[Role, frozenset[str]] = {}
        self._originals = {role: onnx.load(bundle.graph_path(role)) for role in bundle.manifest.graphs}

    def calibrate(self, recipe: Recipe, data: Path | None, progress: Announce) -> None:
        """Gather ranges and rank the layers of the branches that become int8."""
        roles = self.integer_roles
        if not roles:
            return
        self.calibration = ranges_from_clips(
            self.bundle, recipe, self.calibration.branches, data=data, threads=self._threads, progress=progress
        )
        for role in roles:
            if role is not Role.FUSE:
                self.layers[role] = sensitivities(
                    self.calibration,
                    role,
                    self.bundle.decoder_weights(),
                    dialect=self.choice.dialect,
                    threads=self._threads,
                    progress=progress,
                )

    def name_what_is_kept(self, patterns: Sequence[str], costliest: int) -> None:
        """Find the layers that patterns name, before anything is run.

        Raises:
            OptionError: a pattern fits no layer; or no branch has layers that could be kept.
        """
        branches = self.calibration.branches
        ranked: dict[Role, dict[str, str]] = {r: branches[r].weights() for r in branches if r is not Role.FUSE}
        options = {"--keep-float": patterns, "--keep-costliest": costliest}
        if not ranked and (asked := [option for option, value in options.items() if value]):
            raise OptionError(
                f"{' and '.join(asked)}: no branch becomes int8, so none has a layer that could stay in float; leave "
                f"{'them' if len(asked) > 1 else 'it'} out, or type --hr int8 or --lr int8"
            )
        self._named = layers_named(patterns, ranked)

    def keep_what_is_named(self, costliest: int) -> None:
        """Keep in float the layers that were named, and the costliest of each branch."""
        for role, layers in self.layers.items():
            kept = set(self._named.get(role, ()))
            if costliest:
                branch, frame = self.calibration.branches[role], self.calibration.samples[0]
                kept.update(costliest_layers(branch, layers, frame, threads=self._threads)[:costliest])
            if kept:
                self._named[role] = frozenset(kept)
                self._keep(role, ())

    def keep_what_is_needed(
        self, role: Role, judge: Judge, reference: Scores, max_drop: float, progress: Announce
    ) -> None:
        """Keep as many of a branch's most sensitive layers in float as the budget asks for."""
        ranked = [entry.layer for entry in self.layers.get(role, ())]
        if not ranked:
            return
        mode = judge.decides[role]

        def drop(kept: int) -> float:
            progress(f"{role.value}: scoring with {kept} of {len(ranked)} layers in float")
            self._keep(role, ranked[:kept])
            with self.written() as trial:
                return drop_between(reference, judge.scorer(trial, (mode,)), mode)

        kept, self.trials[role] = layers_to_keep(len(ranked), drop, max_drop)
        if kept is None:
            raise GateError(
                f"{role.value}: mIoU is {self.trials[role][-1].drop:.2f} points below float32 with all layers in float,"
                f" {max_drop:g} allowed; nothing was written. Type --{role.value} fp16, or a larger --max-drop"
            )
        self._keep(role, ranked[:kept])

    def scored(self, judge: Judge) -> Scores:
        """Score the bundle as it is now."""
        with self.written() as trial:
            return judge.scorer(trial, judge.modes)

    def written(self) -> AbstractContextManager[Bundle]:
        """Write the bundle as it is now to a place that goes away."""
        return self._place.trial(*self.contents({}))

    def weight_bits(self) -> int | None:
        """Return the bits of the weights in the int8 graphs as they are now; ``None`` where there are none."""
        return max((bits for graph in self._graphs().values() if (bits := weight_bits(graph))), default=None)

    def contents(self, files: Mapping[str, bytes]) -> tuple[Manifest, dict[str, bytes]]:
        """Return the bundle's manifest and files as they are now, with ``files`` added."""
        graphs = self._graphs()
        old = self.bundle.manifest
        contents = self.bundle.contents(old.files)
        contents |= {graph_file(role): graph.SerializeToString() for role, graph in graphs.items()} | dict(files)
        entries = {
            role: replace(graph_entry(role, graph), precision=self.choice.stated(role))
            for role, graph in graphs.items()
        }
        return replace(old, graphs=entries), contents

    def _graphs(self) -> dict[Role, onnx.ModelProto]:
        return graphs_from_choice(self._originals, self.choice, self.calibration)

    def _keep(self, role: Role, layers: Sequence[str]) -> None:
        kept = frozenset(layers) | self._named.get(role, frozenset())
        self.choice = replace(self.choice, keep_float={**self.choice.keep_float, role: kept})
