"""``edge-arseg convert``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_arseg.cli.host.checkpoint import PATH, checkpoint_options, read_checkpoint, require_host
from edge_arseg.cli.output import megabytes
from edge_arseg.errors import OptionError
from edge_arseg.storage.files.output import check_output

if TYPE_CHECKING:
    from edge_arseg.network.network import Network


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
    require_host()
    from edge_arseg.compiler.export.checkpoint import files_of_checkpoint

    read = [
        file for named in (checkpoint, hr_file, ar_file) if named is not None for file in files_of_checkpoint(named)
    ]
    check_output(output, force=force, inputs=read)
    if output.is_dir():
        raise click.UsageError(f"{output}: a folder seen, expected the name of a file")
    network = read_checkpoint(checkpoint, hr_file, ar_file, lr_scale, backbone).network
    if lr_scale is not None:
        network.lr_scale = _lacking(network, lr_scale)
    from edge_arseg.network.checkpoint.safetensors_file import safetensors_from_network

    safetensors_from_network(network, output)
    click.echo(f"{output}: {network.model.name}, {megabytes(output.stat().st_size)}")


def _lacking(network: "Network", lr_scale: float) -> float:
    """Return the LR scale to write where a checkpoint says none.

    Raises:
        OptionError: it says another one, or its LR branch was never trained: what is written would not be true.
    """
    from edge_arseg.spec.frame import Branch

    if Branch.LR not in network.trained:
        raise OptionError(f"--lr-scale {lr_scale:g}: the LR branch of this checkpoint was never trained; leave it out")
    if network.lr_scale not in (None, lr_scale):
        raise OptionError(
            f"--lr-scale {lr_scale:g}: the LR branch of this checkpoint was trained at {network.lr_scale:g}; leave it "
            "out. To run it at another scale type `edge-arseg export --lr-scale`"
        )
    return lr_scale
