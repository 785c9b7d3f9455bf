"""Options that name a checkpoint, and reading it; shared by the commands of the host half."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_arseg.errors import EnvironmentUnfitError

if TYPE_CHECKING:
    from edge_arseg.network.network import Network

PATH = click.Path(path_type=Path)
USUAL_LR_SCALE = 0.5


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What was read.

    Attributes:
        network: in ``eval`` mode.
        digests: SHA-256 of its files by name.
        lr_scale: asked for, or that of the run.
    """

    network: "Network"
    digests: dict[str, str]
    lr_scale: float


def checkpoint_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``[CHECKPOINT]``, ``--hr``, ``--ar``, ``--lr-scale`` and ``--backbone``."""
    for decorate in reversed(
        (
            click.argument("checkpoint", type=PATH, required=False),
            click.option("--hr", "hr_file", type=PATH, help="Published HR file, with --ar, in place of CHECKPOINT."),
            click.option("--ar", "ar_file", type=PATH, help="Published AR file of the LR branch."),
            click.option(
                "--lr-scale",
                type=float,
                help="Size of the LR image over that of the frame. [default: what the run was trained with, else 0.5]",
            ),
            click.option("--backbone", help="Backbone of your own, package.module:function, for a .safetensors file."),
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
        CheckpointError: see ``network_from_checkpoint``.
        EnvironmentUnfitError: the host half is not installed.
    """
    named = (hr_file is not None) + (ar_file is not None)
    if named == 1 or (named == 2) == (checkpoint is not None):
        raise click.UsageError("name one checkpoint: a folder or .safetensors file, or both --hr FILE and --ar FILE")
    require_host()
    from edge_arseg.network.checkpoint.importer import network_from_checkpoint, network_from_files, weights_file
    from edge_arseg.runtime.bundles.reading import sha256_of

    if hr_file is not None and ar_file is not None:
        digests = {f.name: sha256_of(f) for f in (hr_file, ar_file)}
        scale = USUAL_LR_SCALE if lr_scale is None else lr_scale
        return Checkpoint(network_from_files(hr_file, ar_file), digests, scale)
    assert checkpoint is not None
    if lr_scale is None:
        lr_scale = _trained_lr_scale(checkpoint) or USUAL_LR_SCALE
    file = weights_file(checkpoint)
    if backbone is not None and file.suffix != ".safetensors":
        raise click.UsageError("--backbone goes with a .safetensors file; published files say which they need")
    network = network_from_checkpoint(file, lr_scale=lr_scale, backbone=backbone)
    files = [file] if file.is_file() else sorted(file.glob("[HA]R/*"))
    return Checkpoint(network, {file.name: sha256_of(file) for file in files if file.is_file()}, lr_scale)


def _trained_lr_scale(folder: Path) -> float | None:
    """Return the LR scale in the settings of a training run, where ``folder`` is one of the LR branch."""
    try:
        found = json.loads((folder / "settings.json").read_text())["lr_scale"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return float(found) if isinstance(found, (int, float)) else None


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
