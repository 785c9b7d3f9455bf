"""``edge-arseg export``."""

from pathlib import Path

import click

from edge_arseg.cli.checkpoint import PATH, checkpoint_options, read_checkpoint
from edge_arseg.cli.options import SIZE, json_option
from edge_arseg.cli.output import gmacs, print_fields, print_json, progress
from edge_arseg.cli.source import SOURCE


@click.command()
@checkpoint_options
@click.option("-o", "--output", type=PATH, help="The bundle to write. [default: NAME-HxW.arseg]")
@click.option("--size", type=SIZE, help="Rows x columns of the frames. [default: the data set's]")
@click.option("--gop", type=int, default=12, show_default=True, help="Frames from keyframe to keyframe, at most.")
@click.option(
    "--flow-block", type=int, default=4, show_default=True, help="Cell of the motion field: 2, 4 or 8 pixels."
)
@click.option(
    "--clip",
    type=SOURCE,
    default="test://street",
    show_default=True,
    help="Source of the frames that check the graphs.",
)
@click.option("--force", is_flag=True, help="Replace a bundle that exists.")
@json_option
def export(
    checkpoint: Path | None,
    hr_file: Path | None,
    ar_file: Path | None,
    lr_scale: float,
    backbone: str | None,
    output: Path | None,
    size: tuple[int, int] | None,
    gop: int,
    flow_block: int,
    clip: str,
    force: bool,
    as_json: bool,
) -> None:
    """Export a CHECKPOINT to a bundle of ONNX graphs, checked against torch.

    CHECKPOINT is a folder in the published layout (HR/ and AR/ inside) or a .safetensors file.
    """
    network, digests = read_checkpoint(checkpoint, hr_file, ar_file, lr_scale, backbone)
    from edge_arseg.compiler.export_settings import ExportSettings
    from edge_arseg.compiler.exporter import bundle_from_network
    from edge_arseg.network.variants import TRAINING_SIZES

    size = size or TRAINING_SIZES.get(network.model.name.partition("-")[0])
    if size is None:
        raise click.UsageError(f"--size HxW is needed: {network.model.name} names no data set with a usual size")
    settings = ExportSettings(*size, lr_scale, gop, flow_block)
    output = output or Path(f"{network.model.name}-{size[0]}x{size[1]}.arseg")
    difference = network.head_difference()
    if difference > 0.0:
        click.echo(
            f"note: the last 1x1 convolution of the HR and of the AR file differ by up to {difference:.3g}; "
            "in a trained pair they are equal. Are both files of the same model?",
            err=True,
        )
    bundle, rows = bundle_from_network(
        network, settings, output, clip=clip, checkpoints=digests, force=force, progress=progress
    )
    worst = min(row.agreement for row in rows)
    cost = bundle.manifest.cost
    if as_json:
        print_json(
            {
                "bundle": str(bundle.path),
                "digest": bundle.digest,
                "worst_agreement": worst,
                "hr_gmacs": cost.hr_macs / 1e9,
                "non_key_gmacs": cost.non_key_macs / 1e9,
                "mean_gmacs": cost.mean_macs(gop) / 1e9,
                "saving": cost.saving(gop),
            }
        )
        return
    print_fields(
        f"{bundle.path}: {network.model.name} {size[0]}x{size[1]}, LR {lr_scale:g}",
        [
            ("GMACs keyframe (HR)", gmacs(cost.hr_macs)),
            ("GMACs between (LR, CReFF, head)", gmacs(cost.non_key_macs)),
            (f"GMACs mean over a GOP of {gop}", f"{gmacs(cost.mean_macs(gop))} (-{cost.saving(gop):.1%})"),
            ("agreement with torch, worst", f"{worst:.4%}"),
        ],
    )
