"""A trained network that is named: by the folder of a run, a file of weights, or a bundle."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from edge_arseg.errors import BundleError, CheckpointError
from edge_arseg.network.backbones.registry import imports_code
from edge_arseg.network.checkpoint.folded import load_folded, spread_normalisations
from edge_arseg.network.checkpoint.importer import weights_file
from edge_arseg.network.checkpoint.safetensors_file import (
    another_backbone,
    backbone_of_safetensors,
    check_named_by_file,
    network_from_safetensors,
)
from edge_arseg.network.network import Network
from edge_arseg.runtime.bundles.reading import MANIFEST, SUFFIX, Bundle, read_bundle, sha256_of
from edge_arseg.runtime.bundles.zoo import bundle_path
from edge_arseg.spec.frame import Branch
from edge_arseg.spec.manifest import Role

PICTURES = 32
"""Pictures that statistics are taken from."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What was named.

    Attributes:
        path: of the file, or of the bundle.
        name: of the run's folder, the file or the bundle's folder.
        bundle: that the network is read from; ``None``: ``path`` is a file of weights.
    """

    path: Path
    name: str
    bundle: Bundle | None = None

    @property
    def sha256(self) -> str:
        """Digest of the file, or of the bundle."""
        return sha256_of(self.path) if self.bundle is None else self.bundle.digest

    @property
    def backbone(self) -> str:
        """Name of the backbone that it has weights of.

        Raises:
            CheckpointError: not such a file, or a backbone that only the caller may name.
        """
        if self.bundle is None:
            return backbone_of_safetensors(self.path)
        return check_named_by_file(self.bundle.manifest.model.backbone, self.bundle.path)

    def network(self, *, backbone: str | None = None) -> Network:
        """Read the network, in ``eval`` mode.

        Args:
            backbone: see ``network_from_safetensors``.

        Raises:
            CheckpointError: not such a file, or a bundle that it cannot be read from.
        """
        if self.bundle is None:
            return network_from_safetensors(self.path, backbone=backbone)
        return network_from_bundle(self.bundle, backbone=backbone)

    def spread(self, network: Network, pictures: Iterable[NDArray[np.uint8]], lr_scale: float) -> None:
        """Give the normalisations of a network that was read from a bundle the statistics of pictures.

        Those of a file have their own.

        Args:
            network: from ``network``, on any device.
            pictures: ``[H, W, 3] uint8`` RGB, at least one, like those that it will be trained on.
            lr_scale: size of the LR image over that of the frame.
        """
        if self.bundle is None:
            return
        device = next(network.parameters()).device
        frames = [torch.from_numpy(picture).to(device) for picture in pictures]
        spread_normalisations(network.hr, map(network.image_from_frame, frames))
        if Branch.LR in network.trained:
            spread_normalisations(network.lr, (network.lr_image_from_frame(frame, lr_scale) for frame in frames))


def trained_from_name(named: str | PathLike[str]) -> Trained:
    """Find what a user names: a bundle by its folder or by its name in the package, else a run or a file.

    A path wins over a name in the package where both exist.

    Raises:
        CheckpointError: nothing is there, or the run has written no weights yet.
        BundleError: it is a bundle, and is damaged.
    """
    path = Path(named)
    try:
        found = path if path.exists() or path.suffix else bundle_path(named)
    except BundleError as error:
        raise CheckpointError(f"{error}; or the folder of a run of `train`, or a .safetensors file") from error
    if found.suffix == SUFFIX or (found / MANIFEST).is_file():
        return Trained(found, found.name, read_bundle(found))
    return Trained(weights_file(found), found.name)


def network_from_bundle(bundle: Bundle, *, backbone: str | None = None) -> Network:
    """Return the network that a bundle was exported from, in ``eval`` mode, with the weights that its graphs have.

    In float32 it is the same up to rounding. In int8 its weights are rounded, to 7 or 8 bits. Its normalisations have
    no statistics yet: see ``Trained.spread``. Of a bundle of the HR branch alone the LR branch has random weights.

    Args:
        bundle: in float32, or in int8 for ONNX Runtime.
        backbone: see ``network_from_safetensors``.

    Raises:
        CheckpointError: the bundle is in float16, or for TensorRT; another backbone; a backbone that only the caller
            may name; or a weight is not found.
    """
    import onnx

    manifest = bundle.manifest
    if not manifest.is_float32 and manifest.rounded_bits is None:
        seen = ", ".join(f"{role.value} {entry.precision.value}" for role, entry in manifest.graphs.items())
        raise CheckpointError(
            f"{bundle.path}: {seen} seen, expected float32, or int8 with uint8 activations; name the bundle that this "
            "one was made from"
        )
    own = manifest.model.backbone
    if backbone is None:
        backbone = check_named_by_file(own, bundle.path)
    elif backbone != own and not imports_code(own):
        raise another_backbone(own, backbone, bundle.path)
    network = Network(replace(manifest.model, backbone=backbone)).eval()
    branches = [(Role.HR, network.hr)] if manifest.hr_only else [(Role.HR, network.hr), (Role.LR, network.lr)]
    for role, branch in branches:
        load_folded(branch, onnx.load(bundle.graph_path(role)), name=role.value, where=str(bundle.path))
    decoder = bundle.decoder_weights()
    with torch.no_grad():
        for head in (network.hr_head, network.lr_head):
            head.classifier.weight.copy_(torch.from_numpy(decoder.weight)[:, :, None, None])
            assert head.classifier.bias is not None
            head.classifier.bias.copy_(torch.from_numpy(decoder.bias))
        if not manifest.hr_only:
            fusion = bundle.fusion_weights()
            for key, value in network.creff.state_dict().items():
                value.copy_(torch.from_numpy(getattr(fusion, key.replace(".", "_"))))
    network.trained = manifest.branches
    network.lr_scale = None if manifest.hr_only else manifest.lr_scale
    return network
