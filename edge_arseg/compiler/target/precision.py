"""Which precision each graph of a bundle gets for a target."""

from collections.abc import Mapping
from pathlib import Path
from shlex import quote

from edge_arseg.errors import OptionError
from edge_arseg.runtime.bundles.reading import MANIFEST, SUFFIX, sha256_of
from edge_arseg.spec.manifest import Manifest, Precision, Role
from edge_arseg.spec.targets.target import Target


def precisions_from_target(
    manifest: Manifest, target: Target, asked: Mapping[Role, Precision], *, bundle: str
) -> dict[Role, Precision]:
    """Decide the precision of every graph.

    A float32 bundle gets what was asked for, else what the target says. A bundle that was quantized, or compiled for
    this target before, keeps what it has: that was chosen.

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
    fresh = is_float32(manifest)
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
        elif fresh and wanted in (Precision.INT8, Precision.MIXED):
            source = bundle if manifest.compiled_from is None else _float32_source(bundle, manifest.compiled_from)
            faults.append(
                f"{role.value}: int8 needs ranges measured on clips; type first: {quantize_command(source, target)}"
            )
        elif wanted is not made[role]:
            faults.append(
                f"{role.value}: {made[role].value} in this bundle, {wanted.value} asked for; compile the float32 "
                "bundle that it was made of"
            )
    quantized = manifest.quantization
    integers = [role.value for role in roles if made[role] in (Precision.INT8, Precision.MIXED)]
    if quantized and integers and quantized.activations != target.precision.activations.value:
        faults.append(
            f"{', '.join(integers)}: quantized with {quantized.activations} activations, {target.name} wants "
            f"{target.precision.activations.value}; quantize the float32 bundle for it: "
            f"{quantize_command(_float32_source(bundle, quantized.source), target)}"
        )
    if faults:
        lines = "\n".join(f"  {fault}" for fault in faults)
        raise OptionError(f"{bundle} cannot be compiled for {target.id} like this\n{lines}")
    return made


def is_float32(manifest: Manifest) -> bool:
    """Return whether a bundle is as it was exported: float32 throughout."""
    return all(entry.precision is Precision.FP32 for entry in manifest.graphs.values())


def quantize_command(bundle: str, target: Target) -> str:
    """Return what to type to quantize a float32 bundle for a target; the result goes into the folder one is in."""
    output = f"{Path(bundle).name.removesuffix(SUFFIX)}-int8-{target.id}{SUFFIX}"
    return f"edge-arseg quantize {quote(bundle)} --target {target.id} -o {quote(output)}"


def _float32_source(bundle: str, digest: str) -> str:
    """Return the path of the float32 bundle with this digest if it lies beside a quantized one, else a stand-in."""
    for file in sorted(Path(bundle).parent.glob(f"*{SUFFIX}/{MANIFEST}")):
        if sha256_of(file) == digest:
            return str(file.parent)
    return f"FLOAT32{SUFFIX}"
