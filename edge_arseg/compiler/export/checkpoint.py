"""A checkpoint as it is exported: its network, and what its files say beside the weights."""

import json
from dataclasses import dataclass
from pathlib import Path

from edge_arseg.errors import OptionError
from edge_arseg.network.checkpoint.importer import network_from_checkpoint, network_from_files, weights_file
from edge_arseg.network.checkpoint.safetensors_file import BEST
from edge_arseg.network.network import Network
from edge_arseg.runtime.bundles.reading import sha256_of
from edge_arseg.spec.frame import Branch

USUAL_LR_SCALE = 0.5


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What was read.

    Attributes:
        network: in ``eval`` mode.
        digests: SHA-256 of its files by name.
        lr_scale: asked for, or that of the run.
    """

    network: Network
    digests: dict[str, str]
    lr_scale: float

    def doubt(self) -> str | None:
        """Return what makes one doubt that both branches are of one model; ``None`` where nothing does."""
        difference = self.network.head_difference()
        if difference == 0.0 or Branch.LR not in self.network.trained:
            return None
        return (
            f"the last 1x1 convolution of the HR and of the AR file differ by up to {difference:.3g}; "
            "in a trained pair they are equal. Are both files of the same model?"
        )


def checkpoint_from_path(path: Path | str, lr_scale: float | None = None, *, backbone: str | None = None) -> Checkpoint:
    """Read the folder of a training run, a ``.safetensors`` file, or a folder in the published layout.

    Args:
        path: to read.
        lr_scale: size of the LR image over that of the frame; ``None``: the run's, else 0.5.
        backbone: ``package.module:function``, for a ``.safetensors`` file of a backbone of one's own.

    Raises:
        OptionError: ``backbone`` is given for other files.
        CheckpointError: see ``network_from_checkpoint``.
    """
    path = Path(path)
    if lr_scale is None:
        lr_scale = _trained_lr_scale(path) or USUAL_LR_SCALE
    file = weights_file(path)
    if backbone is not None and file.suffix != ".safetensors":
        raise OptionError("--backbone is for .safetensors files; published files name their own")
    network = network_from_checkpoint(file, lr_scale=lr_scale, backbone=backbone)
    return Checkpoint(network, {file.name: sha256_of(file) for file in files_of_checkpoint(path)}, lr_scale)


def files_of_checkpoint(path: Path) -> list[Path]:
    """Return the files that ``checkpoint_from_path`` reads weights from; none where there is no checkpoint."""
    file = path / BEST if (path / BEST).is_file() else path
    return [file] if file.is_file() else sorted(found for found in file.glob("[HA]R/*") if found.is_file())


def checkpoint_from_files(hr_file: Path | str, ar_file: Path | str, lr_scale: float | None = None) -> Checkpoint:
    """Read two published files, of the HR branch and of AR-Seg.

    Raises:
        CheckpointError: see ``network_from_files``.
    """
    network = network_from_files(hr_file, ar_file)
    digests = {file.name: sha256_of(file) for file in (Path(hr_file), Path(ar_file))}
    return Checkpoint(network, digests, USUAL_LR_SCALE if lr_scale is None else lr_scale)


def _trained_lr_scale(folder: Path) -> float | None:
    """Return the LR scale in the settings of a training run, where ``folder`` is one of the LR branch."""
    try:
        found = json.loads((folder / "settings.json").read_bytes())["lr_scale"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return float(found) if isinstance(found, (int, float)) else None
