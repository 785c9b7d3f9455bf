from pathlib import Path

import pytest
from engine_tester import EngineTester

from edge_arseg.errors import OptionError
from edge_arseg.runtime.engine import Engine
from edge_arseg.runtime.engines import open_engine
from edge_arseg.runtime.onnxruntime_engine import OnnxRuntimeEngine


class TestOnnxRuntimeEngine(EngineTester):
    def open(self, path: Path) -> Engine:
        return OnnxRuntimeEngine(path, threads=1)


def test_an_unknown_backend_lists_the_known_ones(sum_graph):
    with pytest.raises(OptionError, match="known: onnxruntime"):
        open_engine(sum_graph, backend="tensorflow")
