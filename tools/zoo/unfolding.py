#!/usr/bin/env python3
"""Make a checkpoint of a float32 bundle, to continue training from.

usage: python -m tools.zoo.unfolding BUNDLE IMAGES -o FILE.safetensors

``export`` folds each normalisation into the convolution before it. Here it gets back what training needs: the mean and
the spread that its input has on pictures, and the weights that make it compute what the folded convolution did. So the
network is the same in ``eval`` mode, whatever the pictures, and close to it in training on pictures like those.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from edge_arseg.errors import ArsegError, DataError, ExportError
from edge_arseg.network.checkpoint.safetensors_file import safetensors_from_network
from edge_arseg.network.network import Network
from edge_arseg.runtime.bundles.reading import Bundle, read_bundle
from edge_arseg.runtime.zoo import bundle_path
from edge_arseg.spec.manifest import Precision, Role
from edge_arseg.video.reader import open_video

FOLDED = ".weight_bias"
"""Ending of a bias that a normalisation was folded into, in place of ``.weight``."""
PICTURES = 64
"""Pictures that means and spreads are taken from, spread over the folder."""
_AFTER = {"conv": "bn", "0": "1"}
"""Last part of the name of a convolution, and of the normalisation behind it."""


def network_from_bundle(bundle: Bundle, pictures: Iterable[NDArray[np.uint8]]) -> Network:
    """Return the network that a float32 bundle was exported from, up to rounding, in ``eval`` mode.

    Args:
        bundle: of both branches, whose backbone is one of this package.
        pictures: ``[H, W, 3] uint8`` RGB of the bundle's size, at least one.

    Raises:
        ExportError: the bundle has the HR branch alone or is not in float32, or a weight is not found in it.
    """
    manifest = bundle.manifest
    if manifest.hr_only or any(graph.precision is not Precision.FP32 for graph in manifest.graphs.values()):
        raise ExportError(f"{bundle.path}: both branches in float32 expected")
    network = Network(manifest.model).eval()
    network.lr_scale = manifest.lr_scale
    for name, branch, role in (("hr", network.hr, Role.HR), ("lr", network.lr, Role.LR)):
        load_branch(branch, weights_of_branch(bundle.graph_path(role), name), where=bundle.path)
    fusion, decoder = bundle.fusion_weights(), bundle.decoder_weights()
    with torch.no_grad():
        for head in (network.hr_head, network.lr_head):
            head.classifier.weight.copy_(torch.from_numpy(decoder.weight)[:, :, None, None])
            head.classifier.bias.copy_(torch.from_numpy(decoder.bias))
        for key, value in network.creff.state_dict().items():
            value.copy_(torch.from_numpy(getattr(fusion, key.replace(".", "_"))))
        spread_normalisations(network, pictures, manifest.lr_scale)
    return network


@torch.no_grad()
def load_branch(branch: nn.Module, weights: dict[str, Tensor], *, where: Path) -> None:
    """Give a branch the weights of a graph; a folded bias becomes that of a normalisation that does nothing else.

    Raises:
        ExportError: a weight or a bias is not there.
    """
    missing = []
    modules = dict(branch.named_modules())
    for name, module in modules.items():
        if not isinstance(module, nn.Conv2d):
            continue
        bias = weights.get(f"{name}.bias" if module.bias is not None else name + FOLDED)
        weight = weights.get(f"{name}.weight")
        if weight is None or bias is None:
            missing.append(name)
            continue
        module.weight.copy_(weight)
        if module.bias is not None:
            module.bias.copy_(bias)
            continue
        before, _, last = name.rpartition(".")
        norm = modules.get(f"{before}.{_AFTER.get(last)}")
        if not isinstance(norm, nn.BatchNorm2d):
            missing.append(f"{name} (no normalisation behind it)")
            continue
        assert norm.running_mean is not None
        assert norm.running_var is not None
        norm.running_mean.zero_()
        norm.running_var.fill_(1.0)
        norm.weight.fill_((1.0 + norm.eps) ** 0.5)
        norm.bias.copy_(bias)
    if missing:
        raise ExportError(f"{where}: weights of {', '.join(missing)} not found; was the bundle exported by `export`?")


@torch.no_grad()
def spread_normalisations(network: Network, pictures: Iterable[NDArray[np.uint8]], lr_scale: float) -> None:
    """Give all normalisations of both branches the statistics of pictures, without changing what they compute."""
    sums: dict[nn.BatchNorm2d, list[Tensor]] = {}

    def seen(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(norm, nn.BatchNorm2d)
        values = inputs[0].double()
        count = torch.tensor(float(values.numel() // values.shape[1]), dtype=torch.float64)
        own = [values.sum((0, 2, 3)), values.square().sum((0, 2, 3)), count]
        sums[norm] = [a + b for a, b in zip(sums[norm], own, strict=True)] if norm in sums else own

    with ExitStack() as stack:
        for branch in (network.hr, network.lr):
            for module in branch.modules():
                if isinstance(module, nn.BatchNorm2d):
                    stack.callback(module.register_forward_pre_hook(seen).remove)
        for picture in pictures:
            frame = torch.from_numpy(picture)
            network.hr(network.image_from_frame(frame))
            network.lr(network.lr_image_from_frame(frame, lr_scale))
    for norm, (total, squares, count) in sums.items():
        assert norm.running_mean is not None
        assert norm.running_var is not None
        mean = total / count
        variance = (squares / count - mean.square()).clamp(min=1e-6)
        factor = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
        shift = norm.bias.double() - norm.running_mean.double() * factor
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_(factor * (variance + norm.eps).sqrt())
        norm.bias.copy_(shift + mean * factor)


def weights_of_branch(graph: Path, name: str) -> dict[str, Tensor]:
    """Return the weights of a branch by their names in it; bundles of before 0.2.0 have them below the network's."""
    weights = {}
    for tensor in onnx.load(graph).graph.initializer:
        for prefix in ("backbone.", f"network.{name}."):
            if tensor.name.startswith(prefix):
                weights[tensor.name.removeprefix(prefix)] = torch.from_numpy(numpy_helper.to_array(tensor).copy())
    return weights


def _pictures(folder: Path, size: tuple[int, int]) -> Iterator[NDArray[np.uint8]]:
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder, expected one of pictures")
    endings = Counter(path.suffix for path in folder.iterdir() if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if not endings:
        raise DataError(f"{folder}: no picture seen, expected .jpg or .png files")
    ((ending, count),) = endings.most_common(1)
    with open_video(f"images://{folder}/*{ending}?rate=1", size=size, motion="zero") as reader:
        for frame in islice(reader, None, None, max(1, count // PICTURES)):
            yield frame.rgb.copy()


def main() -> None:
    """Read a bundle, and write the checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", help="folder of a float32 bundle, or the name of a shipped one")
    parser.add_argument("images", type=Path, help="folder of pictures like those that it will be trained on")
    parser.add_argument("-o", "--output", type=Path, required=True, help="file to write, NAME.safetensors")
    arguments = parser.parse_args()
    try:
        bundle = read_bundle(bundle_path(arguments.bundle))
        size = (bundle.manifest.height, bundle.manifest.width)
        network = network_from_bundle(bundle, _pictures(arguments.images, size))
        safetensors_from_network(network, arguments.output)
    except ArsegError as error:
        sys.exit(f"Error: {error}")
    print(f"{arguments.output}: {network.model.name}")


if __name__ == "__main__":
    main()
