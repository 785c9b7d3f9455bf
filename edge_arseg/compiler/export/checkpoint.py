"""A checkpoint as it is exported: its network, and what its files say beside the weights."""

import json
from dataclasses import dataclass
from pathlib import Path

from edge_arseg.arguments import path_from
from edge_arseg.errors import CheckpointError, OptionError
from edge_arseg.network.checkpoint.importer import network_from_checkpoint, network_from_files, weights_file
from edge_arseg.network.checkpoint.safetensors_file import BEST
from edge_arseg.network.network import Network
from edge_arseg.runtime.bundles.reading import MANIFEST, sha256_of
from edge_arseg.runtime.bundles.zoo import shipped_names
from edge_arseg.spec.frame import Branch
from edge_arseg.spec.model import lr_scale_fault

USUAL_LR_SCALE = 0.5


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What was read.

    Attributes:
        network: in ``eval`` mode.
        digests: SHA-256 of its files by name.
        lr_scale: asked for, or that the LR branch was trained with.
    """

    network: Network
    digests: dict[str, str]
    lr_scale: float

    def doubts(self) -> list[str]:
        """Return what makes one doubt that both branches belong together as they are exported."""
        if Branch.LR not in self.network.trained:
            return []
        found, trained = [], self.network.lr_scale
        if difference := self.network.head_difference():
            found.append(
                f"the last 1x1 convolution of the HR and of the AR file differ by up to {difference:.3g}; "
                "in a trained pair they are equal. Are both files of the same model?"
            )
        if trained not in (None, self.lr_scale):
            found.append(
                f"the LR branch was trained at LR scale {trained:g}, --lr-scale {self.lr_scale:g} seen; accuracy falls"
            )
        return found


def checkpoint_from_path(path: Path | str, lr_scale: float | None = None, *, backbone: str | None = None) -> Checkpoint:
    """Read the folder of a training run, a ``.safetensors`` file, or a folder in the published layout.

    Args:
        path: to read.
        lr_scale: size of the LR image over that of the frame; ``None``: that of the file or the run, else 0.5.
        backbone: ``package.module:function``, for a ``.safetensors`` file of a backbone of one's own.

    Raises:
        OptionError: ``backbone`` is given for other files; ``lr_scale`` is out of range; or ``path`` is none.
        CheckpointError: see ``network_from_checkpoint``; or it is a bundle.
    """
    path = path_from("a checkpoint at", path)
    _check_asked(lr_scale)
    _refuse_bundle(path)
    file = weights_file(path)
    if backbone is not None and file.suffix != ".safetensors":
        raise OptionError("--backbone is for .safetensors files; published files name their own")
    network = network_from_checkpoint(file, lr_scale=lr_scale or USUAL_LR_SCALE, backbone=backbone)
    if network.lr_scale is None:
        network.lr_scale = _lr_scale_of_run(file.parent)
    digests = {file.name: sha256_of(file) for file in files_of_checkpoint(path)}
    return Checkpoint(network, digests, _lr_scale(network, lr_scale))


def _refuse_bundle(path: Path) -> None:
    """Say what takes a bundle, where one is named in place of a checkpoint."""
    if (path / MANIFEST).is_file() or (not path.exists() and str(path) in shipped_names()):
        raise CheckpointError(
            f"{path}: a bundle seen, expected a checkpoint, which bundles are made from. For another precision or a "
            f"board type edge-arseg quantize or compile; to train it further: edge-arseg train hr --from {path}, or "
            f"train lr {path} --start all"
        )


def files_of_checkpoint(path: Path) -> list[Path]:
    """Return the files that ``checkpoint_from_path`` reads weights from; none where there is no checkpoint."""
    file = path / BEST if (path / BEST).is_file() else path
    return [file] if file.is_file() else sorted(found for found in file.glob("[HA]R/*") if found.is_file())


def checkpoint_from_files(hr_file: Path | str, ar_file: Path | str, lr_scale: float | None = None) -> Checkpoint:
    """Read two published files, of the HR branch and of AR-Seg.

    Raises:
        OptionError: ``lr_scale`` is out of range.
        CheckpointError: see ``network_from_files``.
    """
    _check_asked(lr_scale)
    network = network_from_files(hr_file, ar_file)
    digests = {file.name: sha256_of(file) for file in (Path(hr_file), Path(ar_file))}
    return Checkpoint(network, digests, _lr_scale(network, lr_scale))


def _check_asked(lr_scale: float | None) -> None:
    if lr_scale is not None and (fault := lr_scale_fault(lr_scale)):
        raise OptionError(f"{fault}, like --lr-scale 0.5")


def _lr_scale(network: Network, asked: float | None) -> float:
    """Return the LR scale asked for, else that of the training, else the usual one."""
    if asked is not None:
        return asked
    return network.lr_scale or USUAL_LR_SCALE


def _lr_scale_of_run(folder: Path) -> float | None:
    """Return the LR scale in the settings of a training run of the LR branch, whose weights of before 0.2.0 lack it."""
    try:
        found = json.loads((folder / "settings.json").read_bytes())["lr_scale"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return None if lr_scale_fault(found) else float(found)
