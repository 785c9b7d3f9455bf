"""What HR training starts from: fresh weights, those of another training, or a published encoder."""

from dataclasses import replace
from pathlib import Path

import torch

from edge_arseg.network.checkpoint.encoder_file import load_encoder
from edge_arseg.network.checkpoint.importer import weights_file
from edge_arseg.network.checkpoint.safetensors_file import network_from_safetensors
from edge_arseg.network.network import Network


@torch.no_grad()
def start_from(network: Network, path: Path) -> str | None:
    """Give the HR branch and its head the weights of another training; return what to tell people, if anything.

    The images are normalised as those weights expect it. A class takes the weights of the class of the same name,
    whatever its place; a class that is new keeps its random ones.

    Args:
        network: its backbone must be the same.
        path: the folder of a run, of which the best weights are taken, or a ``.safetensors`` file.

    Raises:
        CheckpointError: no such file, or another backbone.
    """
    file = weights_file(path)
    other = network_from_safetensors(file, backbone=network.model.backbone)
    network.model = replace(network.model, normalisation=other.model.normalisation)
    network.hr.load_state_dict(other.hr.state_dict())
    ours, theirs = ([one.name for one in net.model.classes] for net in (network, other))
    for number, name in enumerate(ours):
        if name in theirs:
            for own, given in zip(network.hr_head.parameters(), other.hr_head.parameters(), strict=True):
                own[number] = given[theirs.index(name)]
    new, gone = ([name for name in one if name not in two] for one, two in ((ours, theirs), (theirs, ours)))
    if not new and not gone:
        return None
    parts = [f"new {_some(new)}"] if new else []
    parts += [f"left behind {_some(gone)}"] if gone else []
    return f"{len(ours) - len(new)} of {len(ours)} classes start from {file.name}; {'; '.join(parts)}"


def start_encoder(network: Network, path: Path) -> str:
    """Give the encoder of the HR branch the weights of a published file; return what to tell people.

    Raises:
        OptionError, CheckpointError: see ``load_encoder``.
    """
    left = load_encoder(network.hr, path)
    names = f"; left behind {_some(left)}" if left else ""
    return f"the encoder starts from {path.name}{names}"


def _some(names: list[str]) -> str:
    """How many, and the first three."""
    return f"{len(names)}: {', '.join(names[:3])}{', ...' if len(names) > 3 else ''}"
