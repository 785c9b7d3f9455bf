"""What the runtime takes for granted of the graphs that a manifest describes: names, and shapes of frames and maps."""

from collections.abc import Iterable

from edge_arseg.errors import BundleError
from edge_arseg.spec import tensor as names
from edge_arseg.spec.manifest import Manifest, Role
from edge_arseg.spec.tensor import TensorSpec

_INPUTS = {
    Role.HR: (names.FRAME,),
    Role.LR: (names.FRAME,),
    Role.FUSE: (names.KEY_FEATURE, names.FLOW, names.LR_FEATURE),
    Role.HEAD: (names.FUSED_FEATURE,),
    Role.LR_HEAD: (names.LR_FEATURE,),
}
_OUTPUTS = {
    Role.HR: (names.FEATURE, names.CLASS_MAP),
    Role.LR: (names.LR_FEATURE,),
    Role.FUSE: (names.FUSED_FEATURE, names.CLASS_MAP),
    Role.HEAD: (names.CLASS_MAP,),
    Role.LR_HEAD: (names.CLASS_MAP,),
}


def check_graphs(manifest: Manifest, roles: Iterable[Role], *, where: str) -> None:
    """Check what the manifest says of the graphs of ``roles``; further outputs are left alone.

    Args:
        manifest: of the bundle.
        roles: of the graphs that are going to be used.
        where: the bundle, for the message.

    Raises:
        BundleError: a graph, an input or an output is missing, or has another shape: all of them in one message.
    """
    faults = [fault for role in roles for fault in _faults(manifest, role)]
    if faults:
        lines = "\n".join(f"  {fault}" for fault in faults)
        raise BundleError(
            f"{where}: its manifest describes graphs that cannot be run\n{lines}\nExport the bundle again"
        )


def _faults(manifest: Manifest, role: Role) -> list[str]:
    entry = manifest.graphs.get(role)
    if entry is None:
        return [f"{role.value}: there is no such graph"]
    size = (manifest.height, manifest.width)
    faults = []
    for kind, wanted, seen in (("input", _INPUTS[role], entry.inputs), ("output", _OUTPUTS[role], entry.outputs)):
        for name in wanted:
            if name not in seen:
                faults.append(f"{role.value}: no {kind} {name!r} (seen: {', '.join(seen) or 'none'})")
            elif fault := _misshapen(name, seen[name], size, manifest.flow_block):
                faults.append(f"{role.value}: {kind} {name!r} is {seen[name]}, expected {fault}")
    return faults


def _misshapen(name: str, spec: TensorSpec, size: tuple[int, int], block: int) -> str:
    """Return what was expected, or nothing where it is so."""
    if name == names.FRAME:
        wanted = TensorSpec("uint8", (*size, 3))
        return "" if spec == wanted else str(wanted)
    if name == names.CLASS_MAP:
        wanted = TensorSpec("uint8", size)
        return "" if spec == wanted else str(wanted)
    if name == names.FLOW:
        wanted = TensorSpec("float32", (-(-size[0] // block), -(-size[1] // block), 2))
        return "" if spec == wanted else f"{wanted} for cells of {block} pixels"
    good = len(spec.shape) == 4 and spec.shape[0] == 1 and min(spec.shape) > 0
    return "" if good else "[1, channels, rows, columns]"
