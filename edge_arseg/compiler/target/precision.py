"""Which precision each graph of a bundle gets for a target."""

from collections.abc import Mapping
from pathlib import Path
from shlex import quote

from edge_arseg.errors import OptionError
from edge_arseg.runtime.bundles.reading import SUFFIX
from edge_arseg.runtime.bundles.zoo import INT8, bundle_of_digest, typed_name
from edge_arseg.spec.manifest import INTEGERS, Manifest, Precision, Role
from edge_arseg.spec.targets.target import Target


def precisions_from_target(
    manifest: Manifest, target: Target, asked: Mapping[Role, Precision], *, bundle: str
) -> dict[Role, Precision]:
    """Decide the precision of every graph.

    A float32 bundle gets what was asked for, else what the target says. A bundle that was quantized, or compiled for
    this target before, keeps what it has: that was chosen. But where the target does not run its integers, or all of
    them are asked for in float, its quantization is taken off if it can be, and it counts as float32.

    Args:
        manifest: of the bundle.
        target: that it is compiled for.
        asked: by the user.
        bundle: its path, for messages.

    Raises:
        OptionError: a precision that the target does not have, or that the graph cannot be given here: all in one
            message, with what to type.
    """
    assert target.precision is not None
    roles = manifest.chosen_roles
    made = {role: entry.precision for role, entry in manifest.graphs.items()}
    fresh = manifest.is_float32 or _loses_integers(manifest, target, asked)
    faults = [
        f"{role.value}: {manifest.why_not_chosen(role)}; leave out --{role.value}"
        for role in asked
        if role not in roles
    ]
    if fresh:
        usual = {Role.HR: target.precision.hr, Role.LR: target.precision.lr, Role.FUSE: target.precision.fuse}
        if manifest.target != target.id:  # else float32 is what was chosen for it
            made.update({role: usual[role] for role in roles})
        made.update({role: precision for role, precision in asked.items() if role in roles})
        follower = Precision.FP16 if made.get(Role.FUSE) is Precision.FP16 else Precision.FP32
        made.update({role: follower for role in manifest.graphs if role not in roles})
    for role in roles:
        wanted = asked.get(role, made[role])
        if wanted not in target.precision.runnable:
            able = ", ".join(choice.value for choice in target.precision.choices)
            way = f"leave out --{role.value}" if role in asked else "compile the float32 bundle that it was made of"
            faults.append(f"{role.value}: {wanted.value} does not run on {target.name} (it has {able}); {way}")
        elif fresh and wanted in INTEGERS:
            source = bundle if manifest.compiled_from is None else _float32_source(bundle, manifest.compiled_from)
            faults.append(
                f"{role.value}: int8 needs ranges measured on clips; type first: {quantize_command(source, target)}"
            )
        elif wanted is not made[role]:
            faults.append(
                f"{role.value}: {made[role].value} in this bundle, {wanted.value} asked for; {_way_to_float(manifest)}"
            )
    quantized = manifest.quantization
    integers = [role for role in roles if made[role] in INTEGERS]
    if quantized and integers and not fresh and quantized.activations != target.precision.activations.value:
        faults.append(
            f"{', '.join(role.value for role in integers)}: quantized with {quantized.activations} activations, "
            f"{target.name} wants {target.precision.activations.value}; quantize the float32 bundle for it: "
            f"{quantize_command(_float32_source(bundle, quantized.source), target)}"
        )
    if faults:
        lines = "\n".join(f"  {fault}" for fault in faults)
        raise OptionError(f"{bundle} cannot be compiled for {target.id} like this\n{lines}")
    return made


def _loses_integers(manifest: Manifest, target: Target, asked: Mapping[Role, Precision]) -> bool:
    """Whether a bundle's quantization is taken off."""
    if manifest.rounded_bits is None:
        return False
    assert target.precision is not None
    assert manifest.quantization is not None
    integers = manifest.integer_roles
    suited = manifest.quantization.activations == target.precision.activations.value and all(
        manifest.graphs[role].precision in target.precision.runnable for role in integers
    )
    return not suited or all(asked.get(role, Precision.INT8) not in INTEGERS for role in integers)


def _way_to_float(manifest: Manifest) -> str:
    """Return how a graph that is in integers is had in float."""
    if manifest.rounded_bits is None:
        return "compile the float32 bundle that it was made of"
    return f"for all in float type {' '.join(f'--{role.value} fp32' for role in manifest.integer_roles)}"


def quantize_command(bundle: str, target: Target) -> str:
    """Return what to type to quantize a bundle for a target; the result goes into the folder one is in."""
    path = Path(bundle)
    output = f"{path.name.removesuffix(SUFFIX).removesuffix(INT8)}{INT8}-{target.id}{SUFFIX}"
    return f"edge-arseg quantize {quote(typed_name(path))} --target {target.id} -o {quote(output)}"


def _float32_source(bundle: str, digest: str) -> str:
    """Return the path of the float32 bundle with this digest if it lies beside a quantized one, else a stand-in."""
    return str(bundle_of_digest(digest, [Path(bundle).parent]) or f"FLOAT32{SUFFIX}")
