"""The bundles that are tried: those that were given, and mixtures of their branches."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.util import find_spec
from itertools import permutations
from pathlib import Path

from edge_arseg.compiler.writing import NewBundle
from edge_arseg.errors import EnvironmentUnfitError, OptionError
from edge_arseg.installation import install_extra
from edge_arseg.runtime.bundles.reading import Bundle, read_bundle
from edge_arseg.spec.manifest import Precision, Role


@dataclass(frozen=True)
class Bundles:
    """Bundles by name.

    Attributes:
        given: those that were named.
        mixtures: name to the bundles whose HR branch and whose other graphs are taken.
        layered: name to the float32 bundle that is quantized, and how many of its costliest layers stay in float.
        folder: that mixtures and quantized bundles are written to.
    """

    given: tuple[Bundle, ...]
    mixtures: dict[str, tuple[Bundle, Bundle]]
    layered: dict[str, tuple[Bundle, int]]
    folder: Path

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all of them, those that were given first."""
        return (*self._by_name, *self.mixtures, *self.layered)

    @property
    def hr_only(self) -> frozenset[str]:
        """Names of those that have the HR branch alone."""
        return frozenset(name for name, one in self._by_name.items() if one.manifest.hr_only)

    @property
    def halves(self) -> dict[str, tuple[str, str]]:
        """By name of a bundle, names of its HR graph and of its other graphs: those of the first that has the same."""
        own = {name: (_graphs_of(one, hr=True), _graphs_of(one, hr=False)) for name, one in self._by_name.items()}
        first: dict[tuple[str, ...], str] = {}
        for name, graphs in own.items():
            for half in graphs:
                first.setdefault(half, name)
        given = {name: (first[hr], first[rest]) for name, (hr, rest) in own.items()}
        mixed = {
            name: (given[hr.manifest.name][0], given[rest.manifest.name][1])
            for name, (hr, rest) in self.mixtures.items()
        }
        return given | mixed

    @property
    def digests(self) -> dict[str, str]:
        """Digests of those that were given, by name."""
        return {name: one.digest for name, one in self._by_name.items()}

    def bundle(self, name: str) -> Bundle:
        """Return a bundle; a mixture is put together, and a layered one quantized, the first time.

        Raises:
            SinkError: it cannot be written.
            GateError: what was quantized does not get the golden frames right.
        """
        if name in self._by_name:
            return self._by_name[name]
        path = self.folder / f"{name}.arseg"
        if path.exists():
            return read_bundle(path)
        return layered_of(*self.layered[name], path) if name in self.layered else mixture_of(*self.mixtures[name], path)

    @cached_property
    def _by_name(self) -> dict[str, Bundle]:
        return {one.manifest.name: one for one in self.given}


def bundles_from_paths(paths: Sequence[Path], folder: Path, *, mixed: bool, keep: Sequence[int] = ()) -> Bundles:
    """Read bundles.

    Args:
        paths: folders.
        folder: for mixtures.
        keep: numbers of layers that stay in float, for each of which every float32 bundle is quantized.
        mixed: mixtures are tried too, of every two bundles of one model whose branches differ in precision.

    Raises:
        BundleError: one is missing or damaged.
        OptionError: two are called alike, or are not made for the same labels.
    """
    given = tuple(read_bundle(path) for path in paths)
    names = [one.manifest.name for one in given]
    if twice := {name for name in names if names.count(name) > 1}:
        raise OptionError(
            f"bundles called {', '.join(sorted(twice))} seen twice; expected different names. A bundle keeps the name "
            "that it was written with, whatever its folder is called: write one of them again with another -o, or "
            "compare them with bench and report"
        )
    classes = {tuple(info.name for info in one.manifest.model.classes) for one in given}
    if len(classes) > 1:
        raise OptionError("bundles of different classes seen; expected bundles that one set of labels scores")
    mixtures = {
        f"{hr.manifest.name}+{rest.manifest.name}": (hr, rest)
        for hr, rest in (permutations(given, 2) if mixed else ())
        if _mixable(hr, rest)
    }
    layered = {
        f"{one.manifest.name}-int8-but{count}": (one, count)
        for one in given
        for count in keep
        if all(entry.precision is Precision.FP32 for entry in one.manifest.graphs.values())
    }
    if keep and not layered:
        raise OptionError(f"--keep {','.join(map(str, keep))} needs a bundle in float32 throughout, which is quantized")
    return Bundles(given, mixtures, layered, folder)


def mixture_of(hr: Bundle, rest: Bundle, path: Path) -> Bundle:
    """Write a bundle with the HR branch of one bundle, and everything else of another of the same model.

    Raises:
        SinkError: it cannot be written.
        BundleError: one of the two cannot be read.
    """
    base = rest if rest.manifest.quantization is not None else hr  # it says how what is not float32 was made
    graphs = {**rest.manifest.graphs, Role.HR: hr.manifest.graphs[Role.HR]}
    contents = base.contents(base.manifest.files)
    for role, entry in graphs.items():
        source = hr if role is Role.HR else rest
        contents[entry.file] = source.content(source.manifest.graphs[role].file)
    place = NewBundle(path)
    return place.write(replace(base.manifest, name=place.name, graphs=graphs), contents)


def layered_of(bundle: Bundle, count: int, path: Path) -> Bundle:
    """Quantize a bundle, and keep in float so many layers of each branch: those that cost most for each millisecond.

    Raises:
        ArsegError: see ``quantize_bundle``.
        EnvironmentUnfitError: the host half is not installed.
    """
    if find_spec("onnx") is None:
        raise EnvironmentUnfitError(f"--keep quantizes, which belongs to the host half; type: {install_extra('host')}")
    from edge_arseg.compiler.quantize.options import QuantizeOptions
    from edge_arseg.compiler.quantize.quantize import quantize_bundle

    return quantize_bundle(bundle, path, QuantizeOptions(keep_costliest=count)).bundle


def _graphs_of(bundle: Bundle, *, hr: bool) -> tuple[str, ...]:
    """Return roles and digests of the HR graph, or of the others."""
    manifest = bundle.manifest
    return tuple(
        f"{role.value} {manifest.files[entry.file].sha256}"
        for role, entry in sorted(manifest.graphs.items())
        if (role is Role.HR) == hr
    )


def _mixable(one: Bundle, other: Bundle) -> bool:
    """Whether the feature of one HR branch is what the other bundle's fusion takes, from the same network."""
    a, b = one.manifest, other.manifest
    if a.hr_only or b.hr_only or Role.HR not in a.graphs or Role.HR not in b.graphs:
        return False
    mine, theirs = a.graphs[Role.HR], b.graphs[Role.HR]
    return (
        (a.model, a.height, a.width, a.lr_scale, a.gop) == (b.model, b.height, b.width, b.lr_scale, b.gop)
        and a.files[a.decoder.file].sha256 == b.files[b.decoder.file].sha256
        and mine.outputs == theirs.outputs
        and mine.inputs == theirs.inputs
        and mine.precision is not theirs.precision
        and a.graphs[Role.LR].precision is not b.graphs[Role.LR].precision
    )
