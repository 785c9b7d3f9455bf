"""Engines that are opened in a thread, one behind the other, while something else is done."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from edge_arseg.runtime.engines.contract import Buffer, Engine
from edge_arseg.spec.manifest import GraphEntry, Role
from edge_arseg.spec.tensor import TensorSpec


class ComingEngine(Engine):
    """An engine that is being opened: whoever runs it waits until it is there.

    What goes wrong in opening it is raised where it is run.
    """

    def __init__(
        self,
        name: str,
        inputs: Mapping[str, TensorSpec],
        outputs: Mapping[str, TensorSpec],
        coming: "Future[Engine]",
    ):
        """Take over what opens an engine with these inputs and outputs."""
        super().__init__(name, inputs, outputs)
        self._coming = coming

    def twin(self) -> "ComingEngine":
        """See ``Engine``; it is there already."""
        there: Future[Engine] = Future()
        there.set_result(self._coming.result().twin())
        return ComingEngine(self.name, self.inputs, self.outputs, there)

    def _run(self, feeds: Mapping[str, Buffer]) -> Mapping[str, Buffer]:
        return self._coming.result()._run(feeds)

    def close(self) -> None:
        """See ``Engine``; one that did not come needs no closing."""
        wait([self._coming])
        if self._coming.exception() is None:
            self._coming.result().close()


def coming_engines(
    opened: Callable[[Role], Engine], graphs: Mapping[Role, GraphEntry], roles: Sequence[Role]
) -> dict[Role, Engine]:
    """Begin to open the engines of ``roles``, in this order; arrays of the host are their features.

    Args:
        opened: opens one and checks it; it is called in a thread.
        graphs: of the bundle.
        roles: of the engines.
    """
    pool = ThreadPoolExecutor(1, "opening")
    try:
        return {
            role: ComingEngine(role.value, graphs[role].inputs, graphs[role].outputs, pool.submit(opened, role))
            for role in roles
        }
    finally:
        pool.shutdown(wait=False)
