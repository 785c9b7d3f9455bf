"""The options of ``quantize``, and the choice that follows: what was asked for, else what a target wants."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote

from edge_arseg.arguments import is_number, path_from
from edge_arseg.compiler.asked import precisions_named
from edge_arseg.compiler.quantize.gate import USUAL_GATE, Gate
from edge_arseg.errors import OptionError
from edge_arseg.runtime.device.cores import check_at_once
from edge_arseg.spec.manifest import CHOSEN_ROLES, Manifest, Precision, Role
from edge_arseg.spec.recipe import DATA, Recipe
from edge_arseg.spec.targets.target import Activations, Target

USUAL_RECIPE = "street"


@dataclass(frozen=True, slots=True)
class QuantizeOptions:
    """What a user asks ``quantize`` for.

    Attributes:
        target: id of the target that the result is for, or ``local``; ``None``: ONNX Runtime on x86.
        precisions: asked for, by role; graphs that are not named get the target's, else int8 branches.
        activations: ``uint8`` or ``int8``; ``None``: the target's, else ``uint8``.
        recipe: name of a calibration recipe, or the path of its file; ``None``: the target's, else ``street``.
        data: folder that ``{data}`` in the recipe stands for.
        max_drop: points of mIoU that each branch may lose; needs ``labels``.
        labels: folder of index PNGs to score on; with either ``clip`` or ``images``.
        clip: labelled clip.
        images: folder of labelled images.
        limit: frames or images to score on, at most.
        threads: of the engines; ``None``: all cores.
        keep_float: patterns of layers that stay in float; see ``layers_named``.
        keep_costliest: so many layers of each branch stay in float, those that cost most accuracy for each millisecond;
            see ``costliest_layers``.
        gate: what the golden frames have to reach.
        force: replace a bundle that is there.

    Raises:
        OptionError: options contradict each other, or a number is out of range.
    """

    target: str | None = None
    precisions: Mapping[Role, Precision] = field(default_factory=dict)
    activations: str | None = None
    recipe: str | None = None
    data: Path | None = None
    max_drop: float | None = None
    labels: Path | None = None
    clip: str | None = None
    images: Path | None = None
    limit: int | None = None
    threads: int | None = None
    keep_float: tuple[str, ...] = ()
    keep_costliest: int = 0
    gate: Gate = USUAL_GATE
    force: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "precisions", precisions_named(self.precisions))
        for name in ("data", "labels", "images"):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, path_from(name, value))
        if self.recipe is not None:
            recipe = self.recipe if isinstance(self.recipe, str) else str(path_from("recipe", self.recipe))
            object.__setattr__(self, "recipe", recipe)
        if not isinstance(self.gate, Gate):  # it is asked behind the work
            raise OptionError(f"a gate {self.gate!r} seen, expected a Gate, like Gate(0.97, 'TEXT')")
        if isinstance(self.keep_float, str):  # one pattern, not one for each of its letters
            object.__setattr__(self, "keep_float", (self.keep_float,))
        if self.max_drop is not None and (not is_number(self.max_drop, 0) or self.max_drop == math.inf):
            raise OptionError(f"--max-drop {_shown(self.max_drop)}: expected points of mIoU, 0 or more")
        if self.limit is not None and not is_number(self.limit, 1, whole=True):
            raise OptionError(f"--limit {self.limit}: expected a whole number of 1 or more")
        check_at_once(self.threads, "threads", "leave --threads out to use all cores")
        if not is_number(self.keep_costliest, 0, whole=True):
            raise OptionError(f"--keep-costliest {self.keep_costliest!r}: expected a whole number, 0 or more")
        if self.labels is not None and (self.clip is None) == (self.images is None):
            raise OptionError("--labels needs either --clip or --images")
        if self.labels is None and (self.clip or self.images or self.limit or self.max_drop is not None):
            raise OptionError("--clip, --images, --limit and --max-drop need --labels")


def _shown(number: object) -> str:
    return f"{number:g}" if isinstance(number, float) else repr(number)


@dataclass(frozen=True, slots=True)
class QuantizeChoice:
    """What to make.

    Attributes:
        precisions: of ``hr``, ``lr`` and ``fuse``, as far as the bundle has them.
        activations: integers of int8 graphs; see ``Dialect``.
        recipe: name of the calibration recipe, or its file.
    """

    precisions: dict[Role, Precision]
    activations: str
    recipe: str


def check_used(options: QuantizeOptions, chosen: Mapping[Role, Precision], recipe: Recipe) -> None:
    """Refuse options that nothing would come of: those of int8 where no graph becomes int8, and a folder that the
    recipe reads nothing from.

    Args:
        options: of the user.
        chosen: precisions of the result.
        recipe: of the calibration.

    Raises:
        OptionError: with what to type.
    """
    of_int8 = {"--recipe": options.recipe, "--data": options.data, "--activations": options.activations}
    asked = [f"{option} {value}" for option, value in of_int8.items() if value is not None]
    it, is_not = ("them", "they are not") if len(asked) > 1 else ("it", "it is not")
    if asked and Precision.INT8 not in chosen.values():
        raise OptionError(
            f"{' and '.join(asked)}: no graph becomes int8, so {is_not} used; leave {it} out, or type --hr int8 or "
            "--lr int8"
        )
    if options.data is not None and not recipe.needs_data:
        raise OptionError(
            f"--data {options.data}: recipe {recipe.name} has no {DATA} in it, so nothing would be read from there; "
            "type the --recipe that is meant, or leave --data out"
        )


def choice_from_options(
    manifest: Manifest,
    target: Target | None,
    asked: Mapping[Role, Precision],
    activations: str | None,
    recipe: str | None,
    *,
    bundle: str,
) -> QuantizeChoice:
    """Decide what is not asked for: int8 branches, for ONNX Runtime on x86 or as the target wants them.

    Args:
        manifest: of the float32 bundle.
        target: that the result is for; ``None``: for no target in particular.
        asked: precisions that the user names.
        activations, recipe: likewise; ``None``: not named.
        bundle: its path, for messages.

    Raises:
        OptionError: what is asked for contradicts the target or the bundle: all in one message, with what to type; or
            the target runs no int8, so that there is nothing to quantize.
    """
    roles = manifest.chosen_roles
    faults = [
        f"--{role.value} {precision.value}: {manifest.why_not_chosen(role)}; leave out --{role.value}"
        for role, precision in asked.items()
        if role not in roles
    ]
    if target is None:
        usual = {Role.HR: Precision.INT8, Role.LR: Precision.INT8, Role.FUSE: Precision.FP32}
        chosen = QuantizeChoice(
            {role: asked.get(role, usual[role]) for role in roles},
            Activations.UINT8.value if activations is None else activations,
            USUAL_RECIPE if recipe is None else recipe,
        )
    else:
        chosen, contradictions = _choice_from_target(target, roles, asked, activations, recipe)
        faults += contradictions
        if not faults and not asked and Precision.INT8 not in chosen.precisions.values():
            raise OptionError(
                f"{target.id} runs no int8 (it has {_precision_names(target)}), so there is nothing to quantize; type "
                f"edge-arseg compile {quote(bundle)} --target {target.id}"
            )
    if faults:
        lines = "\n".join(f"  {fault}" for fault in faults)
        raise OptionError(f"{bundle} cannot be quantized like this\n{lines}")
    return chosen


def _choice_from_target(
    target: Target,
    roles: tuple[Role, ...],
    asked: Mapping[Role, Precision],
    activations: str | None,
    recipe: str | None,
) -> tuple[QuantizeChoice, list[str]]:
    """Return the choice for a target, and what of the user's options contradicts it."""
    assert target.precision is not None
    able = target.precision.runnable
    branch = Precision.INT8 if Precision.INT8 in able else target.precision.hr
    usual = {Role.HR: branch, Role.LR: branch, Role.FUSE: target.precision.fuse}
    wanted = target.precision.activations.value
    faults = [
        f"--{role.value} {asked[role].value}: does not run on {target.id} (it has {_precision_names(target)}); leave "
        f"out --{role.value}, or --target for a bundle that is for no target"
        for role in CHOSEN_ROLES
        if role in asked and asked[role] not in able
    ]
    if activations not in (None, wanted):
        faults.append(
            f"--activations {activations}: {target.id} wants {wanted}; leave out --activations, or --target for a "
            "bundle that is for no target"
        )
    precisions = {role: asked.get(role, usual[role]) for role in roles}
    return QuantizeChoice(precisions, wanted, target.precision.recipe if recipe is None else recipe), faults


def _precision_names(target: Target) -> str:
    assert target.precision is not None
    return ", ".join(precision.value for precision in target.precision.choices)
