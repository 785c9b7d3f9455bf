"""Weights of exported graphs back to a backbone that can be trained.

``export`` folds each normalisation into the convolution before it. Here it gets back what training needs: the mean and
the spread that its input has on pictures, and the weights that make it compute what the folded convolution did. So the
backbone is the same in ``eval`` mode, whatever the pictures, and close to it in training on pictures like those.
"""

from collections.abc import Iterable
from contextlib import ExitStack

import onnx
import torch
from torch import Tensor, nn

from edge_arseg.errors import CheckpointError
from edge_arseg.network.backbone import Backbone
from edge_arseg.network.checkpoint.graph_constants import constants_from_graph, names_before

_PROBE = (1, 3, 96, 128)
"""Shape of an image that shows which normalisation follows which convolution."""


@torch.no_grad()
def load_folded(backbone: Backbone, graph: onnx.ModelProto, *, name: str, where: str) -> None:
    """Give a backbone the weights of a graph; a folded bias becomes that of a normalisation that does nothing else.

    Args:
        backbone: left in ``eval`` mode.
        graph: of a branch, in float32 or int8.
        name: of the branch, ``hr`` or ``lr``.
        where: names the bundle in messages.

    Raises:
        CheckpointError: a weight or a bias is not there, or has another shape.
    """
    weights = convolutions_from_graph(graph, name)
    norms = norms_behind(backbone.eval())
    faults = []
    for key, module in backbone.named_modules():
        if not isinstance(module, nn.Conv2d):
            continue
        weight, bias = weights.get(key, (None, None))
        norm = norms.get(module)
        if weight is None or weight.shape != module.weight.shape:
            seen = "nothing" if weight is None else f"{list(weight.shape)}"
            faults.append(f"{key}: {seen} seen, {list(module.weight.shape)} expected")
        else:
            # A layer without either got its bias from `quantize`, for what rounding did to means: it is left out.
            module.weight.copy_(weight)
            shift = torch.zeros(len(weight)) if bias is None else bias
            if module.bias is not None:
                module.bias.copy_(shift)
                shift = torch.zeros(len(weight))
            if norm is not None:
                _set(norm, mean=torch.zeros(len(weight)), variance=torch.ones(len(weight)), shift=shift)
    if faults:
        lines = "\n  ".join(faults)
        raise CheckpointError(f"{where}: the graph {name} does not fit {type(backbone).__name__}\n  {lines}")


@torch.no_grad()
def spread_normalisations(backbone: Backbone, images: Iterable[Tensor]) -> None:
    """Give all normalisations the statistics of images, without changing what they compute in ``eval`` mode.

    Args:
        backbone: in ``eval`` mode.
        images: ``[1, 3, H, W]``, normalised, at least one.
    """
    sums: dict[nn.BatchNorm2d, list[Tensor]] = {}

    def seen(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(norm, nn.BatchNorm2d)
        values = inputs[0].double()
        count = torch.tensor(float(values.numel() // values.shape[1]), dtype=torch.float64)
        own = [values.sum((0, 2, 3)), values.square().sum((0, 2, 3)), count]
        sums[norm] = [a + b for a, b in zip(sums[norm], own, strict=True)] if norm in sums else own

    with ExitStack() as stack:
        for module in backbone.modules():
            if isinstance(module, nn.BatchNorm2d):
                stack.callback(module.register_forward_pre_hook(seen).remove)
        for image in images:
            backbone(image)
    for norm, (total, squares, count) in sums.items():
        assert norm.running_mean is not None
        assert norm.running_var is not None
        mean = total / count
        variance = (squares / count - mean.square()).clamp(min=1e-6)
        factor = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
        shift = norm.bias.double() - norm.running_mean.double() * factor
        _set(norm, mean=mean, variance=variance, shift=shift, factor=factor)


def convolutions_from_graph(graph: onnx.ModelProto, name: str) -> dict[str, tuple[Tensor, Tensor | None]]:
    """Return weight and bias of each convolution of a branch, by its name in it.

    Bundles of before 0.2.0 have the names of the branch below those of the network.
    """
    constants, before = constants_from_graph(graph), names_before(graph)
    found = {}
    for node in graph.graph.node:
        if node.op_type != "Conv" or node.input[1] not in constants:
            continue
        weight, *rest = (torch.from_numpy(constants[key].copy()) for key in node.input[1:] if key in constants)
        called = before.get(node.input[1], node.input[1])
        for prefix in ("backbone.", f"network.{name}."):
            if called.startswith(prefix):
                found[called.removeprefix(prefix).removesuffix(".weight")] = weight, rest[0] if rest else None
    return found


@torch.no_grad()
def norms_behind(backbone: Backbone) -> dict[nn.Conv2d, nn.BatchNorm2d]:
    """Return the normalisation that reads what a convolution gives, by the convolution."""
    made: list[tuple[Tensor, nn.Conv2d]] = []  # holds the tensors, so that no other has the identity of one
    found: dict[nn.Conv2d, nn.BatchNorm2d] = {}

    def gives(conv: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        assert isinstance(conv, nn.Conv2d)
        made.append((output, conv))

    def reads(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(norm, nn.BatchNorm2d)
        found.update({conv: norm for output, conv in made if output is inputs[0]})

    with ExitStack() as stack:
        for module in backbone.modules():
            if isinstance(module, nn.Conv2d):
                stack.callback(module.register_forward_hook(gives).remove)
            elif isinstance(module, nn.BatchNorm2d):
                stack.callback(module.register_forward_pre_hook(reads).remove)
        backbone(torch.zeros(_PROBE))
    return found


def _set(norm: nn.BatchNorm2d, *, mean: Tensor, variance: Tensor, shift: Tensor, factor: Tensor | None = None) -> None:
    """Make a normalisation with these statistics compute ``factor * x + shift``; without a factor, ``x + shift``."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    factor = torch.ones_like(mean) if factor is None else factor
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)
    norm.weight.copy_(factor * (variance + norm.eps).sqrt())
    norm.bias.copy_(shift + mean * factor)
