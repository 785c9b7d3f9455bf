"""``edge-arseg convert``."""

from pathlib import Path

import click

from edge_arseg.cli.host.checkpoint import PATH, checkpoint_options, read_checkpoint
from edge_arseg.cli.output import megabytes
from edge_arseg.storage.files import check_output


@click.command()
@checkpoint_options
@click.option("-o", "--output", type=PATH, required=True, help="File to write, NAME.safetensors.")
@click.option("--force", is_flag=True, help="Permission to replace a file that is there. [default: refused]")
def convert(
    checkpoint: Path | None,
    hr_file: Path | None,
    ar_file: Path | None,
    lr_scale: float | None,
    backbone: str | None,
    output: Path,
    force: bool,
) -> None:
    """Convert a published CHECKPOINT to one .safetensors file."""
    if output.suffix != ".safetensors":
        raise click.UsageError(f"{output}: expected a name that ends in .safetensors")
    check_output(
        output,
        force=force,
        inputs=[file for file in (checkpoint, hr_file, ar_file) if file is not None and file.is_file()],
    )
    network = read_checkpoint(checkpoint, hr_file, ar_file, lr_scale, backbone).network
    from edge_arseg.network.checkpoint.safetensors_file import safetensors_from_network

    safetensors_from_network(network, output)
    click.echo(f"{output}: {network.model.name}, {megabytes(output.stat().st_size)}")
