"""``edge-arseg inspect``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_arseg.cli.options import BUNDLE, json_option
from edge_arseg.cli.output import gmacs, megabytes, print_fields, print_json, print_table
from edge_arseg.quantity import counted

if TYPE_CHECKING:
    from edge_arseg.runtime.bundles.reading import Bundle
    from edge_arseg.runtime.bundles.summary import QuantizationSummary
    from edge_arseg.spec.engine_key import PlanRecord
    from edge_arseg.spec.manifest import Manifest

    _Records = list[tuple[Path, PlanRecord]]


@click.command()
@click.argument("bundle", type=BUNDLE)
@json_option
def inspect(bundle: Path, as_json: bool) -> None:
    """Show what a BUNDLE holds: model, graphs, cost and origin.

    Quantization, kernels and engines too, where it has them.
    """
    from edge_arseg.runtime.bundles.plans import records_from_bundle
    from edge_arseg.runtime.bundles.reading import read_bundle
    from edge_arseg.runtime.bundles.summary import summary_from_bundle

    read = read_bundle(bundle)
    summary, records = summary_from_bundle(read), records_from_bundle(read)
    if as_json:
        print_json(_json(read, summary, records))
        return
    _print_fields(read, summary)
    _print_graphs(read.manifest)
    _print_kernels(read.manifest)
    _print_engines(records)


def _json(bundle: "Bundle", summary: "QuantizationSummary | None", records: "_Records") -> dict[str, Any]:
    """The manifest, what its quantization came to, and the engines, which are no part of it."""
    from dataclasses import asdict

    from edge_arseg.runtime.bundles.plans import plan_fault
    from edge_arseg.spec.engine_key import json_from_record
    from edge_arseg.spec.manifest import json_from_manifest

    engines = []
    for folder, record in records:
        faults = {role.value: fault for role in record.plans if (fault := plan_fault(folder, record, role))}
        engines.append({"folder": str(folder), "faults": faults, **json.loads(json_from_record(record))})
    return {
        "path": str(bundle.path),
        "digest": bundle.digest,
        **json.loads(json_from_manifest(bundle.manifest)),
        "quantization_summary": None if summary is None else asdict(summary),
        "engines": engines,
    }


def _print_fields(bundle: "Bundle", summary: "QuantizationSummary | None") -> None:
    from edge_arseg.runtime.bundles.gate import gate_text

    manifest = bundle.manifest
    fields: list[tuple[str, object]] = [
        ("model", f"{manifest.model.name} ({manifest.model.backbone}, {len(manifest.model.classes)} classes)"),
        *_branch_fields(manifest),
        ("gate", gate_text(manifest)),
        ("golden frames", f"{len(manifest.golden.distances)} of {manifest.golden.source}"),
        ("size", megabytes(sum(entry.bytes for entry in manifest.files.values()))),
        ("digest", bundle.digest[:16]),
        *((name, digest[:16]) for name, digest in manifest.provenance.checkpoints.items()),
        ("made with", ", ".join(f"{k} {v}" for k, v in manifest.provenance.versions.items())),
    ]
    if manifest.target is not None:
        fields.append(("target", manifest.target))
    if manifest.compiled_from is not None:
        fields.append(("compiled from", manifest.compiled_from[:16]))
    if summary is not None:
        fields += _quantization_fields(summary)
    print_fields(str(bundle.path), fields)


def _branch_fields(manifest: "Manifest") -> list[tuple[str, object]]:
    """The sizes and the cost of the branches that are there."""
    cost, gop = manifest.cost, manifest.gop
    if manifest.hr_only:
        return [
            ("branches", "HR alone: the LR branch is not here; run, bench and eval use mode hr"),
            ("frame", f"{manifest.height}x{manifest.width}"),
            ("GMACs a frame", f"{gmacs(cost.hr_macs)} (x2 for GFLOPs)"),
        ]
    return [
        ("frame, LR image", f"{manifest.height}x{manifest.width}, {manifest.lr_height}x{manifest.lr_width}"),
        ("GOP, motion cell", f"{counted(gop, 'frame')}, {manifest.flow_block} px"),
        ("attention", f"in a window of {manifest.model.window}x{manifest.model.window}"),
        ("GMACs keyframe, between", f"{gmacs(cost.hr_macs)}, {gmacs(cost.non_key_macs)}"),
        ("GMACs mean over a GOP", f"{gmacs(cost.mean_macs(gop))} ({-cost.saving(gop):+.1%}; x2 for GFLOPs)"),
    ]


def _quantization_fields(summary: "QuantizationSummary") -> list[tuple[str, object]]:
    fields: list[tuple[str, object]] = [("quantized from", summary.source[:16])]
    if summary.recipe is not None:
        told = (
            f"recipe {summary.recipe}, {summary.method}, {counted(summary.frames, 'frame')}; "
            f"{summary.activations} activations"
        )
        told += f", {summary.weight_bits}-bit weights"
        fields.append(("calibration", told))
    budget = "" if summary.max_drop is None else f"; {summary.max_drop:g} allowed per branch"
    if summary.drop:
        drops = ", ".join(f"{mode} {drop:.2f}" for mode, drop in summary.drop.items())
        fields.append(("mIoU below float32", f"{drops} points, on {summary.scored_on}{budget}"))
    else:
        fields.append(("mIoU below float32", "not measured"))
    for role, kept in summary.in_float.items():
        names = f": {', '.join(kept)}" if kept else ""
        fields.append((f"{role} layers in float", f"{len(kept)} of {summary.ranked[role]}{names}"))
    return fields


def _print_graphs(manifest: "Manifest") -> None:
    rows: list[tuple[str, ...]] = []
    for role, entry in manifest.graphs.items():
        size = megabytes(manifest.files[entry.file].bytes)
        first: tuple[str, ...] = (role.value, entry.precision.value, size)
        for way, specs in (("in ", entry.inputs), ("out", entry.outputs)):
            for name, spec in specs.items():
                rows.append((*first, f"{way} {name}", str(spec)))
                first = ("", "", "")
    click.echo()
    print_table("graphs", ["role", "precision", "size", "tensor", "type"], rows, left=True)


def _print_kernels(manifest: "Manifest") -> None:
    from edge_arseg.runtime.kernels.cuda.image import source_digest

    if not manifest.kernels:
        return
    rows = [
        (
            kernel.file,
            f"sm_{kernel.sm}",
            megabytes(manifest.files[kernel.file].bytes),
            kernel.compiler,
            "as installed" if kernel.source == source_digest() else f"another version ({kernel.source[:16]})",
        )
        for kernel in manifest.kernels
    ]
    click.echo()
    print_table("kernels", ["file", "GPU", "size", "compiler", "source"], rows)


def _print_engines(records: "_Records") -> None:
    from edge_arseg.runtime.bundles.plans import plan_fault

    for folder, record in records:
        key = record.key
        plans = {role: plan_fault(folder, record, role) or "as built" for role in record.plans}
        click.echo()
        print_fields(
            "engines",
            [
                ("folder", folder),
                ("library", f"{key.library} {key.version}"),
                ("GPU", f"{key.device}, sm_{''.join(map(str, key.compute_capability))}, {key.sm_count} SMs"),
                ("flags", ", ".join(key.flags) or "none"),
                ("built", record.built),
                *((f"{role.value}.plan", f"{megabytes(record.plans[role].bytes)}, {plans[role]}") for role in plans),
            ],
        )
