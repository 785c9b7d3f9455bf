"""The engines of one bundle, opened together and closed together."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path

from edge_arseg.errors import BundleError, OptionError
from edge_arseg.runtime.bundle import Bundle
from edge_arseg.runtime.engine import Engine
from edge_arseg.spec.manifest import Role

BACKENDS = {
    "onnxruntime": "edge_arseg.runtime.onnxruntime_engine:OnnxRuntimeEngine",
    "fake": "edge_arseg.runtime.fake_engine:FakeEngine",
}
"""Name of each backend to ``module:class``; the module, with its library, is imported when the backend is used."""


def open_engine(path: Path, *, backend: str = "onnxruntime", threads: int | None = None) -> Engine:
    """Open one graph.

    Raises:
        OptionError: no such backend.
        BuildError: the backend cannot load the graph.
    """
    if backend not in BACKENDS:
        raise OptionError(f"no backend is called {backend!r}; known: {', '.join(sorted(BACKENDS))}")
    module, _, name = BACKENDS[backend].partition(":")
    return getattr(import_module(module), name)(path, threads=threads)


@contextmanager
def engines_from_bundle(
    bundle: Bundle, roles: Sequence[Role], *, backend: str = "onnxruntime", threads: int | None = None
) -> Iterator[dict[Role, Engine]]:
    """Open the engines of ``roles`` and close them at the end.

    Raises:
        BundleError: a graph's inputs or outputs are not what the manifest says.
        OptionError, BuildError: see ``open_engine``.
    """
    with ExitStack() as stack:
        engines = {}
        for role in roles:
            engine = stack.enter_context(open_engine(bundle.graph_path(role), backend=backend, threads=threads))
            entry = bundle.manifest.graphs[role]
            for kind, seen, wanted in (
                ("inputs", engine.inputs, entry.inputs),
                ("outputs", engine.outputs, entry.outputs),
            ):
                if seen != wanted:
                    raise BundleError(
                        f"{bundle.graph_path(role)}: {kind} {_text(seen)} seen, the manifest says {_text(wanted)}; "
                        "export the bundle again"
                    )
            engines[role] = engine
        yield engines


def _text(specs: dict) -> str:
    return "{" + ", ".join(f"{name}: {spec}" for name, spec in specs.items()) + "}"
