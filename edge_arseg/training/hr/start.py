"""What HR training starts from: fresh weights, those of another training, or a published encoder."""

from pathlib import Path

from edge_arseg.errors import CheckpointError
from edge_arseg.network.checkpoint.encoder_file import load_encoder
from edge_arseg.network.checkpoint.importer import weights_file
from edge_arseg.network.checkpoint.safetensors_file import network_from_safetensors
from edge_arseg.network.network import Network


def start_from(network: Network, path: Path) -> None:
    """Give the HR branch and its head the weights of another training.

    Args:
        network: its backbone and classes must be the same.
        path: the folder of a run, of which the best weights are taken, or a ``.safetensors`` file.

    Raises:
        CheckpointError: no such file, another backbone, or another number of classes.
    """
    file = weights_file(path)
    other = network_from_safetensors(file, backbone=network.model.backbone)
    if len(other.model.classes) != len(network.model.classes):
        raise CheckpointError(
            f"{file}: {len(other.model.classes)} classes seen, {len(network.model.classes)} expected; "
            "start from a model of the same classes"
        )
    network.hr.load_state_dict(other.hr.state_dict())
    network.hr_head.load_state_dict(other.hr_head.state_dict())


def start_encoder(network: Network, path: Path) -> str:
    """Give the encoder of the HR branch the weights of a published file; return what to tell people.

    Raises:
        OptionError, CheckpointError: see ``load_encoder``.
    """
    left = load_encoder(network.hr, path)
    names = f"; left behind {len(left)}: {', '.join(left[:3])}{', ...' if len(left) > 3 else ''}" if left else ""
    return f"the encoder starts from {path.name}{names}"
