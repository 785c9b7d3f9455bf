"""Options that name a checkpoint, and reading it; shared by the commands of the host half."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_arseg.errors import EnvironmentUnfitError
from edge_arseg.installation import host_advice

if TYPE_CHECKING:
    from edge_arseg.compiler.export.checkpoint import Checkpoint

PATH = click.Path(path_type=Path)


def checkpoint_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``[CHECKPOINT]``, ``--hr``, ``--ar``, ``--lr-scale`` and ``--backbone``."""
    for decorate in reversed(
        (
            click.argument("checkpoint", type=PATH, required=False),
            click.option(
                "--hr",
                "hr_file",
                type=PATH,
                help="Published file of the HR branch, with --ar, in place of CHECKPOINT. [default: none]",
            ),
            click.option(
                "--ar",
                "ar_file",
                type=PATH,
                help="Published file of the LR branch and the fusion, with --hr. [default: none]",
            ),
            click.option(
                "--lr-scale",
                type=float,
                help="Size of the LR image as a share of the frame's, 0 to 1. [default: what the run was trained "
                "with, else 0.5]",
            ),
            click.option(
                "--backbone",
                help="Backbone, package.module:function for your own, of a .safetensors file. [default: named in it]",
            ),
        )
    ):
        command = decorate(command)
    return command


def read_checkpoint(
    checkpoint: Path | None, hr_file: Path | None, ar_file: Path | None, lr_scale: float | None, backbone: str | None
) -> "Checkpoint":
    """Read the network that the options name.

    Raises:
        click.UsageError: the options do not name one checkpoint.
        OptionError, CheckpointError: see ``checkpoint_from_path``.
        EnvironmentUnfitError: the host half is not installed.
    """
    named = (hr_file is not None) + (ar_file is not None)
    if named == 1 or (named == 2) == (checkpoint is not None):
        raise click.UsageError("name one checkpoint: a folder or .safetensors file, or both --hr FILE and --ar FILE")
    require_host()
    from edge_arseg.compiler.export.checkpoint import checkpoint_from_files, checkpoint_from_path

    if hr_file is not None and ar_file is not None:
        return checkpoint_from_files(hr_file, ar_file, lr_scale)
    assert checkpoint is not None
    return checkpoint_from_path(checkpoint, lr_scale, backbone=backbone)


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
            f"on the host type: {host_advice()}"
        )
