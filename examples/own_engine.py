"""An engine of your own: ONNX Runtime with its plain settings, in place of ours.

usage: python examples/own_engine.py VIDEO BUNDLE

With this folder on PYTHONPATH it is ``--backend own_engine:PlainEngine``. ``docs/engines.md`` explains the contract,
and ``edge_arseg.testing.engine`` asks an engine all of it.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from edge_arseg import BuildError, Bundle, Engine, Segmenter, TensorSpec

TYPES: dict[str, Any] = {"tensor(uint8)": "uint8", "tensor(float)": "float32", "tensor(float16)": "float16"}
Arrays = Mapping[str, NDArray[np.generic]]


class PlainEngine(Engine):
    """Opens an ONNX file, copies every output into an array that is allocated once."""

    def __init__(self, path: Path, *, threads: int | None = None):
        """Load a graph.

        Raises:
            BuildError: it cannot be loaded.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime raises its own classes, straight below Exception
            raise BuildError(f"{path}: ONNX Runtime cannot load this graph: {error}") from error
        inputs = {value.name: TensorSpec(TYPES[value.type], tuple(value.shape)) for value in session.get_inputs()}
        outputs = {value.name: TensorSpec(TYPES[value.type], tuple(value.shape)) for value in session.get_outputs()}
        super().__init__(Path(path).stem, inputs, outputs)
        self._arrays = {name: np.empty(spec.shape, spec.dtype) for name, spec in outputs.items()}
        self._session: onnxruntime.InferenceSession | None = session

    def _run(self, feeds: Arrays) -> Arrays:
        if self._session is None:
            raise BuildError(f"engine {self.name!r} was closed; open it again")
        for array, result in zip(self._arrays.values(), self._session.run(None, dict(feeds)), strict=True):
            np.copyto(array, result)
        return self._arrays

    def close(self) -> None:
        """Let go of the graph."""
        self._session = None


def main(video: str, bundle: Bundle | str) -> None:
    """Run a bundle on it. Before that, its golden frames must get the right classes, as with any engine."""
    with Segmenter(bundle, backend="own_engine:PlainEngine") as segmenter:
        branches = [result.branch.value for result in segmenter.stream(video)]
        print(f"{segmenter.pipeline.label}: {' '.join(branches)}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
