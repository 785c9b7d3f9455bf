"""``edge-arseg export``."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from edge_arseg.cli.host.checkpoint import PATH, checkpoint_options, read_checkpoint
from edge_arseg.cli.options import SIZE, json_option
from edge_arseg.cli.output import gmacs, note, print_fields, print_json, progress
from edge_arseg.cli.source import SOURCE
from edge_arseg.spec.geometry.placement import FitKind

if TYPE_CHECKING:
    from edge_arseg.spec.model import Cost


@click.command()
@checkpoint_options
@click.option("-o", "--output", type=PATH, help="Folder of the bundle to write. [default: NAME-HxW.arseg]")
@click.option("--size", type=SIZE, help="Rows x columns of the frames, in pixels. [default: the data set's]")
@click.option(
    "--gop", type=int, default=12, show_default=True, help="Longest distance from keyframe to keyframe, in frames."
)
@click.option(
    "--flow-block", type=int, default=4, show_default=True, help="Edge of a cell of the motion field, 2, 4 or 8 pixels."
)
@click.option(
    "--fit",
    type=click.Choice([kind.value for kind in FitKind]),
    default=FitKind.LETTERBOX.value,
    show_default=True,
    help="Way in which pictures of another shape enter the network where `run --fit` is not given.",
)
@click.option(
    "--clip",
    type=SOURCE,
    default="test://street",
    show_default=True,
    help="Source of the golden frames, on which the graphs are compared with torch.",
)
@click.option(
    "--hr-only",
    is_flag=True,
    help="Bundle of the HR branch alone, for a checkpoint whose LR branch was not trained. [default: off]",
)
@click.option("--force", is_flag=True, help="Permission to replace a bundle that is there. [default: refused]")
@json_option
def export(
    checkpoint: Path | None,
    hr_file: Path | None,
    ar_file: Path | None,
    lr_scale: float | None,
    backbone: str | None,
    output: Path | None,
    size: tuple[int, int] | None,
    gop: int,
    flow_block: int,
    fit: str,
    clip: str,
    hr_only: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Export a CHECKPOINT to a bundle of checked ONNX graphs.

    Every graph is compared with torch.

    CHECKPOINT is the folder of a run of `train` (its best weights are taken), a .safetensors file, or a folder in the
    published layout (HR/ and AR/ inside).
    """
    read = read_checkpoint(checkpoint, hr_file, ar_file, lr_scale, backbone)
    from edge_arseg.compiler.export.export import bundle_from_checkpoint
    from edge_arseg.compiler.export.golden import doubts_of_golden

    for doubt in () if hr_only else read.doubts():
        note(f"note: {doubt}")
    bundle, rows = bundle_from_checkpoint(
        read,
        output,
        size=size,
        gop=gop,
        flow_block=flow_block,
        fit=FitKind(fit),
        clip=clip,
        hr_only=hr_only,
        force=force,
        progress=progress,
    )
    manifest = bundle.manifest
    classes = [one.name for one in manifest.model.classes]
    for doubt in doubts_of_golden(bundle.golden_frames(), gop, classes):
        note(f"note: {doubt}")
    worst = min(row.agreement for row in rows)
    cost = manifest.cost
    between = None if hr_only else cost
    if as_json:
        print_json(
            {
                "bundle": str(bundle.path),
                "digest": bundle.digest,
                "worst_agreement": worst,
                "hr_gmacs": cost.hr_macs / 1e9,
                "branches": [branch.value for branch in manifest.branches],
                "non_key_gmacs": between and between.non_key_macs / 1e9,
                "mean_gmacs": between and between.mean_macs(gop) / 1e9,
                "saving": between and between.saving(gop),
            }
        )
        return
    print_fields(
        f"{bundle.path}: {manifest.model.name} {manifest.height}x{manifest.width}, "
        + ("HR branch alone" if hr_only else f"LR {manifest.lr_scale:g}"),
        [
            ("GMACs a frame" if hr_only else "GMACs keyframe (HR)", gmacs(cost.hr_macs)),
            *([] if between is None else _between(between, gop)),
            ("agreement with torch, worst", f"{worst:.4%}"),
        ],
    )
    click.echo(f"next: edge-arseg verify {quote(str(bundle.path))}")


def _between(cost: "Cost", gop: int) -> list[tuple[str, object]]:
    return [
        ("GMACs between (LR, CReFF, head)", gmacs(cost.non_key_macs)),
        (f"GMACs mean over a GOP of {gop}", f"{gmacs(cost.mean_macs(gop))} ({-cost.saving(gop):+.1%})"),
    ]
