"""Encoders of timm under our decoder: ``timm:NAME[,stride=4][,channels=64]``."""

import copy
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from edge_arseg.errors import EnvironmentUnfitError, OptionError
from edge_arseg.installation import install_extra
from edge_arseg.network.backbone import Backbone, ceil_halvings
from edge_arseg.network.backbones.pyramid import PyramidDecoder, by_stride
from edge_arseg.spec.model import Normalisation
from edge_arseg.suggestion import did_you_mean

USUAL = {"stride": 4, "channels": 64}
"""Options behind the name, with their defaults; both are of the feature."""

_OPERATORS = ("nms", "qnms")
_declared: list[torch.library.Library] = []


class TimmBackbone(Backbone):
    """An encoder that timm built, and a pyramid decoder.

    Args:
        encoder: a feature extractor of timm: image to a list of stages ``[N, C, h, w]``.
        levels: the strides of the stages.
        channels_of: the channels of the stages.
        stride: of the feature; ``channels``: of it.
    """

    def __init__(self, encoder: Any, levels: list[int], channels_of: list[int], *, stride: int, channels: int):
        super().__init__()
        self.encoder, self.levels = encoder, levels
        self.stride, self.channels = stride, channels
        published = getattr(encoder, "pretrained_cfg", None) or getattr(encoder, "default_cfg", None) or {}
        if published.get("mean") and published.get("std"):
            self.normalisation = Normalisation(tuple(published["mean"]), tuple(published["std"]))
        self.decoder = PyramidDecoder(dict(zip(levels, channels_of, strict=True)), stride=stride, channels=channels)

    def feature_size(self, height: int, width: int) -> tuple[int, int]:
        """Each side divided by the stride, rounded up, whatever the encoder makes of it."""
        halvings = self.stride.bit_length() - 1
        return ceil_halvings(height, halvings), ceil_halvings(width, halvings)

    def forward(self, image: Tensor) -> Tensor:
        """Map ``[N, 3, H, W]`` to ``[N, channels, ceil(H / stride), ceil(W / stride)]``."""
        size = self.feature_size(image.shape[2], image.shape[3])
        return self.decoder(by_stride(self.levels, self.encoder(image)), size)

    def deployed(self) -> "TimmBackbone":
        """Return a copy whose branches that only training needs are merged, where the encoder has such (RepVGG)."""
        from timm.utils.model import reparameterize_model

        merged = copy.deepcopy(self)
        merged.encoder = reparameterize_model(merged.encoder, inplace=True)
        return merged


def timm_backbone(text: str) -> TimmBackbone:
    """Build a backbone on an encoder of timm, with fresh weights. Nothing is downloaded.

    Args:
        text: ``NAME[,stride=4][,channels=64]``. ``NAME`` is one of ``timm.list_models()``, a tag behind a point may
            follow; ``stride`` and ``channels`` are those of the feature.

    Raises:
        OptionError: no such encoder or option, or one that cannot be a backbone.
        EnvironmentUnfitError: timm is missing.
    """
    name, *options = text.split(",")
    values = _values(text, options)
    timm = imported_timm(text)
    if "/" in name or ":" in name or not timm.is_model(name):
        hint = did_you_mean(name, timm.list_models())
        raise OptionError(f"timm {timm.__version__} has no encoder {name!r}; {hint or 'timm.list_models() lists all'}")
    try:
        encoder = timm.create_model(name, pretrained=False, features_only=True)
        levels, channels = encoder.feature_info.reduction(), encoder.feature_info.channels()
    except (AssertionError, AttributeError, RuntimeError, TypeError, ValueError) as error:
        raise OptionError(
            f"timm:{name}: gives no stages (features_only): {_first_line(error)}; take another"
        ) from error
    _check(name, encoder, levels, values["stride"])
    return TimmBackbone(encoder, levels, channels, **values)


def imported_timm(text: str) -> ModuleType:
    """Import timm.

    PyPI's torchvision is built for CUDA. Beside a PyTorch for CPUs its operators are missing and its import fails. timm
    imports it for the augmentation of images and uses none of those operators, so they are declared, without a body.

    Raises:
        EnvironmentUnfitError: it is missing, or cannot be imported.
    """
    try:
        try:
            import torchvision  # noqa: F401
        except RuntimeError as error:
            if "operator torchvision::nms" not in str(error):
                raise
            operators = torch.library.Library("torchvision", "FRAGMENT")
            _declared.append(operators)  # they are gone with it
            for operator in _OPERATORS:
                operators.define(f"{operator}(Tensor boxes, Tensor scores, float overlap) -> Tensor")
        import timm
    except (ImportError, RuntimeError) as error:
        raise EnvironmentUnfitError(
            f"backbone timm:{text}: timm cannot be imported ({_first_line(error)}); type: {install_extra('timm')}"
        ) from error
    return timm


def _values(text: str, options: list[str]) -> dict[str, int]:
    values = dict(USUAL)
    for option in options:
        key, _, number = option.partition("=")
        if key not in USUAL or not number.isascii() or not number.isdigit() or int(number) < 1:
            raise OptionError(f"backbone timm:{text}: {option!r} seen, expected stride=4 or channels=64, with numbers")
        values[key] = int(number)
    if values["channels"] % 2:
        raise OptionError(f"backbone timm:{text}: channels={values['channels']} seen, expected an even number")
    return values


def _check(name: str, encoder: Any, levels: list[int], stride: int) -> None:
    if getattr(encoder, "pretrained_cfg", {}).get("fixed_input_size") or len(set(levels)) != len(levels):
        raise OptionError(
            f"timm:{name}: has one size of image, or all its stages at one stride; take one with a pyramid"
        )
    if str(getattr(encoder, "output_fmt", "NCHW")).rpartition(".")[2] != "NCHW":
        raise OptionError(f"timm:{name}: its stages have the channels last; take another")
    if stride not in levels:
        known = ", ".join(str(level) for level in levels)
        raise OptionError(
            f"timm:{name}: stride={stride} seen, its stages are at {known}; type stride=N with one of them"
        )


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
