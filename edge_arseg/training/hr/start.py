"""What HR training starts from: fresh weights, those of another training, or a published encoder."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from edge_arseg.network.checkpoint.encoder_file import load_encoder
from edge_arseg.network.checkpoint.folded import spread_normalisations
from edge_arseg.network.network import Network
from edge_arseg.training.trained import Trained


@torch.no_grad()
def start_from(network: Network, trained: Trained, pictures: Callable[[], Iterable[NDArray[np.uint8]]]) -> str | None:
    """Give the HR branch and its head the weights of another training; return what to tell people, if anything.

    The images are normalised as those weights expect it. A class takes the weights of the class of the same name,
    whatever its place; a class that is new keeps its random ones.

    Args:
        network: its backbone must be the same.
        trained: see ``trained_from_name``.
        pictures: gives some of those that are trained on, ``[H, W, 3] uint8`` RGB; a bundle's network takes the
            statistics of its normalisations from them.

    Raises:
        CheckpointError: no such file, or another backbone.
    """
    other = trained.network(backbone=network.model.backbone)
    if trained.bundle is not None:
        spread_normalisations(other.hr, map(other.image_from_frame, map(torch.from_numpy, pictures())))
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
    return f"{len(ours) - len(new)} of {len(ours)} classes start from {trained.path.name}; {'; '.join(parts)}"


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
