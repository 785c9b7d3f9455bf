"""``edge-arseg inspect``."""

import json
from pathlib import Path

import click

from edge_arseg.cli.options import json_option
from edge_arseg.cli.output import gmacs, megabytes, print_fields, print_json, print_table


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@json_option
def inspect(bundle: Path, as_json: bool) -> None:
    """Show what a BUNDLE holds: model, graphs, cost, where it came from."""
    from edge_arseg.runtime.bundle import read_bundle
    from edge_arseg.spec.manifest import json_from_manifest

    read = read_bundle(bundle)
    manifest = read.manifest
    if as_json:
        print_json({"path": str(bundle), "digest": read.digest, **json.loads(json_from_manifest(manifest))})
        return
    cost, gop = manifest.cost, manifest.gop
    print_fields(
        str(bundle),
        [
            ("model", f"{manifest.model.name} ({manifest.model.backbone}, {len(manifest.model.classes)} classes)"),
            ("frame, LR image", f"{manifest.height}x{manifest.width}, {manifest.lr_height}x{manifest.lr_width}"),
            ("GOP, motion cell", f"{gop} frames, {manifest.flow_block} px"),
            ("GMACs keyframe, between", f"{gmacs(cost.hr_macs)}, {gmacs(cost.non_key_macs)}"),
            ("GMACs mean over a GOP", f"{gmacs(cost.mean_macs(gop))} (-{cost.saving(gop):.1%}; x2 for GFLOPs)"),
            ("golden frames", f"{len(manifest.golden.distances)} of {manifest.golden.source}"),
            ("size", megabytes(sum(entry.bytes for entry in manifest.files.values()))),
            ("digest", read.digest[:16]),
            *((name, digest[:16]) for name, digest in manifest.provenance.checkpoints.items()),
            ("made with", ", ".join(f"{k} {v}" for k, v in manifest.provenance.versions.items())),
        ],
    )
    click.echo()
    rows: list[tuple[str, ...]] = []
    for role, entry in manifest.graphs.items():
        size = megabytes(manifest.files[entry.file].bytes)
        flow = [f"{name} {spec}" for name, spec in entry.inputs.items()]
        made = [f"{name} {spec}" for name, spec in entry.outputs.items()]
        for i in range(max(len(flow), len(made))):
            first = (role.value, entry.precision.value, size) if i == 0 else ("", "", "")
            rows.append((*first, flow[i] if i < len(flow) else "", made[i] if i < len(made) else ""))
    print_table("graphs", ["role", "precision", "size", "inputs", "outputs"], rows)
