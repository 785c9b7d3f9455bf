"""Names of backbones, built in and brought by users."""

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points

from edge_arseg.errors import CheckpointError, OptionError
from edge_arseg.network.backbone import Backbone
from edge_arseg.network.backbones.bise18 import Bise18
from edge_arseg.network.backbones.compact import Compact
from edge_arseg.network.backbones.lite import Lite0, Lite1
from edge_arseg.network.backbones.psp18 import Psp18, Psp18Stride8
from edge_arseg.network.backbones.timm_encoder import timm_backbone

ENTRY_POINTS = "edge_arseg.backbones"
"""A package that brings a backbone lists ``name = package.module:function`` in this group."""

BUILT_IN: dict[str, Callable[[], Backbone]] = {
    "compact": Compact,
    "psp18": Psp18,
    "psp18-stride8": Psp18Stride8,
    "bise18": Bise18,
    "lite0": Lite0,
    "lite1": Lite1,
}

SCHEMES: dict[str, Callable[[str], Backbone]] = {"timm": timm_backbone}
"""By what stands before the colon: builds the backbone that the rest describes. Files may hold such names."""


def backbone_from_name(name: str) -> Backbone:
    """Build a backbone with fresh weights.

    Args:
        name: a built-in name, one registered under the ``edge_arseg.backbones`` entry points, ``timm:NAME`` (see
            ``timm_backbone``), or ``package.module:function``, where the function takes no argument and returns a
            ``Backbone``.

    Raises:
        OptionError: the name is not known, or what it names cannot be imported.
        CheckpointError: what it names does not return a ``Backbone``.
        EnvironmentUnfitError: the library that a scheme needs is missing.
    """
    scheme, _, rest = name.partition(":")
    if rest and scheme in SCHEMES:
        return SCHEMES[scheme](rest)
    backbone = _factory(name)()
    if not isinstance(backbone, Backbone):
        raise CheckpointError(
            f"{name} returned {type(backbone).__name__}, expected a subclass of edge_arseg.network.backbone.Backbone"
        )
    return backbone


def backbone_names() -> list[str]:
    """Return all names that ``backbone_from_name`` finds without an import path."""
    return sorted({*BUILT_IN, *(point.name for point in entry_points(group=ENTRY_POINTS))})


def imports_code(name: str) -> bool:
    """Return whether a name says what is to be imported, which a file alone must not decide."""
    scheme, colon, _ = name.partition(":")
    return bool(colon) and scheme not in SCHEMES


def short_name(name: str) -> str:
    """Return a backbone's name as a part of a model's: ``resnet18`` of ``timm:resnet18,stride=8``."""
    scheme, _, rest = name.partition(":")
    return rest.partition(",")[0].partition(".")[0] if scheme in SCHEMES else scheme.rpartition(".")[2]


def _factory(name: str) -> Callable[[], object]:
    if name in BUILT_IN:
        return BUILT_IN[name]
    points = list(entry_points(group=ENTRY_POINTS, name=name))
    module, function = (points[0].module, points[0].attr) if points else name.partition(":")[::2]
    if not module or not function or module.startswith("."):
        known = ", ".join(backbone_names())
        raise OptionError(
            f"no backbone is called {name!r}; known: {known}. "
            "Others: --backbone timm:NAME, or your own: --backbone package.module:function"
        )
    try:
        imported = import_module(module)
    except ImportError as error:
        raise OptionError(f"backbone {name!r}: cannot import {module!r} ({error}); is it on PYTHONPATH?") from error
    factory = getattr(imported, function, None)
    if factory is None:
        raise OptionError(f"backbone {name!r}: module {module!r} has no {function!r}")
    if not callable(factory):
        raise CheckpointError(
            f"{name} is of type {type(factory).__name__}, expected a function that returns a Backbone"
        )
    return factory
