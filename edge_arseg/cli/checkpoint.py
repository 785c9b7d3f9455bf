"""Options that name a checkpoint, and reading it; shared by the commands of the host half."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_arseg.errors import EnvironmentUnfitError

if TYPE_CHECKING:
    from edge_arseg.network.network import Network

PATH = click.Path(path_type=Path)


def checkpoint_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``[CHECKPOINT]``, ``--hr``, ``--ar``, ``--lr-scale`` and ``--backbone``."""
    for decorate in reversed(
        (
            click.argument("checkpoint", type=PATH, required=False),
            click.option("--hr", "hr_file", type=PATH, help="Published HR file, with --ar, in place of CHECKPOINT."),
            click.option("--ar", "ar_file", type=PATH, help="Published AR file of the LR branch."),
            click.option("--lr-scale", type=float, default=0.5, show_default=True, help="Size of the LR image."),
            click.option("--backbone", help="Backbone of your own, package.module:function, for a .safetensors file."),
        )
    ):
        command = decorate(command)
    return command


def read_checkpoint(
    checkpoint: Path | None, hr_file: Path | None, ar_file: Path | None, lr_scale: float, backbone: str | None
) -> "tuple[Network, dict[str, str]]":
    """Read the network that the options name; return it with the digests of its files by name.

    Raises:
        click.UsageError: the options do not name one checkpoint.
        CheckpointError: see ``network_from_checkpoint``.
        EnvironmentUnfitError: the host half is not installed.
    """
    named = (hr_file is not None) + (ar_file is not None)
    if named == 1 or (named == 2) == (checkpoint is not None):
        raise click.UsageError("name one checkpoint: a folder or .safetensors file, or both --hr FILE and --ar FILE")
    require_host()
    from edge_arseg.network.checkpoint.importer import network_from_checkpoint, network_from_files
    from edge_arseg.runtime.bundle import sha256_of

    if hr_file is not None and ar_file is not None:
        return network_from_files(hr_file, ar_file), {f.name: sha256_of(f) for f in (hr_file, ar_file)}
    assert checkpoint is not None
    if backbone is not None and checkpoint.suffix != ".safetensors":
        raise click.UsageError("--backbone goes with a .safetensors file; published files say which they need")
    network = network_from_checkpoint(checkpoint, lr_scale=lr_scale, backbone=backbone)
    files = [checkpoint] if checkpoint.is_file() else sorted(checkpoint.glob("[HA]R/*"))
    return network, {file.name: sha256_of(file) for file in files if file.is_file()}


def require_host() -> None:
    """Refuse where the host half's libraries are missing.

    Raises:
        EnvironmentUnfitError: names what is missing and how to install it.
    """
    from importlib.util import find_spec

    missing = [name for name in ("torch", "onnx", "onnxscript", "safetensors") if find_spec(name) is None]
    if missing:
        raise EnvironmentUnfitError(
            f"this command belongs to the host half and needs {', '.join(missing)}, not installed here; "
            "on the host: pip install 'edge-arseg[host]'"
        )
