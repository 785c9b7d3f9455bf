"""A bundle for a target: its graphs in the target's precision, its kernels, and its name."""

from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from shlex import quote

from edge_arseg.compiler.quantize.source import (
    files_without_quantization,
    float32_graphs,
    told_of_rounding,
)
from edge_arseg.compiler.target.precision import quantize_command
from edge_arseg.compiler.writing import NewBundle
from edge_arseg.errors import EnvironmentUnfitError, ExportError
from edge_arseg.installation import host_advice
from edge_arseg.runtime.bundles.gate import MIN_AGREEMENT
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.verification import agreements_of_bundle
from edge_arseg.spec.entries import KernelEntry
from edge_arseg.spec.manifest import GraphEntry, Precision, Role
from edge_arseg.spec.progress import Announce, no_announcement
from edge_arseg.spec.targets.target import Target


def write_target_bundle(
    bundle: Bundle,
    target: Target,
    precisions: Mapping[Role, Precision],
    place: NewBundle,
    *,
    kernels: Mapping[KernelEntry, bytes],
    progress: Announce = no_announcement,
) -> Bundle:
    """Write a bundle whose graphs are what a target wants.

    Args:
        bundle: to start from; it stays as it is.
        target: goes into the manifest.
        precisions: of every graph, from ``precisions_from_target``.
        place: where it is written; that of ``bundle`` itself to put kernels into it.
        kernels: compiled kernels that travel along; they replace those of ``bundle``.
        progress: called with a line when a step begins.

    Raises:
        EnvironmentUnfitError: a graph has to be converted and the host half is not installed.
        ExportError: the converted graphs give the golden frames other classes; nothing is written then.
        OptionError, SinkError: see ``NewBundle.write``.
    """
    manifest = bundle.manifest
    entries, converted = dict(manifest.graphs), needs_conversion(bundle, precisions)
    check_convertible(bundle, precisions, target=target)
    quantization = None if converted else manifest.quantization  # what is converted has no integers any more
    old = {kernel.file for kernel in manifest.kernels}
    kept = files_without_quantization(manifest) if converted else manifest.files
    contents = bundle.contents(name for name in kept if name not in old)
    if converted:
        if not manifest.is_float32:
            progress(_told_of_rounding(bundle, target))
        told = ", ".join(f"{role.value} {precisions[role].value}" for role in manifest.chosen_roles)
        progress(f"converting the graphs: {told}")
        for role, (data, entry) in _converted(bundle, precisions).items():
            contents[entry.file], entries[role] = data, entry
    contents.update({kernel.file: data for kernel, data in kernels.items()})
    own = manifest.golden.min_agreement
    required = MIN_AGREEMENT if own is None else own
    made = replace(
        manifest,
        name=place.name,
        graphs=entries,
        golden=replace(manifest.golden, min_agreement=required) if converted else manifest.golden,
        quantization=quantization,
        target=target.id,
        compiled_from=manifest.compiled_from if place.path == bundle.path else bundle.digest,
        kernels=tuple(kernels),
    )

    def check(written: Bundle) -> None:
        if not converted:
            return
        progress("checking the graphs on the golden frames")
        worst = min(agreements_of_bundle(written), key=lambda row: row.agreement)
        if worst.agreement < required:
            raise ExportError(
                f"{worst.output}: {worst.agreement:.4%} of the pixels get the class that float32 gives them (distance "
                f"{worst.distance}), {required:.0%} expected; nothing was written. Keep graphs in float32: --hr fp32, "
                "--lr fp32 or --fuse fp32"
            )

    return place.write(made, contents, check=check)


def needs_conversion(bundle: Bundle, precisions: Mapping[Role, Precision]) -> bool:
    """Return whether any graph has to be rewritten."""
    return any(entry.precision is not precisions[role] for role, entry in bundle.manifest.graphs.items())


def check_convertible(bundle: Bundle, precisions: Mapping[Role, Precision], *, target: Target) -> None:
    """Refuse graphs that cannot be converted with what is installed here.

    Args:
        bundle: to start from.
        precisions: of every graph.
        target: named in the message.

    Raises:
        EnvironmentUnfitError: graphs have to be converted and the host half is not installed.
    """
    if not needs_conversion(bundle, precisions):
        return
    missing = [name for name in ("onnx", "torch") if find_spec(name) is None]
    if missing:
        held = "float32 graphs" if (whole := bundle.manifest.is_float32) else "graphs in integers"
        raise EnvironmentUnfitError(
            f"this bundle holds {held}, and converting them takes {', '.join(missing)}, not installed here: on "
            f"the host type edge-arseg compile {quote(bundle.folder.name)} --target {target.id} and copy what it "
            f"writes; or {host_advice()}" + ("; or keep float32: --hr fp32 --lr fp32 --fuse fp32" if whole else "")
        )


def _converted(bundle: Bundle, precisions: Mapping[Role, Precision]) -> dict[Role, tuple[bytes, GraphEntry]]:
    """Return the graphs of a bundle in other precisions, with what the manifest says of them."""
    from edge_arseg.compiler.entries import graph_entry
    from edge_arseg.compiler.quantize.precision import PrecisionChoice, graphs_from_choice

    choice = PrecisionChoice({role: precisions[role] for role in bundle.manifest.chosen_roles})
    graphs = graphs_from_choice(float32_graphs(bundle), choice)
    return {
        role: (graph.SerializeToString(), replace(graph_entry(role, graph), precision=choice.stated(role)))
        for role, graph in graphs.items()
    }


def _told_of_rounding(bundle: Bundle, target: Target) -> str:
    """Say what becomes of a quantized bundle, and what to type for int8, where the target runs that."""
    told, entry = told_of_rounding(bundle.manifest), bundle.manifest.quantization
    assert target.precision is not None
    asked_for = entry is not None and entry.activations == target.precision.activations.value
    if asked_for or Precision.INT8 not in target.precision.runnable:
        return told
    return f"{told}; for int8 type {quantize_command(str(bundle.path), target)}"
