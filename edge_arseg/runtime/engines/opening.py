"""The engines of one bundle, opened together and closed together."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path

from edge_arseg.errors import BundleError, EnvironmentUnfitError, OptionError
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.engines.contract import Engine
from edge_arseg.spec.graph_contract import check_graphs
from edge_arseg.spec.manifest import Role

BACKENDS = {
    "onnxruntime": "edge_arseg.runtime.engines.onnxruntime.engine:OnnxRuntimeEngine [onnxruntime]",
    "onnxruntime-cuda": "edge_arseg.runtime.engines.onnxruntime.gpu:CudaOnnxRuntimeEngine [onnxruntime-gpu]",
    "onnxruntime-tensorrt": "edge_arseg.runtime.engines.onnxruntime.gpu:TensorRtOnnxRuntimeEngine [onnxruntime-gpu]",
    "openvino": "edge_arseg.runtime.engines.openvino.engine:OpenVinoEngine [openvino]",
    "openvino-bf16": "edge_arseg.runtime.engines.openvino.engine:Bf16OpenVinoEngine [openvino]",
    "tensorrt": "edge_arseg.runtime.engines.tensorrt.engine:TensorRtEngine [tensorrt,pycuda]",
    "fake": "edge_arseg.runtime.engines.fake:FakeEngine",
}
"""Name of each backend to ``module:class [packages]``, as entry points are written.

The module, with its library, is imported when the backend is used; records have the versions of the packages.
"""

UNPROVED = ("fake",)
"""Backends that compute nothing, whose class maps are not compared with the expected ones."""


def checked_backend(backend: str) -> str:
    """Return the name of a backend.

    Raises:
        OptionError: no such backend.
    """
    if backend not in BACKENDS:
        raise OptionError(f"no backend is called {backend!r}; known: {', '.join(sorted(BACKENDS))}")
    return backend


def engine_class(backend: str) -> type[Engine]:
    """Return the class of a backend's engines, importing its library.

    Raises:
        OptionError: no such backend.
        EnvironmentUnfitError: its library is not installed.
    """
    module, _, name = BACKENDS[checked_backend(backend)].partition(" ")[0].partition(":")
    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("edge_arseg"):
            raise
        raise EnvironmentUnfitError(
            f"--backend {backend} needs {error.name}, which is not installed: pip install {error.name}"
        ) from error


def packages_of_backends() -> tuple[str, ...]:
    """Return the packages that all backends need, each once; a record says which versions of them are here."""
    named = [value.partition("[")[2].rstrip("]").split(",") for value in BACKENDS.values()]
    return tuple(dict.fromkeys(package for packages in named for package in packages if package))


def open_engine(path: Path, *, backend: str = "onnxruntime", threads: int | None = None) -> Engine:
    """Open one file: an ONNX graph, or what else the backend loads.

    Raises:
        OptionError: no such backend.
        EnvironmentUnfitError: its library, or the device it needs, is missing.
        BuildError: the backend cannot load the graph.
    """
    return engine_class(backend)(path, threads=threads)  # type: ignore[call-arg, arg-type]


@contextmanager
def engines_from_bundle(
    bundle: Bundle, roles: Sequence[Role], *, backend: str = "onnxruntime", threads: int | None = None
) -> Iterator[dict[Role, Engine]]:
    """Open the engines of ``roles`` and close them at the end.

    Raises:
        BundleError: a graph's inputs or outputs are not what the manifest says, or nothing that can be run.
        OptionError, BuildError: see ``open_engine``.
    """
    opened = engine_class(backend)
    check_graphs(bundle.manifest, roles, where=str(bundle.path))
    with ExitStack() as stack:
        engines = _opened_together(opened, bundle, roles, threads, stack)
        for role, engine in engines.items():
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
        yield engines


def _opened_together(
    opened: type[Engine], bundle: Bundle, roles: Sequence[Role], threads: int | None, stack: ExitStack
) -> dict[Role, Engine]:
    """Open engines at the same time where the backend stands it, else one after the other."""

    def open_role(role: Role) -> Engine:
        return opened.from_bundle(bundle, role, threads=threads)

    if not opened.opens_together or len(roles) < 2:
        return {role: stack.enter_context(open_role(role)) for role in roles}
    with ThreadPoolExecutor(len(roles), "opening") as pool:
        coming = {role: pool.submit(open_role, role) for role in roles}
    # all are done; those that opened are closed even if another one failed
    for future in coming.values():
        if future.exception() is None:
            stack.enter_context(future.result())
    return {role: future.result() for role, future in coming.items()}


def _text(specs: dict) -> str:
    return "{" + ", ".join(f"{name}: {spec}" for name, spec in specs.items()) + "}"
