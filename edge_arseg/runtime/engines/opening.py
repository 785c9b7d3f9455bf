"""The engines of one bundle, opened together and closed together."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib import import_module
from types import TracebackType

from edge_arseg.errors import BundleError, EnvironmentUnfitError, OptionError
from edge_arseg.installation import install_packages
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.engines.coming import coming_engines
from edge_arseg.runtime.engines.contract import AUTO, Engine, Place
from edge_arseg.runtime.engines.interpreter_lock import keep_it_moving
from edge_arseg.spec.graph_contract import check_graphs
from edge_arseg.spec.manifest import Role
from edge_arseg.suggestion import did_you_mean

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
    """Return the name of a backend: one of ``BACKENDS``, or ``package.module:Class`` for an engine of your own.

    Raises:
        OptionError: no such backend.
    """
    if backend == AUTO:
        raise OptionError(
            f"backend {AUTO!r} seen where one has to be named: a Segmenter chooses; name one of {', '.join(BACKENDS)}"
        )
    if backend not in BACKENDS and ":" not in backend:
        meant = did_you_mean(backend, [AUTO, *BACKENDS])
        raise OptionError(
            f"no backend is called {backend!r}; {meant and f'{meant} '}known: {', '.join(sorted(BACKENDS))}"
        )
    return backend


def engine_class(backend: str) -> type[Engine]:
    """Return the class of a backend's engines, importing its library.

    Raises:
        OptionError: no such backend.
        EnvironmentUnfitError: its library is not installed.
    """
    module, _, name = BACKENDS.get(checked_backend(backend), backend).partition(" ")[0].partition(":")
    try:
        library = import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("edge_arseg"):
            raise
        if error.name == module and backend not in BACKENDS:
            raise OptionError(f"--backend {backend}: cannot import {module!r}; is it on PYTHONPATH?") from error
        raise EnvironmentUnfitError(
            f"--backend {backend} needs {error.name}, which is not installed; type: "
            + install_packages(error.name or module)
        ) from error
    found = getattr(library, name, None)
    if not (isinstance(found, type) and issubclass(found, Engine)):
        raise OptionError(f"--backend {backend}: no engine {name!r} in {module!r}; expected package.module:Class")
    return found


def shared_gpu(backend: str) -> str:
    """Return why engines of a backend cannot run at the same time: they share a GPU. Empty where they can.

    Raises:
        OptionError, EnvironmentUnfitError: see ``engine_class``.
    """
    return "" if engine_class(backend).feature_place is Place.HOST else f"the engines of {backend} share one GPU"


def packages_of_backend(backend: str) -> tuple[str, ...]:
    """Return the packages that one of ``BACKENDS`` needs."""
    named = BACKENDS[backend].partition("[")[2].rstrip("]")
    return tuple(filter(None, named.split(",")))


def packages_of_backends() -> tuple[str, ...]:
    """Return the packages that all backends need, each once; a record says which versions of them are here."""
    return tuple(dict.fromkeys(package for backend in BACKENDS for package in packages_of_backend(backend)))


class Engines(dict[Role, Engine]):
    """Engines by role; a context manager that closes them all."""

    def close(self) -> None:
        """Close the engines, the last one first; calling it twice is allowed."""
        with ExitStack() as stack:
            for engine in self.values():
                stack.callback(engine.close)

    def twin(self) -> "Engines":
        """Return a twin of each: all, or none where one has none.

        Raises:
            OptionError: see ``Engine.twin``.
        """
        with ExitStack() as stack:
            twins = stack.enter_context(Engines())
            for role, engine in self.items():
                twins[role] = engine.twin()
            stack.pop_all()
        return twins

    def __enter__(self) -> "Engines":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def engines_from_bundle(
    bundle: Bundle, roles: Sequence[Role], *, backend: str = "onnxruntime", threads: int | None = None
) -> Engines:
    """Open the engines of ``roles``, all or none; whoever asks closes them.

    Raises:
        BundleError: a graph's inputs or outputs are not what the manifest says, or nothing that can be run.
        OptionError: no such backend.
        EnvironmentUnfitError: its library, or the device it needs, is missing.
        BuildError: the backend cannot load a graph.
    """
    opened = engine_class(backend)
    check_graphs(bundle.manifest, roles, where=str(bundle.path))
    with ExitStack() as stack:
        engines = stack.enter_context(Engines())
        if not opened.opens_together or len(roles) < 2:
            for role in roles:
                engines[role] = _checked(opened, bundle, role, threads)
        else:
            with ThreadPoolExecutor(len(roles), "opening") as pool:
                coming = {role: pool.submit(_checked, opened, bundle, role, threads) for role in roles}
            # all are done; those that opened are closed even if another one failed
            engines.update({role: future.result() for role, future in coming.items() if future.exception() is None})
            for future in coming.values():
                future.result()
        stack.pop_all()
    return engines


def engines_in_order(
    bundle: Bundle, roles: Sequence[Role], *, backend: str = "onnxruntime", threads: int | None = None
) -> Engines:
    """Begin to open the engines of ``roles``, one behind the other, where the backend's may be opened in a thread.

    The first can run while the next is opened: see ``ComingEngine``. Other backends' engines are open on return.

    Raises:
        OptionError, EnvironmentUnfitError: no such backend, or its library is missing.
        BundleError, BuildError: see ``engines_from_bundle``; of engines that are still coming where they are run.
    """
    opened = engine_class(backend)
    keep_it_moving()  # what asks for them has a thread that reads, too
    if not opened.opens_together:
        return engines_from_bundle(bundle, roles, backend=backend, threads=threads)
    check_graphs(bundle.manifest, roles, where=str(bundle.path))
    return Engines(coming_engines(lambda role: _checked(opened, bundle, role, threads), bundle.manifest.graphs, roles))


def _checked(opened: type[Engine], bundle: Bundle, role: Role, threads: int | None) -> Engine:
    """Open an engine whose inputs and outputs are those of the manifest."""
    entry = bundle.manifest.graphs[role]
    with ExitStack() as stack:
        engine = stack.enter_context(opened.from_bundle(bundle, role, threads=threads))
        for kind, seen, wanted in (
            ("inputs", engine.inputs, entry.inputs),
            ("outputs", engine.outputs, entry.outputs),
        ):
            if seen != wanted:
                raise BundleError(
                    f"{bundle.graph_path(role)}: {kind} {_text(seen)} seen, the manifest says {_text(wanted)}; "
                    "export the bundle again"
                )
        stack.pop_all()
    return engine


def _text(specs: dict) -> str:
    return "{" + ", ".join(f"{name}: {spec}" for name, spec in specs.items()) + "}"
