"""Which way of fusing runs: one table, the best way first.

A way that the bundle, the CPU or the libraries rule out is passed over in silence; one that shows only when it is
opened that it is not available, with a warning. Where ``--fusion`` names a way, its reason is the error.
"""

import logging
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any, NamedTuple, TypeVar

from edge_arseg.errors import BuildError, EnvironmentUnfitError, OptionError
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.engines.contract import AUTO, EngineOptions, Place
from edge_arseg.runtime.fusion.contract import Fusion
from edge_arseg.runtime.head import Head
from edge_arseg.suggestion import did_you_mean

K = TypeVar("K", Fusion, Head)

_log = logging.getLogger(__name__)


class Way(NamedTuple):
    """A way of fusing or of decoding.

    Attributes:
        name: what ``--fusion`` calls it.
        places: where it reads features.
        where: ``module:class``; the module is imported when the way is looked at.
    """

    name: str
    places: tuple[Place, ...]
    where: str


FUSIONS = (
    Way("kernel-bf16", (Place.HOST,), "edge_arseg.runtime.fusion.tiles:ShortTileFusion"),
    Way("kernel", (Place.HOST,), "edge_arseg.runtime.fusion.tiles:TileFusion"),
    Way("kernel", (Place.HOST,), "edge_arseg.runtime.fusion.cpu:CpuKernelFusion"),
    Way("kernel", (Place.CUDA,), "edge_arseg.runtime.fusion.cuda:CudaKernelFusion"),
    Way("graph", tuple(Place), "edge_arseg.runtime.fusion.graph:GraphFusion"),
)
"""Ways of fusing, the best first. To add one: a subclass of ``Fusion``, and a line here."""

HEADS = (
    Way("kernel", (Place.HOST,), "edge_arseg.runtime.head:KernelHead"),
    Way("graph", tuple(Place), "edge_arseg.runtime.head:GraphHead"),
)
"""Ways of decoding the LR feature in mode ``lr``, the best first."""

CHOICES = (AUTO, *dict.fromkeys(way.name for way in FUSIONS))
"""Values of ``EngineOptions.fusion``."""


def checked_fusion(name: str) -> str:
    """Return the name of a way of fusing.

    Raises:
        OptionError: there is none of this name.
    """
    if name not in CHOICES:
        meant = did_you_mean(name, CHOICES)
        raise OptionError(f"fusion {name!r} seen, {meant and f'{meant} '}expected one of {', '.join(CHOICES)}")
    return name


def fusions_for(bundle: Bundle, options: EngineOptions, place: Place) -> Iterator[type[Fusion]]:
    """Yield the ways of fusing that may be tried, the best first; nothing is opened.

    Args:
        bundle: checked, with a ``fuse`` graph.
        options: fusion, threads and backend.
        place: where the engines leave their features.

    Raises:
        OptionError: no such fusion.
        EnvironmentUnfitError: the fusion that was named is ruled out.
    """
    return _possible(
        FUSIONS,
        bundle,
        options,
        place,
        f"this backend keeps features on the GPU ({place.value}), where no kernel reads them; run with --fusion graph, "
        "or with --backend tensorrt, which has one",
    )


def open_fusion(bundle: Bundle, options: EngineOptions, place: Place) -> Fusion:
    """Open the first way of fusing that is available.

    Args:
        bundle: checked, with a ``fuse`` graph.
        options: fusion, backend and threads.
        place: where the engines leave their features.

    Raises:
        OptionError, EnvironmentUnfitError: see ``fusions_for``.
        BundleError, BuildError: the last way cannot be opened; see ``Fusion.open``.
    """
    return _first_opened(fusions_for(bundle, options, place), bundle, options)


def open_lr_head(bundle: Bundle, options: EngineOptions, place: Place) -> Head:
    """Open the first way of decoding the LR feature alone; arguments and errors as for ``open_fusion``."""
    nowhere = "nothing is fused in mode lr, and no kernel decodes on the GPU; run with --fusion auto"
    heads: Iterator[type[Head]] = _possible(HEADS, bundle, options, place, nowhere)
    return _first_opened(heads, bundle, options)


def _first_opened(kinds: Iterator[type[K]], bundle: Bundle, options: EngineOptions) -> K:
    """Open the first that is available; each is looked at only where those before it could not be opened."""
    kind = next(kinds)
    while True:
        try:
            return kind.open(bundle, options)
        except (BuildError, EnvironmentUnfitError) as error:
            following = next(kinds, None)
            if following is None:
                raise
            instead = f"{'another' if following.name == kind.name else 'the'} {following.name}"
            _log.warning("the %s cannot be opened, and %s runs, which is slower: %s", kind.name, instead, error)
            kind = following


def _possible(
    ways: Sequence[Way], bundle: Bundle, options: EngineOptions, place: Place, nowhere: str
) -> Iterator[type[Any]]:
    checked_fusion(options.fusion)
    possible, reason = False, nowhere
    for way in ways:
        if place not in way.places or options.fusion not in (AUTO, way.name):
            continue
        module, _, name = way.where.partition(":")
        kind = getattr(import_module(module), name)
        ruled_out = kind.unavailable(bundle)
        if ruled_out is None:
            possible = True
            yield kind
        else:
            reason = ruled_out
    if not possible:
        raise EnvironmentUnfitError(f"--fusion {options.fusion}: {reason}")
